#pragma once

#include "api/method.h"
#include "services/billing/billing_accounts.h"

namespace brume::api {

// google.cloud.billing.v1.CloudBilling. `billing` must outlive the table.
void AddBillingRows(MethodTable& table,
                    services::billing::BillingAccounts& billing);

}  // namespace brume::api
