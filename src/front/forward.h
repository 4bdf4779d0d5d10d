#pragma once

#include "front/connection.h"
#include "front/http_head.h"
#include "front/upstream.h"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace brume::front {

// Passes one plain-HTTP request on to its foreign host, as proxies do, and the
// reply back; then the connection ends. `read`: bytes behind the head that have
// been read. The refusal when the host cannot be reached.
boost::asio::awaitable<std::optional<Refusal>> ForwardRequest(
    Connection& client, const Upstream& upstream, ForeignRequest request,
    std::string read);

// The head that goes upstream: origin-form, or absolute-form for a proxy. Asks
// the host to close after its reply, since nobody looks where that ends.
std::string FormatForeignHead(const ForeignRequest& request, bool to_proxy,
                              const std::string& proxy_field);

}  // namespace brume::front
