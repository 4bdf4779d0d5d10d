#include "services/storage/names.h"

#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/ascii.h>

#include <cstdint>

namespace brume::services::storage {
namespace {

bool IsAddress(std::string_view name) {
  int dots = 0;
  for (char c : name) {
    if (c == '.') {
      ++dots;
    } else if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      return false;
    }
  }
  return dots == 3;
}

bool IsBucketName(std::string_view name) {
  const auto alnum = [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c));
  };
  if (name.size() < 3 || name.size() > 222) return false;
  if (!alnum(name.front()) || !alnum(name.back())) return false;
  size_t part = 0;
  for (char c : name) {
    if (c == '.') {
      if (part == 0) return false;
      part = 0;
      continue;
    }
    if (!alnum(c) && c != '-' && c != '_') return false;
    if (++part > 63) return false;
  }
  return !IsAddress(name) && name.substr(0, 4) != "goog" &&
         name.find("google") == std::string_view::npos;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const unsigned char lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return false;
    uint32_t point = lead & (0xff >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const unsigned char next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    // Over-long forms, surrogates, and beyond Unicode.
    if (length == 3 && point < 0x800) return false;
    if (length == 4 && (point < 0x10000 || point > 0x10ffff)) return false;
    if (point >= 0xd800 && point <= 0xdfff) return false;
    i += length;
  }
  return true;
}

absl::Status CheckBucketName(std::string_view name) {
  if (IsBucketName(name)) return absl::OkStatus();
  // The name is quoted in JSON: bytes that are not UTF-8 cannot be.
  return Invalid(IsUtf8(name)
                     ? base::StrCat("Invalid bucket name: '", name, "'")
                     : "Invalid bucket name: not UTF-8");
}

absl::Status CheckObjectName(std::string_view name) {
  if (name.empty()) return Required("Required");
  if (name.size() > 1024) {
    return Invalid(
        "The maximum object length is 1024 characters, but got a name with "
        "more.");
  }
  if (!IsUtf8(name)) {
    return Invalid("Disallowed unicode characters present in object name");
  }
  constexpr std::string_view kForbidden("\0\r\n", 3);
  if (name == "." || name == ".." ||
      name.find_first_of(kForbidden) != std::string_view::npos ||
      name.substr(0, 27) == ".well-known/acme-challenge/") {
    return Invalid("Disallowed unicode characters present in object name");
  }
  return absl::OkStatus();
}

}  // namespace brume::services::storage
