#include "cli/ca_bundle.h"

#include "base/str_cat.h"
#include "cli/files.h"

#include <optional>
#include <set>

namespace brume::cli {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

// Adds the certificates of `pem` that are not there yet; comments are dropped.
void AddCertificates(std::string_view pem, std::set<std::string>& known,
                     std::string& out) {
  while (true) {
    const size_t begin = pem.find(kBegin);
    if (begin == pem.npos) return;
    const size_t end = pem.find(kEnd, begin);
    if (end == pem.npos) return;
    const std::string_view block = pem.substr(begin, end + kEnd.size() - begin);
    pem.remove_prefix(end + kEnd.size());
    std::string body;
    for (const char c : block) {
      if (c != '\r' && c != '\n' && c != ' ') body += c;
    }
    if (known.insert(std::move(body)).second) {
      base::StrAppend(&out, block, "\n");
    }
  }
}

}  // namespace

const std::vector<std::string_view>& CaVariables() {
  static const auto* const names =
      new std::vector<std::string_view>{"AWS_CA_BUNDLE",
                                        "CARGO_HTTP_CAINFO",
                                        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
                                        "CURL_CA_BUNDLE",
                                        "GIT_SSL_CAINFO",
                                        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
                                        "HTTPLIB2_CA_CERTS",
                                        "NODE_EXTRA_CA_CERTS",
                                        "PIP_CERT",
                                        "REQUESTS_CA_BUNDLE",
                                        "SSL_CERT_FILE"};
  return *names;
}

const std::vector<std::string_view>& SystemBundles() {
  static const auto* const paths = new std::vector<std::string_view>{
      "/etc/ssl/certs/ca-certificates.crt",  // Debian
      "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora
      "/etc/ssl/ca-bundle.pem",              // openSUSE
      "/etc/ssl/cert.pem"};                  // Alpine
  return *paths;
}

std::string MakeCaBundle(const config::Environment& environment,
                         const std::string& own_path, std::string_view ca_pem) {
  std::set<std::string> known;
  std::string out;
  for (const std::string_view path : SystemBundles()) {
    const std::string pem = ReadWholeFile(std::string(path));
    if (pem.empty()) continue;
    AddCertificates(pem, known, out);
    break;
  }
  for (const std::string_view name : CaVariables()) {
    const std::optional<std::string> path = environment(name);
    if (!path.has_value() || path->empty() || *path == own_path) continue;
    AddCertificates(ReadWholeFile(*path), known, out);
  }
  AddCertificates(ca_pem, known, out);
  return out;
}

}  // namespace brume::cli
