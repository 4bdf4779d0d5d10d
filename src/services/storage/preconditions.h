#pragma once

#include <absl/status/status.h>
#include <brume/storage/object.pb.h>

namespace brume::services::storage {

// Whether `conditions` hold for a resource of that generation and
// metageneration; a resource which does not exist has 0 and 0. ConditionNotMet
// otherwise, with location "If-Match" or "If-None-Match" by the kind of the
// condition that failed.
absl::Status CheckConditions(const brume::storage::Conditions& conditions,
                             int64_t generation, int64_t metageneration);

// Whether `status` is a failed "not match", which a read answers with 304.
bool IsNotModified(const absl::Status& status);

}  // namespace brume::services::storage
