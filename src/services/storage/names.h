#pragma once

#include <absl/status/status.h>

#include <string_view>

// Which names Cloud Storage takes; source: its documentation of bucket and
// object naming.
namespace brume::services::storage {

// 3 to 63 bytes (222 with dots, 63 between two of them) of lower-case letters,
// digits, '-', '_' and '.'; not an IP address, not "goog..." or "...google...".
absl::Status CheckBucketName(std::string_view name);

// 1 to 1,024 bytes of UTF-8, without NUL, CR and LF; not "." or ".." and not
// below ".well-known/acme-challenge/".
absl::Status CheckObjectName(std::string_view name);

bool IsUtf8(std::string_view text);

}  // namespace brume::services::storage
