#pragma once

#include "base/unique_fd.h"
#include "runtime/deadlines.h"
#include "runtime/io_threads.h"

#include <absl/time/time.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>

namespace brume::front {

class Connection;

// The connections that live on one lane; used on its thread only.
struct LaneConnections {
  runtime::Lane* lane = nullptr;
  std::list<Connection*> all;

  // Asks those of a listener (0: every one) to end after their present reply.
  void Finish(uint64_t listener);
  // Ends every one at once.
  void Abort();
  // Ends the one that has been idle longest, so that its place can be used.
  void EvictIdle();
};

// One accepted TCP connection: its socket, its time limits, and the way to end
// it from outside. Owned by the coroutine that serves it; lives on one lane.
//
// Each read and write must make progress within the idle limit; a deadline, if
// set, bounds them all together. A limit that is passed fails the operation
// with asio::error::timed_out. Operations throw boost::system::system_error; at
// most one read and one write at a time.
class Connection {
 public:
  Connection(LaneConnections& lane, uint64_t listener, base::UniqueFd socket,
             absl::Duration idle_limit);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  runtime::Lane& lane() { return *lane_.lane; }
  boost::asio::ip::tcp::socket& socket() { return socket_; }
  // "ip:port" of the client; empty when it has gone already.
  const std::string& peer() const { return peer_; }

  // Some bytes into [data, data + size); 0 at the end of the stream.
  boost::asio::awaitable<size_t> Read(char* data, size_t size);
  // All of the bytes, which must stay alive until it returns.
  boost::asio::awaitable<void> Write(std::string_view bytes);
  // Until the socket takes more bytes.
  boost::asio::awaitable<void> WaitWritable();
  // Lets others on the lane run.
  boost::asio::awaitable<void> Yield();

  void SetDeadline(absl::Duration from_now);
  void ClearDeadline();
  // Between requests: may be ended without anyone losing anything. Moves the
  // connection behind the others in the order of eviction.
  void SetIdle(bool idle);
  // Asked to end after the present reply.
  bool finishing() const { return finishing_; }
  bool aborted() const { return aborted_; }
  // Whether the client has closed its side, as far as the kernel knows.
  bool PeerHasClosed();

  void Finish();
  void Abort();

  // While it lives, `stop` is called (on the lane) when the connection is
  // asked to end: for those who wait for something else than its socket.
  class StopHook {
   public:
    StopHook(Connection& connection, std::function<void()> stop);
    ~StopHook();
    StopHook(const StopHook&) = delete;
    StopHook& operator=(const StopHook&) = delete;

   private:
    Connection& connection_;
  };

  // Gives up the socket; the connection can then only be destroyed.
  base::UniqueFd Release();

 private:
  friend struct LaneConnections;
  void Arm();
  // Throws when the operation was ended by us or failed.
  void Check(boost::system::error_code error);

  LaneConnections& lane_;
  const uint64_t listener_;
  boost::asio::ip::tcp::socket socket_;
  std::string peer_;
  runtime::Deadlines::Entry entry_;
  const std::chrono::steady_clock::duration idle_limit_;
  std::chrono::steady_clock::time_point deadline_;
  bool timed_out_ = false;
  bool idle_ = false;
  bool finishing_ = false;
  bool aborted_ = false;
  std::function<void()> stop_;
  std::list<Connection*>::iterator self_;
};

}  // namespace brume::front
