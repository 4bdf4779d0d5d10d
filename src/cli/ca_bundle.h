#pragma once

#include "config/values.h"

#include <string>
#include <string_view>
#include <vector>

namespace brume::cli {

// The variables by which clients find their roots. Each replaces the client's
// own roots, so all of them are set to one bundle.
const std::vector<std::string_view>& CaVariables();

// Files in which systems keep their roots; the first that is there counts.
const std::vector<std::string_view>& SystemBundles();

// The system's roots, what the user's own CA variables add (a company's proxy,
// say), and `ca_pem`; each certificate once. `own_path` is where the bundle
// will be: a variable that names it adds nothing.
std::string MakeCaBundle(const config::Environment& environment,
                         const std::string& own_path, std::string_view ca_pem);

}  // namespace brume::cli
