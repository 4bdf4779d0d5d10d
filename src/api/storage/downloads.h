#pragma once

#include "api/storage/calls.h"
#include "api/storage/request.h"
#include "api/wire.h"

namespace brume::api::storage {

// A media download: the object's bytes or a range of them, as they are or (of
// gzip content, for a client that does not take it) unpacked.
Response Download(const Services& services, const Request& request);

}  // namespace brume::api::storage
