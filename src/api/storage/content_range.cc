#include "api/storage/content_range.h"

#include <algorithm>
#include <limits>

namespace brume::api::storage {
namespace {

// Takes digits off the front; nullopt when there are none or too many.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  uint64_t number = 0;
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    const uint64_t digit = static_cast<uint64_t>(text[digits] - '0');
    if (number > (kMost - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool Take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<ContentRange> ParseContentRange(std::string_view text) {
  text = Trim(text);
  if (text.substr(0, 5) != "bytes") return std::nullopt;
  text.remove_prefix(5);
  // Some clients write "bytes=".
  if (!Take(text, ' ') && !Take(text, '=')) return std::nullopt;
  text = Trim(text);
  ContentRange range;
  if (!Take(text, '*')) {
    range.first = TakeNumber(text);
    if (!range.first || !Take(text, '-')) return std::nullopt;
    if (!Take(text, '*')) {
      range.last = TakeNumber(text);
      if (!range.last || *range.last < *range.first) return std::nullopt;
    }
  }
  if (!Take(text, '/')) return std::nullopt;
  if (!Take(text, '*')) {
    range.total = TakeNumber(text);
    if (!range.total) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  if (range.last && range.total && *range.last >= *range.total) {
    return std::nullopt;
  }
  return range;
}

RangeKind ParseRange(std::optional<std::string_view> header, uint64_t size,
                     ByteRange& range) {
  if (!header) return RangeKind::kNone;
  std::string_view text = Trim(*header);
  if (text.substr(0, 6) != "bytes=") return RangeKind::kNone;
  text.remove_prefix(6);
  if (Take(text, '-')) {
    const std::optional<uint64_t> count = TakeNumber(text);
    if (!count || !text.empty()) return RangeKind::kNone;
    if (*count == 0 || size == 0) return RangeKind::kUnsatisfiable;
    range.length = std::min(*count, size);
    range.offset = size - range.length;
    return RangeKind::kPart;
  }
  const std::optional<uint64_t> first = TakeNumber(text);
  if (!first || !Take(text, '-')) return RangeKind::kNone;
  uint64_t last = std::numeric_limits<uint64_t>::max();
  if (!text.empty()) {
    const std::optional<uint64_t> given = TakeNumber(text);
    if (!given || !text.empty() || *given < *first) return RangeKind::kNone;
    last = *given;
  }
  if (*first >= size) return RangeKind::kUnsatisfiable;
  range.offset = *first;
  range.length = std::min(last, size - 1) - *first + 1;
  return RangeKind::kPart;
}

}  // namespace brume::api::storage
