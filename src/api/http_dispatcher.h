#pragma once

#include "api/admission.h"
#include "api/http_surface.h"
#include "api/method.h"
#include "api/routes.h"
#include "api/wire.h"

#include <memory>
#include <string>
#include <vector>

namespace brume::api {

// The HTTP side of the API: hand-written surfaces first, in order, then the
// method table by its routes (google.api.http transcoding). Thread-safe; what
// it is given must outlive it.
class HttpDispatcher final : public HttpService {
 public:
  struct Options {
    const MethodTable* table = nullptr;
    const Admission* admission = nullptr;
    std::vector<HttpSurface*> surfaces;
  };
  explicit HttpDispatcher(Options options);

  Begun Begin(RequestHead head) override;

 private:
  Begun BeginMethod(RequestHead head);

  const Options options_;
  Routes routes_;
};

// The part of admission's subject that a row alone tells.
Admission::Subject SubjectOf(const Method& method, std::string_view host);

// What the caller may not leave undone for a method's request, on either
// transport: admission by the row's Access. `method` must be of the table.
absl::StatusOr<Call> AdmitMethod(const Admission& admission,
                                 const Method& method,
                                 const google::protobuf::Message& request,
                                 const Headers& headers, std::string_view host,
                                 std::string_view base_url,
                                 const Origin& origin);

}  // namespace brume::api
