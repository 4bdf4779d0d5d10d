// A closed-loop HTTP/1.1 load generator, the same for every server that is
// measured: N connections, each a thread that sends a request, reads the reply
// and sends the next. Prints one JSON object.
//
//   load --port P [--tls NAME] [--connections N] [--seconds S | --requests R]
//        [--method M] [--body BYTES] [--header "K: V"].. TARGET
//
// "{n}" in TARGET becomes a running number, modulo --modulo if given. With
// --slow, bodies go at one byte per second until the time is over.

#include "base/unique_fd.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int port = 0;
  std::string tls;
  int connections = 1;
  double seconds = 0;
  uint64_t requests = 0;
  std::string method = "GET";
  uint64_t body = 0;
  std::string headers;
  uint64_t modulo = 0;
  bool slow = false;
  std::string target;
};

struct Shared {
  Options options;
  Clock::time_point end;
  std::atomic<uint64_t> next = 0;
  std::atomic<uint64_t> errors = 0;
  std::atomic<uint64_t> bytes = 0;
  SSL_CTX* context = nullptr;
};

// One connection; reconnects after an error.
class Connection {
 public:
  explicit Connection(Shared& shared) : shared_(shared) {}
  ~Connection() { Close(); }

  // Milliseconds of one exchange; negative on failure.
  double Exchange(uint64_t number) {
    const auto begin = Clock::now();
    if (!fd_.valid() && !Open()) return -1;
    if (!SendRequest(number) || !ReadReply()) {
      Close();
      return -1;
    }
    return std::chrono::duration<double, std::milli>(Clock::now() - begin)
        .count();
  }

 private:
  bool Open() {
    fd_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(shared_.options.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address),
                  sizeof address) != 0) {
      Close();
      return false;
    }
    if (shared_.context == nullptr) return true;
    ssl_ = SSL_new(shared_.context);
    SSL_set_fd(ssl_, fd_.get());
    SSL_set_tlsext_host_name(ssl_, shared_.options.tls.c_str());
    if (SSL_connect(ssl_) == 1) return true;
    Close();
    return false;
  }

  void Close() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    ssl_ = nullptr;
    fd_.Reset();
    have_.clear();
  }

  bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put =
          ssl_ != nullptr
              ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
              : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return true;
  }

  ssize_t Read() {
    static thread_local std::vector<char> buffer(1 << 20);
    const ssize_t got =
        ssl_ != nullptr
            ? SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()))
            : ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0)
      read_ = std::string_view(buffer.data(), static_cast<size_t>(got));
    return got;
  }

  bool SendRequest(uint64_t number) {
    const Options& options = shared_.options;
    if (options.modulo > 0) number %= options.modulo;
    std::string target = options.target;
    if (const size_t at = target.find("{n}"); at != std::string::npos) {
      target.replace(at, 3, std::to_string(number));
    }
    std::string head =
        options.method + " " + target + " HTTP/1.1\r\nHost: " +
        (options.tls.empty() ? "127.0.0.1:" + std::to_string(options.port)
                             : options.tls) +
        "\r\n" + options.headers;
    if (options.method != "GET") {
      head += "Content-Length: " + std::to_string(options.body) + "\r\n";
    }
    head += "\r\n";
    if (!Write(head)) return false;
    if (options.slow) {
      for (uint64_t i = 0; i < options.body && Clock::now() < shared_.end;
           ++i) {
        if (!Write("x")) return false;
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
      return Clock::now() < shared_.end;
    }
    static const std::string piece(1 << 20, 'x');
    for (uint64_t left = options.body; left > 0;) {
      const uint64_t size = std::min<uint64_t>(left, piece.size());
      if (!Write(std::string_view(piece).substr(0, size))) return false;
      left -= size;
    }
    return true;
  }

  // Makes sure that `have_` holds a whole line; "" when the peer is gone.
  bool Line(std::string& line) {
    size_t end;
    while ((end = have_.find("\r\n")) == std::string::npos) {
      if (Read() <= 0) return false;
      have_ += read_;
    }
    line = have_.substr(0, end);
    have_.erase(0, end + 2);
    return true;
  }

  bool Skip(uint64_t size) {
    shared_.bytes += size;
    const uint64_t here = std::min<uint64_t>(size, have_.size());
    have_.erase(0, here);
    for (size -= here; size > 0;) {
      if (Read() <= 0) return false;
      const uint64_t used = std::min<uint64_t>(size, read_.size());
      have_.assign(read_.substr(used));
      size -= used;
    }
    return true;
  }

  bool ReadReply() {
    std::string line;
    if (!Line(line)) return false;
    const int status = line.size() > 12 ? std::atoi(line.c_str() + 9) : 0;
    uint64_t length = 0;
    bool chunked = false;
    while (true) {
      if (!Line(line)) return false;
      if (line.empty()) break;
      std::transform(line.begin(), line.end(), line.begin(), ::tolower);
      if (line.rfind("content-length:", 0) == 0) {
        length = std::strtoull(line.c_str() + 15, nullptr, 10);
      } else if (line.rfind("transfer-encoding:", 0) == 0) {
        chunked = true;
      }
    }
    while (chunked) {
      if (!Line(line)) return false;
      const uint64_t size = std::strtoull(line.c_str(), nullptr, 16);
      if (!Skip(size) || !Line(line)) return false;
      if (size == 0) break;
    }
    if (!Skip(length)) return false;
    if (status < 200 || status > 299) ++shared_.errors;
    return true;
  }

  Shared& shared_;
  brume::base::UniqueFd fd_;
  SSL* ssl_ = nullptr;
  std::string have_;
  std::string_view read_;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&] {
      return std::string(i + 1 < argc ? argv[++i] : "");
    };
    if (name == "--port") {
      options.port = std::atoi(value().c_str());
    } else if (name == "--tls") {
      options.tls = value();
    } else if (name == "--connections") {
      options.connections = std::atoi(value().c_str());
    } else if (name == "--seconds") {
      options.seconds = std::atof(value().c_str());
    } else if (name == "--requests") {
      options.requests = std::strtoull(value().c_str(), nullptr, 10);
    } else if (name == "--method") {
      options.method = value();
    } else if (name == "--body") {
      options.body = std::strtoull(value().c_str(), nullptr, 10);
    } else if (name == "--header") {
      options.headers += value() + "\r\n";
    } else if (name == "--modulo") {
      options.modulo = std::strtoull(value().c_str(), nullptr, 10);
    } else if (name == "--slow") {
      options.slow = true;
    } else {
      options.target = name;
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Shared shared;
  shared.options = Parse(argc, argv);
  const Options& options = shared.options;
  if (!options.tls.empty()) {
    shared.context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(shared.context, SSL_VERIFY_NONE, nullptr);
  }
  const auto begin = Clock::now();
  shared.end = options.seconds > 0
                   ? begin + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(options.seconds))
                   : Clock::time_point::max();
  std::vector<std::vector<double>> times(
      static_cast<size_t>(options.connections));
  std::vector<std::thread> threads;
  for (auto& mine : times) {
    threads.emplace_back([&shared, &mine] {
      Connection connection(shared);
      while (Clock::now() < shared.end) {
        const uint64_t number = shared.next++;
        if (shared.options.requests > 0 && number >= shared.options.requests) {
          break;
        }
        const double milliseconds = connection.Exchange(number);
        if (milliseconds < 0) {
          if (!shared.options.slow) ++shared.errors;
          if (shared.errors > 1000) break;
        } else {
          mine.push_back(milliseconds);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds =
      std::chrono::duration<double>(Clock::now() - begin).count();
  std::vector<double> all;
  for (const auto& mine : times)
    all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  const auto at = [&all](double part) {
    return all.empty()
               ? 0
               : all[std::min(all.size() - 1,
                              static_cast<size_t>(
                                  part * static_cast<double>(all.size())))];
  };
  std::printf(
      "{\"requests\": %zu, \"errors\": %llu, \"seconds\": %.4f, \"rate\": "
      "%.1f, "
      "\"bytes\": %llu, \"p50\": %.4f, \"p99\": %.4f}\n",
      all.size(), static_cast<unsigned long long>(shared.errors), seconds,
      static_cast<double>(all.size()) / seconds,
      static_cast<unsigned long long>(shared.bytes), at(0.5), at(0.99));
  return 0;
}
