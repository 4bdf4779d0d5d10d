// The network edge over fake services, for the soak and for trying clients by
// hand:  brume_soak_server FOLDER
// Keeps its authority in FOLDER, prints "port N", and ends after a drain when
// its input is closed. "stats" on its input prints open connections and waits.
#include "base/clock.h"
#include "front/certificates.h"
#include "front/server.h"
#include "runtime/worker_pool.h"
#include "testing/fake_services.h"

#include <absl/time/clock.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

namespace brume::testing {
namespace {

int Fail(const absl::Status& status) {
  std::cerr << status << "\n";
  return 1;
}

int Main(const std::string& folder) {
  const base::SystemClock clock;
  auto authority = front::CertificateAuthority::Create(folder, &clock);
  if (!authority.ok()) return Fail(authority.status());
  FakeHttp http;
  FakeRpc rpc;
  FakeRuns runs;
  std::ofstream(folder + "/file") << std::string(1024 * 1024, 'f');
  http.SetFile(folder + "/file");
  runtime::WorkerPool pool(8);
  front::Server::Options options;
  options.http = &http;
  options.rpc = &rpc;
  options.runs = &runs;
  options.authority = authority->get();
  options.pool = &pool;
  // Patient: on a busy machine the well-behaved are slow too.
  options.limits.header_time = absl::Seconds(30);
  options.limits.idle_time = absl::Seconds(60);
  auto server = front::Server::Create(options);
  if (!server.ok()) return Fail(server.status());
  auto socket = front::ListenLoopback(0);
  if (!socket.ok()) return Fail(socket.status());
  const auto port = front::PortOf(*socket);
  if (!port.ok()) return Fail(port.status());
  const auto listener = (*server)->Listen(*std::move(socket), {});
  if (!listener.ok()) return Fail(listener.status());
  std::cout << "port " << *port << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    // Whoever waits has his answer at the next question.
    http.events().Fire();
    rpc.events().Fire();
    std::cout << "connections " << (*server)->connections() << " begun "
              << http.begun() << " abandoned " << http.abandoned() << std::endl;
  }
  (*server)->Drain(absl::Now() + absl::Seconds(5));
  std::cout << "connections " << (*server)->connections() << std::endl;
  return 0;
}

}  // namespace
}  // namespace brume::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  return brume::testing::Main(argv[1]);
}
