#include "front/connect_request.h"

#include "base/encoding.h"
#include "base/str_cat.h"
#include "front/served_hosts.h"

#include <absl/strings/match.h>

#include <charconv>
#include <utility>

namespace brume::front {
namespace {

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n";
constexpr std::string_view kConnect = "CONNECT ";

bool IsToken(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() &&
         (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

std::optional<ProxyCredentials> ParseProxyAuthorization(
    std::string_view value) {
  value = Trim(value);
  if (value.size() < 6 ||
      !absl::EqualsIgnoreCase(base::ToAbsl(value.substr(0, 6)), "basic ")) {
    return std::nullopt;
  }
  const auto decoded = base::Base64Decode(Trim(value.substr(6)));
  if (!decoded) return std::nullopt;
  const size_t split = decoded->find(':');
  if (split == std::string::npos) return std::nullopt;
  return ProxyCredentials{decoded->substr(0, split),
                          decoded->substr(split + 1)};
}

FirstBytes Sniff(std::string_view bytes) {
  if (bytes.empty()) return FirstBytes::kNeedMore;
  if (bytes[0] == 0x16) return FirstBytes::kTls;
  const auto begins = [bytes](std::string_view word) {
    return bytes.substr(0, word.size()) == word.substr(0, bytes.size());
  };
  if (begins(kHttp2Preface)) {
    return bytes.size() >= kHttp2Preface.size() ? FirstBytes::kHttp2
                                                : FirstBytes::kNeedMore;
  }
  if (begins(kConnect)) {
    return bytes.size() >= kConnect.size() ? FirstBytes::kConnect
                                           : FirstBytes::kNeedMore;
  }
  return IsToken(bytes[0]) || bytes[0] == '\r' || bytes[0] == '\n'
             ? FirstBytes::kHttp1
             : FirstBytes::kUnknown;
}

std::optional<ConnectRequest> ParseConnect(std::string_view head) {
  const size_t end = head.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = Trim(head.substr(0, end));
  if (line.substr(0, kConnect.size()) != kConnect) return std::nullopt;
  const size_t space = line.find(' ', kConnect.size());
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view version = line.substr(space + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return std::nullopt;
  const std::string_view target =
      line.substr(kConnect.size(), space - kConnect.size());
  const size_t colon = target.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  ConnectRequest request;
  const std::string_view port = target.substr(colon + 1);
  const auto parsed =
      std::from_chars(port.data(), port.data() + port.size(), request.port);
  if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() ||
      request.port == 0) {
    return std::nullopt;
  }
  request.host = CanonicalHost(target);
  if (!IsHostText(request.host)) return std::nullopt;

  std::string_view rest = head.substr(end + 1);
  while (!rest.empty()) {
    const size_t next = rest.find('\n');
    const std::string_view field = Trim(rest.substr(0, next));
    rest = next == std::string_view::npos ? "" : rest.substr(next + 1);
    const size_t separator = field.find(':');
    if (separator == std::string_view::npos) continue;
    if (!absl::EqualsIgnoreCase(base::ToAbsl(field.substr(0, separator)),
                                "proxy-authorization")) {
      continue;
    }
    auto credentials = ParseProxyAuthorization(field.substr(separator + 1));
    if (!credentials) return std::nullopt;
    request.user = std::move(credentials->user);
    request.password = std::move(credentials->password);
  }
  return request;
}

}  // namespace brume::front
