#include "client/url.h"

#include "base/encoding.h"
#include "base/str_cat.h"

#include <absl/strings/numbers.h>

#include <optional>

namespace brume::client {

std::string Url::Authority() const {
  std::string out =
      host.find(':') == host.npos ? host : base::StrCat("[", host, "]");
  if (port != (tls ? 443 : 80)) base::StrAppend(&out, ":", port);
  return out;
}

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return absl::InvalidArgumentError(
        base::StrCat("read URL '", text, "': ", why));
  };
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad("it is neither http nor https");
  }
  const size_t path = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, path);
  if (path != rest.npos) {
    rest = rest.substr(path);
    rest = rest.substr(0, rest.find('#'));
    url.target =
        rest.starts_with('/') ? std::string(rest) : base::StrCat("/", rest);
  }
  if (const size_t at = authority.rfind('@'); at != authority.npos) {
    const std::string_view info = authority.substr(0, at);
    const size_t colon = info.find(':');
    const auto user = base::PercentDecode(info.substr(0, colon));
    const auto password =
        base::PercentDecode(colon == info.npos ? "" : info.substr(colon + 1));
    if (!user.has_value() || !password.has_value()) {
      return bad("its user is not well encoded");
    }
    url.user = *user;
    url.password = *password;
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == authority.npos) return bad("its host lacks a ']'");
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != authority.npos) port = authority.substr(colon);
  }
  if (url.host.empty()) return bad("it names no host");
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    int number = 0;
    if (port[0] != ':' ||
        !absl::SimpleAtoi(base::ToAbsl(port.substr(1)), &number) ||
        number < 1 || number > 65535) {
      return bad("its port is no number from 1 to 65535");
    }
    url.port = static_cast<uint16_t>(number);
  }
  return url;
}

}  // namespace brume::client
