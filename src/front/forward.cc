#include "front/forward.h"

#include "base/str_cat.h"
#include "front/tunnel.h"

#include <absl/strings/match.h>

#include <utility>

namespace brume::front {

namespace asio = boost::asio;

std::string FormatForeignHead(const ForeignRequest& request, bool to_proxy,
                              const std::string& proxy_field) {
  std::string out = base::StrCat(
      request.method, " ",
      to_proxy ? base::StrCat("http://", request.authority) : std::string(),
      request.target, " HTTP/1.1\r\nHost: ", request.authority, "\r\n");
  for (const auto& [name, value] : request.headers.fields()) {
    if (absl::EqualsIgnoreCase(name, "host")) continue;
    base::StrAppend(&out, name, ": ", value, "\r\n");
  }
  if (to_proxy) out += proxy_field;
  out += "Connection: close\r\n\r\n";
  return out;
}

asio::awaitable<std::optional<Refusal>> ForwardRequest(Connection& client,
                                                       const Upstream& upstream,
                                                       ForeignRequest request,
                                                       std::string read) {
  absl::StatusOr<asio::ip::tcp::socket> server =
      co_await upstream.ConnectForHttp(&client, request.host, request.port);
  if (!server.ok()) {
    co_return ToRefusal(server.status());
  }
  std::string first =
      FormatForeignHead(request, upstream.has_proxy(), upstream.proxy_field());
  first += read;
  co_await JoinSockets(&client, *std::move(server), std::move(first));
  co_return std::nullopt;
}

}  // namespace brume::front
