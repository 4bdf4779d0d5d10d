#include "front/http_head.h"
#include "front/http_request_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

namespace {

using brume::front::RequestParser;

struct Seen {
  bool failed = false;
  bool done = false;
  std::string body;
  size_t used = 0;
};

// As the session reads it, in pieces of `step` bytes.
Seen Read(std::string_view bytes, size_t step, RequestParser& parser) {
  Seen seen;
  std::string input;
  char piece[64];
  boost::system::error_code error;
  for (size_t at = 0; at < bytes.size() && !error && !parser.done();) {
    const size_t n = std::min(step, bytes.size() - at);
    input.append(bytes.substr(at, n));
    at += n;
    if (!parser.head_done()) {
      const size_t used = parser.PutHead(input, &error);
      seen.used += used;
      input.erase(0, used);
    }
    while (!error && parser.head_done() && !parser.done() && !input.empty()) {
      size_t made = 0;
      const size_t used =
          parser.PutBody(input, piece, sizeof piece, &made, &error);
      seen.body.append(piece, made);
      seen.used += used;
      input.erase(0, used);
      if (used == 0 && made == 0) break;
    }
  }
  seen.failed = static_cast<bool>(error);
  seen.done = parser.done();
  return seen;
}

}  // namespace

// The first byte is the size of pieces, the rest a request: head and body, with
// chunks taken off. How it is cut must not matter.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t step = data[0] + size_t{1};
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1),
                               size - 1);
  RequestParser whole(64 * 1024);
  const Seen once = Read(bytes, size, whole);
  RequestParser cut(64 * 1024);
  const Seen pieces = Read(bytes, step, cut);
  if (once.done != pieces.done) abort();
  if (once.done && (once.body != pieces.body || once.used != pieces.used)) {
    abort();
  }
  if (!whole.head_done() || once.failed) return 0;
  const brume::front::HttpPeer peer;
  const auto routed = brume::front::RouteRequest(whole.request(), peer, true);
  if (const auto* head = std::get_if<brume::api::RequestHead>(&routed)) {
    if (head->target.empty()) abort();
    brume::front::ExpectsContinue(head->headers);
  }
  if (const auto* foreign =
          std::get_if<brume::front::ForeignRequest>(&routed)) {
    if (foreign->host.empty() || foreign->port == 0) abort();
  }
  return 0;
}
