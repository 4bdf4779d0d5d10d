#pragma once

#include "base/unique_fd.h"

#include <absl/base/thread_annotations.h>
#include <absl/strings/match.h>
#include <absl/synchronization/mutex.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace brume::client {

// For tests: an HTTP server on loopback that gives one prepared reply after
// another, whatever is asked, and keeps what it was asked. A reply of "" closes
// the connection.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> replies)
      : replies_(std::move(replies)) {
    listener_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* where = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), where, size) != 0 ||
        ::listen(listener_.get(), 8) != 0 ||
        ::getsockname(listener_.get(), where, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
  }
  std::vector<std::string> requests() {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

 private:
  void Serve() {
    size_t next = 0;
    while (next < replies_.size()) {
      const base::UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
      if (!client.valid()) return;
      while (next < replies_.size()) {
        std::string request = Receive(client.get());
        if (request.empty()) break;
        {
          absl::MutexLock lock(&mutex_);
          requests_.push_back(std::move(request));
        }
        const std::string& reply = replies_[next++];
        if (reply.empty()) break;
        (void)!::send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
        if (absl::StrContains(reply, "Connection: close")) break;
      }
    }
  }

  static std::string Receive(int socket) {
    std::string out;
    char buffer[4096];
    while (true) {
      const size_t head = out.find("\r\n\r\n");
      if (head != out.npos) {
        const size_t field = out.find("\r\nContent-Length: ");
        const size_t length =
            field < head ? std::strtoul(out.c_str() + field + 18, nullptr, 10)
                         : 0;
        if (out.size() >= head + 4 + length) return out;
      }
      const ssize_t got = ::recv(socket, buffer, sizeof(buffer), 0);
      if (got <= 0) return "";
      out.append(buffer, static_cast<size_t>(got));
    }
  }

  const std::vector<std::string> replies_;
  base::UniqueFd listener_;
  uint16_t port_ = 0;
  absl::Mutex mutex_;
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

inline std::string JsonReply(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace brume::client
