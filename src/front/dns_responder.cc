#include "front/dns_responder.h"

#include "front/dns_message.h"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace brume::front {

namespace asio = boost::asio;
using asio::ip::udp;

asio::awaitable<void> ServeDnsUdp(udp::socket* socket) {
  std::string buffer(kMaxDnsQuery + 1, '\0');
  while (socket->is_open()) {
    udp::endpoint client;
    boost::system::error_code error;
    const size_t n = co_await socket->async_receive_from(
        asio::buffer(buffer), client,
        asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted ||
        error == asio::error::bad_descriptor) {
      co_return;
    }
    // Another's fault (a client that has gone): the next may be well.
    if (error) continue;
    const std::string answer = AnswerDns(std::string_view(buffer).substr(0, n));
    if (answer.empty()) continue;
    co_await socket->async_send_to(
        asio::buffer(answer), client,
        asio::redirect_error(asio::use_awaitable, error));
  }
}

asio::awaitable<void> ServeDnsTcp(Connection* connection) {
  std::string input;
  char piece[512];
  try {
    while (!connection->finishing()) {
      connection->SetIdle(true);
      const size_t n = co_await connection->Read(piece, sizeof piece);
      connection->SetIdle(false);
      if (n == 0) co_return;
      input.append(piece, n);
      while (input.size() >= 2) {
        const size_t length =
            static_cast<size_t>(static_cast<uint8_t>(input[0])) << 8 |
            static_cast<uint8_t>(input[1]);
        if (length > kMaxDnsQuery) co_return;
        if (input.size() < length + 2) break;
        const std::string answer =
            AnswerDns(std::string_view(input).substr(2, length));
        input.erase(0, length + 2);
        if (answer.empty()) co_return;
        std::string framed;
        framed.push_back(static_cast<char>(answer.size() >> 8));
        framed.push_back(static_cast<char>(answer.size() & 0xff));
        framed += answer;
        co_await connection->Write(framed);
      }
    }
  } catch (const boost::system::system_error&) {
    // The client has gone.
  }
}

}  // namespace brume::front
