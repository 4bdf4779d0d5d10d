#include "api/http_error.h"
#include "api/http_surface.h"
#include "base/str_cat.h"

#include <utility>

namespace brume::api {
namespace {

class Buffer final : public BodySink {
 public:
  Buffer(size_t limit, std::function<Outcome(std::string body)> finish)
      : limit_(limit), finish_(std::move(finish)) {}

  std::optional<Response> Write(std::string_view bytes) override {
    if (body_.size() + bytes.size() > limit_) {
      // Google's text for a request above a method's limit.
      return JsonError(413, absl::InvalidArgumentError(base::ToAbsl(
                                base::StrCat("Request payload size exceeds the "
                                             "limit: ",
                                             limit_, " bytes."))));
    }
    body_.append(bytes);
    return std::nullopt;
  }
  Outcome Finish() override { return finish_(std::move(body_)); }

 private:
  const size_t limit_;
  std::function<Outcome(std::string)> finish_;
  std::string body_;
};

}  // namespace

std::unique_ptr<BodySink> BufferBody(
    size_t limit, std::function<Outcome(std::string body)> finish) {
  return std::make_unique<Buffer>(limit, std::move(finish));
}

}  // namespace brume::api
