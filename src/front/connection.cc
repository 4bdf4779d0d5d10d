#include "front/connection.h"

#include "base/str_cat.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace brume::front {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;

void LaneConnections::Finish(uint64_t listener) {
  // A copy: those that end leave the list, though not before this returns.
  const std::vector<Connection*> now(all.begin(), all.end());
  for (Connection* connection : now) {
    if (listener == 0 || connection->listener_ == listener) {
      connection->Finish();
    }
  }
}

void LaneConnections::Abort() {
  const std::vector<Connection*> now(all.begin(), all.end());
  for (Connection* connection : now) connection->Abort();
}

void LaneConnections::EvictIdle() {
  const auto idle =
      std::find_if(all.begin(), all.end(), [](const Connection* connection) {
        return connection->idle_ && !connection->aborted_;
      });
  if (idle != all.end()) (*idle)->Abort();
}

Connection::Connection(LaneConnections& lane, uint64_t listener,
                       base::UniqueFd socket, absl::Duration idle_limit)
    : lane_(lane),
      listener_(listener),
      socket_(*lane.lane->io),
      entry_(*lane.lane->deadlines,
             [this] {
               timed_out_ = true;
               boost::system::error_code ignored;
               socket_.cancel(ignored);
             }),
      idle_limit_(absl::ToChronoMilliseconds(idle_limit)),
      deadline_(steady_clock::time_point::max()) {
  self_ = lane_.all.insert(lane_.all.end(), this);
  boost::system::error_code error;
  socket_.assign(tcp::v4(), socket.get(), error);
  if (error) return;
  socket.Release();
  const tcp::endpoint remote = socket_.remote_endpoint(error);
  if (error) return;
  peer_ = base::StrCat(remote.address().to_string(), ":", remote.port());
  socket_.set_option(tcp::no_delay(true), error);
  socket_.non_blocking(true, error);
}

Connection::~Connection() { lane_.all.erase(self_); }

void Connection::Arm() {
  entry_.Set(std::min(steady_clock::now() + idle_limit_, deadline_));
}

void Connection::Check(boost::system::error_code error) {
  entry_.Clear();
  if (aborted_) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (std::exchange(timed_out_, false)) {
    throw boost::system::system_error(asio::error::timed_out);
  }
  if (error) throw boost::system::system_error(error);
}

asio::awaitable<size_t> Connection::Read(char* data, size_t size) {
  Arm();
  boost::system::error_code error;
  const size_t n = co_await socket_.async_read_some(
      asio::buffer(data, size),
      asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::eof) error = {};
  Check(error);
  co_return n;
}

asio::awaitable<void> Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    Arm();
    boost::system::error_code error;
    const size_t n = co_await socket_.async_write_some(
        asio::buffer(bytes.data(), bytes.size()),
        asio::redirect_error(asio::use_awaitable, error));
    Check(error);
    bytes.remove_prefix(n);
  }
}

asio::awaitable<void> Connection::WaitWritable() {
  Arm();
  boost::system::error_code error;
  co_await socket_.async_wait(tcp::socket::wait_write,
                              asio::redirect_error(asio::use_awaitable, error));
  Check(error);
}

asio::awaitable<void> Connection::Yield() {
  co_await asio::post(*lane().io, asio::use_awaitable);
  Check({});
}

void Connection::SetDeadline(absl::Duration from_now) {
  deadline_ = steady_clock::now() + absl::ToChronoMilliseconds(from_now);
}

void Connection::ClearDeadline() {
  deadline_ = steady_clock::time_point::max();
}

void Connection::SetIdle(bool idle) {
  idle_ = idle;
  if (idle) lane_.all.splice(lane_.all.end(), lane_.all, self_);
}

bool Connection::PeerHasClosed() {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info,
                 &size) != 0) {
    return true;
  }
  return info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_CLOSE;
}

void Connection::Finish() {
  finishing_ = true;
  if (idle_) {
    Abort();
  } else if (stop_) {
    stop_();
  }
}

void Connection::Abort() {
  if (std::exchange(aborted_, true)) return;
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.cancel(ignored);
  if (stop_) stop_();
}

base::UniqueFd Connection::Release() {
  boost::system::error_code error;
  const int fd = socket_.release(error);
  return base::UniqueFd(error ? -1 : fd);
}

Connection::StopHook::StopHook(Connection& connection,
                               std::function<void()> stop)
    : connection_(connection) {
  connection_.stop_ = std::move(stop);
  if (connection_.aborted_) connection_.stop_();
}

Connection::StopHook::~StopHook() { connection_.stop_ = nullptr; }

}  // namespace brume::front
