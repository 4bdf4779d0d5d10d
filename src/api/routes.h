#pragma once

#include "api/path_template.h"
#include "api/route_rows.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::api {

// Finds the method a REST request means, by host, verb and path: the generated
// rows, and the side table (mixins.h) of what Google serves beside them. The
// templates of a host are parsed when it is first asked for. Thread-safe.
class Routes {
 public:
  struct Match {
    std::string_view method;  // full name
    std::string_view service_host;
    PathTemplate::Bindings bindings;
    std::string_view body;
    std::string_view response_body;
  };

  Routes();
  ~Routes();

  // `host` is the served name that was asked (regional ones included), `path`
  // the request's path, still percent-encoded.
  std::optional<Match> Find(std::string_view host, std::string_view verb,
                            std::string_view path);
  // Whether any known service lives at `host`.
  static bool KnowsHost(std::string_view host);

 private:
  struct Route {
    const RouteRow* row;
    PathTemplate path;
  };
  using Table = std::vector<Route>;
  const Table& TableOf(std::string_view service_host);
  static std::optional<Match> FindIn(const Table& table, std::string_view verb,
                                     std::string_view path);

  absl::Mutex mutex_;
  std::map<std::string, std::unique_ptr<Table>, std::less<>> tables_
      ABSL_GUARDED_BY(mutex_);
};

// The service that answers at a served name:
// "us-central1-aiplatform.googleapis.com" and "aiplatform.us.rep.googleapis
// .com" are "aiplatform.googleapis.com", ".mtls." names are the plain ones.
std::string ServiceHost(std::string_view host);

}  // namespace brume::api
