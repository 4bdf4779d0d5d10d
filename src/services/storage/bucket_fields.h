#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <brume/storage/bucket.pb.h>

// The fields of a bucket that follow from others or from time.
namespace brume::services::storage {

// Checks what the client said of a new bucket and fills in what the
// documentation gives one that says nothing. `default_object_acl` and `acl`
// are not touched.
absl::Status CompleteNewBucket(brume::storage::Bucket& bucket, absl::Time now);

// After a change from `before`: keeps what cannot change, renews the times and
// refuses what a locked policy forbids.
absl::Status CompleteChangedBucket(const brume::storage::Bucket& before,
                                   brume::storage::Bucket& bucket,
                                   absl::Time now);

}  // namespace brume::services::storage
