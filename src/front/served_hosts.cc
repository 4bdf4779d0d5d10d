#include "front/served_hosts.h"

#include "base/str_cat.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <cctype>

namespace brume::front {

const std::vector<std::string>& PermittedSuffixes() {
  static const auto* const kSuffixes =
      new std::vector<std::string>{"googleapis.com",
                                   "google.com",
                                   "pkg.dev",
                                   "gcr.io",
                                   "vertexai.goog",
                                   "googleusercontent.com",
                                   "githubusercontent.com",
                                   "localhost"};
  return *kSuffixes;
}

bool IsMetadataHost(std::string_view host) {
  return host == "metadata.google.internal" || host == "metadata" ||
         host == "169.254.169.254";
}

bool IsServedHost(std::string_view host) {
  return absl::EndsWith(base::ToAbsl(host), ".googleapis.com") ||
         absl::EndsWith(base::ToAbsl(host), ".pkg.dev") || host == "gcr.io" ||
         absl::EndsWith(base::ToAbsl(host), ".gcr.io") ||
         host == "accounts.google.com" || IsMetadataHost(host);
}

bool IsLoopbackHost(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  if (!absl::StartsWith(base::ToAbsl(host), "127.")) return false;
  return std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isdigit(c) != 0 || c == '.';
  });
}

bool IsHostText(std::string_view host) {
  return !host.empty() && host.size() <= 255 &&
         std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' ||
                  c == ':';
         });
}

std::string CanonicalHost(std::string_view authority) {
  std::string host = absl::AsciiStrToLower(base::ToAbsl(authority));
  if (absl::StartsWith(host, "[")) {
    const size_t end = host.find(']');
    if (end != std::string::npos) return host.substr(1, end - 1);
  }
  const size_t colon = host.rfind(':');
  // Several colons without brackets: a bare IPv6 address, no port.
  if (colon != std::string::npos && host.find(':') == colon) {
    host.resize(colon);
  }
  if (absl::EndsWith(base::ToAbsl(host), ".")) host.pop_back();
  return host;
}

}  // namespace brume::front
