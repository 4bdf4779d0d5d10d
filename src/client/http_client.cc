#include "client/http_client.h"

#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/ascii.h>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

namespace brume::client {
namespace {

namespace http = boost::beast::http;

constexpr size_t kPiece = 128 * 1024;
constexpr size_t kMaxBody = size_t{64} << 20;
constexpr uint32_t kMaxHead = 64 * 1024;

std::string Head(const HttpRequest& request, const Connection& connection,
                 const Transport& transport) {
  const Url& url = request.url;
  std::string out = base::StrCat(request.method, " ");
  if (connection.to_proxy()) base::StrAppend(&out, "http://", url.Authority());
  base::StrAppend(&out, url.target, " HTTP/1.1\r\nHost: ", url.Authority(),
                  "\r\nUser-Agent: brume\r\n");
  if (connection.to_proxy() && !transport.options().proxy->user.empty()) {
    base::StrAppend(&out, "Proxy-Authorization: ",
                    BasicCredentials(*transport.options().proxy), "\r\n");
  }
  for (const auto& [name, value] : request.headers) {
    base::StrAppend(&out, name, ": ", value, "\r\n");
  }
  const uint64_t length =
      request.reader != nullptr ? request.length : request.body.size();
  if (length > 0 || (request.method != "GET" && request.method != "HEAD")) {
    base::StrAppend(&out, "Content-Length: ", length, "\r\n");
  }
  return out + "\r\n";
}

absl::Status SendBody(Connection& connection, const HttpRequest& request) {
  if (request.reader == nullptr) return connection.Write(request.body);
  std::string piece(kPiece, '\0');
  uint64_t left = request.length;
  while (left > 0) {
    ASSIGN_OR_RETURN(
        const size_t got,
        request.reader(piece.data(), std::min<uint64_t>(piece.size(), left)));
    if (got == 0) {
      return absl::DataLossError(
          base::StrCat("send request: its body ended ", left,
                       " bytes early; was the file cut meanwhile?"));
    }
    RETURN_IF_ERROR(connection.Write(std::string_view(piece.data(), got)));
    left -= got;
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view HttpReply::Header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : found->second;
}

absl::StatusOr<HttpReply> HttpClient::Send(const HttpRequest& request,
                                           const BodyWriter& writer) {
  const std::string key = base::StrCat(request.url.tls ? "s" : "p",
                                       request.url.host, ":", request.url.port);
  while (true) {
    std::unique_ptr<Connection> connection;
    const auto kept = kept_.find(key);
    const bool reused = kept != kept_.end();
    if (reused) {
      connection = std::move(kept->second);
      kept_.erase(kept);
    } else {
      ASSIGN_OR_RETURN(connection, Connection::Open(*transport_, request.url));
    }
    bool answered = false;
    bool keep = false;
    absl::StatusOr<HttpReply> reply =
        SendOn(*connection, request, writer, &answered, &keep);
    // The server may have closed it while it was idle. A body that was read
    // cannot be read again.
    const bool again = reused && !answered && request.reader == nullptr &&
                       absl::IsUnavailable(reply.status());
    if (again) continue;
    if (reply.ok() && keep) kept_[key] = std::move(connection);
    return reply;
  }
}

absl::StatusOr<HttpReply> HttpClient::SendOn(Connection& connection,
                                             const HttpRequest& request,
                                             const BodyWriter& writer,
                                             bool* answered, bool* keep) {
  RETURN_IF_ERROR(connection.Write(Head(request, connection, *transport_)));
  // A server that refuses early may close: its reply says more than the error.
  const absl::Status sent = SendBody(connection, request);
  if (!sent.ok() && !absl::IsUnavailable(sent)) return sent;

  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  parser.header_limit(kMaxHead);
  parser.eager(true);
  if (request.method == "HEAD") parser.skip(true);
  HttpReply reply;
  std::string received(kPiece, '\0');
  std::string body(kPiece, '\0');
  size_t begin = 0;
  size_t end = 0;
  const auto take_head = [&] {
    const auto& message = parser.get();
    reply.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
      const auto name = field.name_string();
      const auto value = field.value();
      reply.headers[absl::AsciiStrToLower(absl::string_view(
          name.data(), name.size()))] = std::string(value.data(), value.size());
    }
  };
  bool head_taken = false;
  while (!parser.is_done()) {
    if (begin == end) {
      begin = 0;
      const absl::StatusOr<size_t> got =
          connection.Read(received.data(), received.size());
      if (!got.ok()) return sent.ok() ? got.status() : sent;
      end = *got;
      if (end == 0) {
        boost::system::error_code error;
        if (*answered) parser.put_eof(error);
        if (error || !parser.is_done()) {
          return absl::UnavailableError(
              base::StrCat("receive from '", request.url.host,
                           "': the connection ended early"));
        }
        break;
      }
      *answered = true;
    }
    parser.get().body().data = body.data();
    parser.get().body().size = body.size();
    parser.get().body().more = true;
    boost::system::error_code error;
    const size_t used = parser.put(
        boost::asio::buffer(received.data() + begin, end - begin), error);
    begin += used;
    const size_t made = body.size() - parser.get().body().size;
    if (parser.is_header_done() && !head_taken) {
      head_taken = true;
      take_head();
    }
    if (made > 0) {
      const std::string_view bytes(body.data(), made);
      if (writer != nullptr && reply.status / 100 == 2) {
        RETURN_IF_ERROR(writer(bytes));
      } else if (reply.body.size() + made > kMaxBody) {
        return absl::ResourceExhaustedError("receive reply: it is too long");
      } else {
        reply.body += bytes;
      }
    }
    if (error == http::error::need_buffer) continue;
    if (error == http::error::need_more) {
      // The rest of a line: keep it, and read behind it.
      std::string rest = received.substr(begin, end - begin);
      if (rest.size() == received.size()) {
        return absl::InternalError("receive reply: its head is too long");
      }
      const absl::StatusOr<size_t> got = connection.Read(
          received.data() + rest.size(), received.size() - rest.size());
      if (!got.ok()) return got.status();
      if (*got == 0) {
        return absl::UnavailableError("receive reply: it ended early");
      }
      *answered = true;
      rest.copy(received.data(), rest.size());
      begin = 0;
      end = rest.size() + *got;
      continue;
    }
    if (error) {
      return absl::InternalError(base::StrCat(
          "receive from '", request.url.host, "': ", error.message()));
    }
  }
  *keep = sent.ok() && parser.keep_alive() && begin == end;
  return reply;
}

}  // namespace brume::client
