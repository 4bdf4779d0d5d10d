#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace brume::api::storage {

// The Content-Range of a part of a resumable upload, in the forms clients send
// (developers.google.com, "Perform resumable uploads"):
//   bytes 0-524287/2000000   bytes 0-524287/*   bytes 0-*/*   bytes 0-*/100
//   bytes */2000000          bytes */*          (a question, or an end)
struct ContentRange {
  // Absent in the forms without a part.
  std::optional<uint64_t> first;
  std::optional<uint64_t> last;   // absent: to the end of the body
  std::optional<uint64_t> total;  // absent: not known yet
};

// nullopt for anything else.
std::optional<ContentRange> ParseContentRange(std::string_view text);

// The Range of a download (RFC 9110, 14.2), of a body of `size` bytes.
struct ByteRange {
  uint64_t offset = 0;
  uint64_t length = 0;
};
enum class RangeKind {
  kNone,           // no such header, several ranges or nonsense: the whole
  kPart,           // `range` of it
  kUnsatisfiable,  // 416
};
RangeKind ParseRange(std::optional<std::string_view> text, uint64_t size,
                     ByteRange& range);

}  // namespace brume::api::storage
