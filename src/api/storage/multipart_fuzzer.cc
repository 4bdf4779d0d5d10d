#include "api/storage/multipart.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using brume::api::storage::BoundaryOf;
using brume::api::storage::MultipartReader;
using brume::api::storage::PartHeaders;

// What the reader makes of the body, given in pieces of this size.
std::string Read(const std::string& boundary, std::string_view body,
                 size_t piece) {
  std::string out;
  MultipartReader reader(
      boundary, {.begin_part =
                     [&](const PartHeaders& headers) {
                       for (const auto& [name, value] : headers.fields()) {
                         out += name + "=" + value + ";";
                       }
                       out += "[";
                       return absl::OkStatus();
                     },
                 .data =
                     [&](std::string_view bytes) {
                       out += bytes;
                       return absl::OkStatus();
                     },
                 .end_part =
                     [&] {
                       out += "]";
                       return absl::OkStatus();
                     }});
  while (!body.empty()) {
    if (!reader.Write(body.substr(0, piece)).ok()) return "refused";
    body.remove_prefix(std::min(piece, body.size()));
  }
  return out + (reader.Finish().ok() ? "." : "?");
}

}  // namespace

// The first line is a Content-Type, the rest a body. How the body is cut into
// pieces must not matter.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto boundary = BoundaryOf(text.substr(0, line));
  if (!boundary) return 0;
  const std::string_view body = text.substr(line + 1);
  const std::string whole = Read(*boundary, body, body.size() + 1);
  const std::string bytes = Read(*boundary, body, 1);
  // Only a header block of more than the limit may be seen earlier or later.
  if (whole != bytes && whole != "refused" && bytes != "refused") abort();
  return 0;
}
