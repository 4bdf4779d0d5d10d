#pragma once

#include "cli/client_files.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace brume::cli {

// What `brume run` and `brume env` change of an environment: nothing but
// variables, and not HOME.
struct EnvironmentChange {
  std::map<std::string, std::string> set;
  std::vector<std::string> unset;
};

struct Reach {
  std::string run;    // its name and
  std::string token;  // what proves it; they are the proxy address's user
  uint16_t port = 0;
  std::string data;
  // "127.0.0.1:N" of the metadata server that speaks for the run, or of our own
  // port, where there is none. Empty: the real address, for who is sealed off.
  std::string metadata;
  std::string project;  // empty: left as it is
  // What was the proxy before, for a server that this environment starts.
  std::string upstream_proxy;
};

// `names` are the variables there are now.
EnvironmentChange ChangeFor(const Reach& reach, const ClientFiles& files,
                            const std::vector<std::string>& names);

// The names in ChangeFor(...).set, whatever the run: for --unset.
std::vector<std::string> ChangedNames();

// Names of this process's variables.
std::vector<std::string> OwnVariableNames();

}  // namespace brume::cli
