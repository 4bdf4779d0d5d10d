#include "api/query_string.h"

#include "base/encoding.h"

#include <algorithm>

namespace brume::api {

std::optional<QueryString> QueryString::Parse(std::string_view target) {
  QueryString out;
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return out;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    auto name = base::PercentDecode(pair.substr(0, equals), true);
    auto value = base::PercentDecode(
        pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return std::nullopt;
    out.parameters_.emplace_back(*std::move(name), *std::move(value));
  }
  return out;
}

std::optional<std::string_view> QueryString::Get(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string_view PathOf(std::string_view target) {
  return target.substr(0, target.find('?'));
}

bool IsStandardParameter(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "access_token", "alt",         "callback",        "fields",
      "key",          "oauth_token", "prettyPrint",     "quotaUser",
      "trace",        "uploadType",  "upload_protocol", "userIp",
      "userProject",  "passwd",      "bearer_token",    "pp",
      "xgafv"};
  if (!name.empty() && name[0] == '$') return true;
  return std::find(std::begin(kNames), std::end(kNames), name) !=
         std::end(kNames);
}

}  // namespace brume::api
