#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <string>
#include <string_view>

// Debian builds Abseil with a string_view of its own, which does not convert to
// or from std::string_view. The project uses std::string_view; these are the
// bridge. Use base::StrCat in place of absl::StrCat.
namespace brume::base {

inline absl::string_view ToAbsl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}
inline std::string_view ToStd(absl::string_view text) {
  return std::string_view(text.data(), text.size());
}

// What absl::StrCat takes, and std::string_view.
class CatArg : public absl::AlphaNum {
 public:
  template <typename T>
  CatArg(const T& value)  // NOLINT(google-explicit-constructor): an argument
      : absl::AlphaNum(value) {}
  CatArg(std::string_view text)  // NOLINT(google-explicit-constructor): ditto
      : absl::AlphaNum(ToAbsl(text)) {}
};

template <typename... Args>
std::string StrCat(const Args&... args) {
  return absl::StrCat(static_cast<const absl::AlphaNum&>(CatArg(args))...);
}

template <typename... Args>
void StrAppend(std::string* out, const Args&... args) {
  absl::StrAppend(out, static_cast<const absl::AlphaNum&>(CatArg(args))...);
}

}  // namespace brume::base
