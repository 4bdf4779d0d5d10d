#pragma once

#include "api/storage/request.h"
#include "services/storage/bucket_store.h"
#include "services/storage/object_store.h"
#include "services/storage/resumable_uploads.h"

#include <absl/status/statusor.h>
#include <boost/json/object.hpp>

#include <string>

// The calls of the JSON API that are no data path: an admitted request and its
// body in, a reply out.
namespace brume::api::storage {

struct Services {
  services::storage::BucketStore* buckets = nullptr;
  services::storage::ObjectStore* objects = nullptr;
  services::storage::ResumableUploads* uploads = nullptr;
};

// By the route's method; not of uploads, downloads and batches.
absl::StatusOr<Response> BucketCall(const Services& services,
                                    const Request& request,
                                    const std::string& body);
absl::StatusOr<Response> AccessCall(const Services& services,
                                    const Request& request,
                                    const std::string& body);
absl::StatusOr<Response> ObjectCall(const Services& services,
                                    const Request& request,
                                    const std::string& body);

// The reply that shows an object: after uploads too.
absl::StatusOr<Response> ObjectReply(const Services& services,
                                     const Request& request,
                                     const brume::storage::Object& object,
                                     bool full_by_default = false);

// What an upload, a copy or a compose says of its new object: body, parameters
// and headers.
absl::Status DescribeObject(const Request& request,
                            const boost::json::object& body,
                            brume::storage::Object& object);

}  // namespace brume::api::storage
