#include "api/metadata/metadata_surface.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace metadata = brume::api::metadata;

namespace {

const brume::base::SystemClock& TheClock() {
  static const brume::base::SystemClock clock;
  return clock;
}

metadata::MetadataSurface NewSurface() {
  return metadata::MetadataSurface(
      {.find_project =
           [](std::string_view) {
             return brume::api::ProjectRef{"my-project", "123456789012"};
           },
       .project_of_account =
           [](std::string_view) { return std::string("my-project"); },
       .mint =
           [](std::string_view, const std::vector<std::string>&) {
             return metadata::Token{"t", TheClock().Now() + absl::Hours(1)};
           },
       .identity = [](std::string_view, std::string_view,
                      bool) { return std::string("jwt"); },
       .clock = &TheClock()});
}

}  // namespace

// The bytes are the target of a GET.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static metadata::MetadataSurface surface = NewSurface();
  brume::api::RequestHead head;
  head.method = "GET";
  head.target = "/" + std::string(reinterpret_cast<const char*>(data), size);
  head.headers.Add("Metadata-Flavor", "Google");
  head.origin.via = brume::api::Origin::Via::kMetadata;
  head.origin.account = "a@my-project.iam.gserviceaccount.com";
  const brume::api::Begun begun = surface.Begin(std::move(head));
  if (const auto* response = std::get_if<brume::api::Response>(&begun)) {
    if (response->status < 200 || response->status >= 500) __builtin_trap();
  }
  return 0;
}
