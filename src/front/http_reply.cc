#include "front/http_reply.h"

#include "base/log.h"
#include "runtime/pool_call.h"

#include <absl/status/statusor.h>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using boost::system::system_error;

constexpr uint64_t kSmallFile = 64 * 1024;
// What is read ahead of a TLS stream, and sent by one sendfile.
constexpr uint64_t kTlsPiece = 256 * 1024;
constexpr uint64_t kSendfilePiece = 1024 * 1024;

// All of [offset, offset + size); shorter when the file is.
std::string ReadRange(int fd, uint64_t offset, uint64_t size) {
  std::string out(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(fd, out.data() + have, size - have,
                              static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<size_t>(n);
  }
  out.resize(have);
  return out;
}

[[noreturn]] void BreakOff(std::string_view cause) {
  base::Log(base::LogLevel::kWarn, "front", "reply body broke off",
            {{"cause", cause}});
  throw system_error(asio::error::connection_aborted);
}

asio::awaitable<void> SendFilePlain(Stream& stream, api::FileSlice& slice) {
  Connection& connection = stream.connection();
  auto offset = static_cast<off_t>(slice.offset);
  while (slice.length > 0) {
    const size_t want = std::min(slice.length, kSendfilePiece);
    const ssize_t sent = ::sendfile(connection.socket().native_handle(),
                                    slice.fd.get(), &offset, want);
    if (sent > 0) {
      slice.length -= static_cast<uint64_t>(sent);
      // Others on this thread have their turn.
      if (slice.length > 0) co_await connection.Yield();
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent == 0) BreakOff("the file is shorter than it was");
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      throw system_error(errno, boost::system::system_category());
    }
    co_await connection.WaitWritable();
  }
}

runtime::PoolCall<std::string> StartRead(Stream& stream,
                                         runtime::WorkerPool& pool,
                                         api::FileSlice& slice) {
  const uint64_t size = std::min(slice.length, kTlsPiece);
  const uint64_t offset = slice.offset;
  slice.offset += size;
  slice.length -= size;
  return runtime::PoolCall<std::string>(
      pool, stream.connection().lane(), [fd = slice.fd.get(), offset, size] {
        std::string bytes = ReadRange(fd, offset, size);
        if (bytes.size() < size) bytes.clear();
        return bytes;
      });
}

// The next piece is read while one is being encrypted and sent.
asio::awaitable<void> SendFileTls(Stream& stream, runtime::WorkerPool& pool,
                                  api::FileSlice& slice) {
  runtime::PoolCall<std::string> reading;
  if (slice.length > 0) reading = StartRead(stream, pool, slice);
  while (reading.pending()) {
    const std::string bytes = co_await reading.Result();
    if (bytes.empty()) BreakOff("the file is shorter than it was");
    if (slice.length > 0) reading = StartRead(stream, pool, slice);
    std::exception_ptr gone;
    try {
      co_await stream.Write(bytes);
    } catch (const system_error&) {
      gone = std::current_exception();
    }
    if (gone) {
      if (reading.pending()) co_await reading.Result();
      std::rethrow_exception(gone);
    }
  }
}

asio::awaitable<void> SendSource(Stream& stream, runtime::WorkerPool& pool,
                                 api::BodySource* source, bool chunked) {
  for (;;) {
    runtime::PoolCall<absl::StatusOr<std::string>> call(
        pool, stream.connection().lane(), [source] { return source->Read(); });
    const absl::StatusOr<std::string> piece = co_await call.Result();
    if (!piece.ok()) BreakOff(piece.status().ToString());
    if (chunked) {
      const std::string framed = FormatChunk(*piece);
      co_await stream.Write(framed);
    } else {
      co_await stream.Write(*piece);
    }
    if (piece->empty()) co_return;
  }
}

}  // namespace

void LoadSmallFile(api::Response* response) {
  auto* slice = std::get_if<api::FileSlice>(&response->body);
  if (slice == nullptr || slice->length > kSmallFile) return;
  std::string bytes = ReadRange(slice->fd.get(), slice->offset, slice->length);
  // Left to the sender otherwise, which breaks off.
  if (bytes.size() == slice->length) response->body = std::move(bytes);
}

asio::awaitable<void> SendReply(Stream* stream, runtime::WorkerPool* pool,
                                api::Response* response, HeadFormat format) {
  std::string head = FormatHead(*response, format);
  const bool has_body = MayHaveBody(response->status) && !format.is_head;
  if (const auto* text = std::get_if<std::string>(&response->body)) {
    if (has_body) head += *text;
    co_await stream->Write(head);
    co_return;
  }
  co_await stream->Write(head);
  if (!has_body) co_return;
  if (auto* slice = std::get_if<api::FileSlice>(&response->body)) {
    if (stream->plain()) {
      co_await SendFilePlain(*stream, *slice);
    } else {
      co_await SendFileTls(*stream, *pool, *slice);
    }
    co_return;
  }
  const auto& source =
      std::get<std::unique_ptr<api::BodySource>>(response->body);
  co_await SendSource(*stream, *pool, source.get(), !format.http10);
}

}  // namespace brume::front
