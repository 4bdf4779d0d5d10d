#pragma once

#include "api/wire.h"

#include <absl/status/statusor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

// The batch endpoint: many calls in one multipart/mixed body
// (cloud.google.com/storage/docs/batch).
namespace brume::api::storage {

struct BatchPart {
  std::string content_id;  // empty: none was given
  // Target is origin-form, also where the client wrote an absolute one; headers
  // are the part's own.
  RequestHead head;
  std::string body;
};

// Takes a batch apart. 400 that says which part is malformed.
absl::StatusOr<std::vector<BatchPart>> ParseBatch(std::string_view content_type,
                                                  std::string_view body);

// Puts the replies together again, in order.
Response BatchReply(const std::vector<BatchPart>& parts,
                    const std::function<Response(const BatchPart&)>& call);

}  // namespace brume::api::storage
