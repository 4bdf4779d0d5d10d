#pragma once

#include "api/admission.h"
#include "api/wire.h"

#include <string_view>

namespace brume::api {

// A hand-written HTTP surface beside the method table: Storage's JSON API with
// its data paths, OAuth, the metadata server. The dispatcher asks each surface
// of its explicit list in order, then the route table. Thread-safe.
class HttpSurface {
 public:
  virtual ~HttpSurface() = default;
  // Whether this surface answers such a request, by host and path alone. It
  // then answers all of them, unknown paths included.
  virtual bool Owns(const RequestHead& head) const = 0;
  // As HttpService::Begin. The surface calls Admission itself, before it reads
  // or writes any resource.
  virtual Begun Begin(RequestHead head) = 0;
};

// A sink that keeps a body of at most `limit` bytes and hands it on whole: for
// JSON, XML and forms. A longer body is refused with 413.
std::unique_ptr<BodySink> BufferBody(
    size_t limit, std::function<Outcome(std::string body)> finish);

}  // namespace brume::api
