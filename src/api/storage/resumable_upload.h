#pragma once

#include "api/storage/calls.h"
#include "api/storage/request.h"
#include "api/wire.h"

#include <absl/status/statusor.h>

// Resumable uploads (cloud.google.com/storage/docs/resumable-uploads).
namespace brume::api::storage {

// uploadType=resumable without upload_id: a new session, whose URL is the
// reply's Location.
absl::StatusOr<Response> StartResumable(const Services& services,
                                        const Request& request,
                                        const std::string& body);
// A request to a session: bytes, a question, the end, or (DELETE) no more.
absl::StatusOr<Begun> ContinueResumable(const Services& services,
                                        Request request);

}  // namespace brume::api::storage
