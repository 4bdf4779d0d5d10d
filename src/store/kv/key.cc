#include "store/kv/key.h"

#include <algorithm>

namespace brume::store {
namespace {

constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xff';
constexpr char kEnd = '\x01';
constexpr size_t kIntBytes = 8;

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    out.push_back(c);
    if (c == kEscape) out.push_back(kEscapedZero);
  }
}

}  // namespace

Key& Key::Add(std::string_view text) {
  AppendEscaped(text, bytes_);
  bytes_.push_back(kEscape);
  bytes_.push_back(kEnd);
  return *this;
}

Key& Key::AddInt(uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes_.push_back(static_cast<char>(number >> shift));
  }
  return *this;
}

Key& Key::AddIntDescending(uint64_t number) { return AddInt(~number); }

std::string Key::WithOpenText(std::string_view text) const {
  std::string out = bytes_;
  AppendEscaped(text, out);
  return out;
}

std::optional<std::string> KeyParser::Next() {
  std::string out;
  for (size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] != kEscape) {
      out.push_back(rest_[i]);
      continue;
    }
    if (++i == rest_.size()) return std::nullopt;
    if (rest_[i] == kEnd) {
      rest_.remove_prefix(i + 1);
      return out;
    }
    if (rest_[i] != kEscapedZero) return std::nullopt;
    out.push_back(kEscape);
  }
  return std::nullopt;
}

std::optional<uint64_t> KeyParser::NextInt() {
  if (rest_.size() < kIntBytes) return std::nullopt;
  uint64_t number = 0;
  for (size_t i = 0; i < kIntBytes; ++i) {
    number = number << 8 | static_cast<unsigned char>(rest_[i]);
  }
  rest_.remove_prefix(kIntBytes);
  return number;
}

std::optional<uint64_t> KeyParser::NextIntDescending() {
  const std::optional<uint64_t> number = NextInt();
  if (!number) return std::nullopt;
  return ~*number;
}

}  // namespace brume::store
