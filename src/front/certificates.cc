#include "front/certificates.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "base/unique_fd.h"
#include "front/served_hosts.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_join.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <vector>

namespace brume::front {
namespace {

struct Deleter {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

// The CA lives ten years; clients accept leaves of at most 825 days.
constexpr long kCaDays = 3650;
constexpr long kLeafDays = 800;
constexpr size_t kMaxContexts = 1000;

absl::Status SslError(std::string_view what) {
  return absl::InternalError(base::StrCat(what, ": OpenSSL failed"));
}

// P-256: made and used in a fraction of an RSA key's time, and every client
// knows it.
Owned<EVP_PKEY> MakeKey() { return Owned<EVP_PKEY>(EVP_EC_gen("P-256")); }

std::string ToPem(X509* certificate) {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string ToPem(EVP_PKEY* key) {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr,
                                nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

bool AddExtension(X509* certificate, X509* issuer, int nid,
                  const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  Owned<X509_EXTENSION> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr &&
         X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Serial, validity, subject and key; the rest is the caller's.
Owned<X509> NewCertificate(EVP_PKEY* key, const std::string& common_name,
                           absl::Time now, long days) {
  Owned<X509> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  unsigned char serial[16];
  RAND_bytes(serial, sizeof serial);
  serial[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  // An hour back: clients whose clock is a little behind.
  const time_t begin = absl::ToTimeT(now - absl::Hours(1));
  X509_time_adj_ex(X509_getm_notBefore(certificate.get()), 0, 0,
                   const_cast<time_t*>(&begin));
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()),
                   static_cast<int>(days), 0, const_cast<time_t*>(&begin));
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto add = [&](const char* field, const std::string& text) {
    X509_NAME_add_entry_by_txt(
        subject, field, MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  };
  add("O", "Brume");
  add("CN", common_name);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

absl::Status WriteFile(const std::string& path, std::string_view text,
                       mode_t mode) {
  const std::string temporary = base::StrCat(path, ".new");
  ::unlink(temporary.c_str());
  base::UniqueFd fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("create '", path, "'"));
  }
  while (!text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return base::ErrnoToStatus(errno, base::StrCat("write '", path, "'"));
    }
    text.remove_prefix(static_cast<size_t>(n));
  }
  if (::fsync(fd.get()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("write '", path, "'"));
  }
  return absl::OkStatus();
}

bool Vouches(std::string_view host) {
  const auto& suffixes = PermittedSuffixes();
  return std::any_of(
      suffixes.begin(), suffixes.end(), [host](const std::string& suffix) {
        return host == suffix ||
               absl::EndsWith(base::ToAbsl(host), base::StrCat(".", suffix));
      });
}

int ChooseHttp11(SSL*, const unsigned char** out, unsigned char* out_size,
                 const unsigned char* in, unsigned int in_size, void*) {
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  const int chosen =
      SSL_select_next_proto(const_cast<unsigned char**>(out), out_size,
                            kProtocols, sizeof kProtocols - 1, in, in_size);
  return chosen == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK
                                          : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

struct CertificateAuthority::Impl {
  const base::Clock* clock = nullptr;
  Owned<EVP_PKEY> ca_key;
  Owned<X509> ca;
  // One key for all leaves: they live in this process only.
  Owned<EVP_PKEY> leaf_key;
  absl::Mutex mutex;
  struct Entry {
    std::shared_ptr<SSL_CTX> context;
    absl::Time made;
    uint64_t used = 0;  // the last `uses` at which it was asked for
  };
  uint64_t uses ABSL_GUARDED_BY(mutex) = 0;
  std::map<std::string, Entry> contexts ABSL_GUARDED_BY(mutex);

  absl::StatusOr<Leaf> Mint(const std::string& common_name,
                            const std::string& names) const {
    Owned<X509> leaf =
        NewCertificate(leaf_key.get(), common_name, clock->Now(), kLeafDays);
    X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca.get()));
    if (!AddExtension(leaf.get(), ca.get(), NID_basic_constraints,
                      "critical,CA:FALSE") ||
        !AddExtension(leaf.get(), ca.get(), NID_key_usage,
                      "critical,digitalSignature") ||
        !AddExtension(leaf.get(), ca.get(), NID_ext_key_usage, "serverAuth") ||
        !AddExtension(leaf.get(), ca.get(), NID_subject_alt_name, names) ||
        !AddExtension(leaf.get(), ca.get(), NID_subject_key_identifier,
                      "hash") ||
        !AddExtension(leaf.get(), ca.get(), NID_authority_key_identifier,
                      "keyid:always") ||
        X509_sign(leaf.get(), ca_key.get(), EVP_sha256()) == 0) {
      return SslError(base::StrCat("mint certificate for '", common_name, "'"));
    }
    return Leaf{base::StrCat(ToPem(leaf.get()), ToPem(ca.get())),
                ToPem(leaf_key.get())};
  }
};

CertificateAuthority::CertificateAuthority(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)), pem_(ToPem(impl_->ca.get())) {}

CertificateAuthority::~CertificateAuthority() = default;

absl::StatusOr<std::unique_ptr<CertificateAuthority>>
CertificateAuthority::Create(const std::string& folder,
                             const base::Clock* clock) {
  const std::string key_path = folder + "/ca.key";
  const std::string pem_path = folder + "/ca.pem";
  auto impl = std::make_unique<Impl>();
  impl->clock = clock;
  const std::string key_text = ReadFile(key_path);
  const std::string pem_text = ReadFile(pem_path);
  if (!key_text.empty() || !pem_text.empty()) {
    Owned<BIO> key_bio(
        BIO_new_mem_buf(key_text.data(), static_cast<int>(key_text.size())));
    Owned<BIO> pem_bio(
        BIO_new_mem_buf(pem_text.data(), static_cast<int>(pem_text.size())));
    impl->ca_key.reset(
        PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
    impl->ca.reset(PEM_read_bio_X509(pem_bio.get(), nullptr, nullptr, nullptr));
    if (impl->ca_key == nullptr || impl->ca == nullptr ||
        X509_check_private_key(impl->ca.get(), impl->ca_key.get()) != 1) {
      return absl::FailedPreconditionError(base::StrCat(
          "read certificate authority '", pem_path,
          "': it and its key do not belong together; remove both to make new "
          "ones"));
    }
  } else {
    impl->ca_key = MakeKey();
    if (impl->ca_key == nullptr) return SslError("make the CA's key");
    impl->ca = NewCertificate(impl->ca_key.get(), "Brume local CA",
                              clock->Now(), kCaDays);
    X509* ca = impl->ca.get();
    X509_set_issuer_name(ca, X509_get_subject_name(ca));
    std::vector<std::string> permitted;
    for (const std::string& suffix : PermittedSuffixes()) {
      permitted.push_back("permitted;DNS:" + suffix);
    }
    // No addresses at all: a name constraint of a type excludes the others.
    permitted.emplace_back("excluded;IP:0.0.0.0/0.0.0.0");
    permitted.emplace_back("excluded;IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0");
    if (!AddExtension(ca, ca, NID_basic_constraints,
                      "critical,CA:TRUE,pathlen:0") ||
        !AddExtension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !AddExtension(
            ca, ca, NID_name_constraints,
            base::StrCat("critical,", absl::StrJoin(permitted, ","))) ||
        !AddExtension(ca, ca, NID_subject_key_identifier, "hash") ||
        X509_sign(ca, impl->ca_key.get(), EVP_sha256()) == 0) {
      return SslError("make the CA's certificate");
    }
    RETURN_IF_ERROR(WriteFile(key_path, ToPem(impl->ca_key.get()), 0600));
    RETURN_IF_ERROR(WriteFile(pem_path, ToPem(ca), 0644));
  }
  impl->leaf_key = MakeKey();
  if (impl->leaf_key == nullptr) return SslError("make the leaves' key");
  return std::unique_ptr<CertificateAuthority>(
      new CertificateAuthority(std::move(impl)));
}

absl::StatusOr<CertificateAuthority::Leaf> CertificateAuthority::LeafFor(
    std::string_view host) {
  if (host.empty() || IsLoopbackHost(host)) {
    return impl_->Mint("localhost", "DNS:localhost");
  }
  // A SAN list is text to OpenSSL: nothing but a host name may enter it.
  const bool is_name = std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
           c == '.' || c == '_';
  });
  if (!is_name || host.size() > 253 || !Vouches(host)) {
    return absl::InvalidArgumentError(
        base::StrCat("mint certificate for '", host,
                     "': Brume's authority may not vouch for that name"));
  }
  return impl_->Mint(std::string(host.substr(0, 63)),
                     base::StrCat("DNS:", host));
}

absl::StatusOr<CertificateAuthority::Leaf>
CertificateAuthority::WildcardLeaf() {
  return impl_->Mint(
      "googleapis.com",
      "DNS:*.googleapis.com,DNS:googleapis.com,DNS:*.us.rep.googleapis.com,"
      "DNS:*.pkg.dev,DNS:gcr.io,DNS:*.gcr.io,DNS:localhost");
}

absl::StatusOr<std::shared_ptr<ssl_ctx_st>> CertificateAuthority::ContextFor(
    const std::string& host) {
  const absl::Time now = impl_->clock->Now();
  {
    absl::MutexLock lock(&impl_->mutex);
    const auto found = impl_->contexts.find(host);
    if (found != impl_->contexts.end() &&
        now - found->second.made < absl::Hours(24) * (kLeafDays / 2)) {
      found->second.used = ++impl_->uses;
      return found->second.context;
    }
  }
  ASSIGN_OR_RETURN(const Leaf leaf, LeafFor(host));
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), Deleter());
  Owned<BIO> bio(
      BIO_new_mem_buf(leaf.certificate_pem.data(),
                      static_cast<int>(leaf.certificate_pem.size())));
  Owned<X509> certificate(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (context == nullptr || certificate == nullptr ||
      SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), impl_->leaf_key.get()) != 1 ||
      SSL_CTX_add1_chain_cert(context.get(), impl_->ca.get()) != 1) {
    return SslError(base::StrCat("make a TLS context for '", host, "'"));
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp11, nullptr);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  absl::MutexLock lock(&impl_->mutex);
  if (impl_->contexts.size() >= kMaxContexts) {
    impl_->contexts.erase(
        std::min_element(impl_->contexts.begin(), impl_->contexts.end(),
                         [](const auto& a, const auto& b) {
                           return a.second.used < b.second.used;
                         }));
  }
  impl_->contexts[host] = {context, now, ++impl_->uses};
  return context;
}

absl::Status WriteBundle(const std::string& path, std::string_view ca_pem) {
  // Debian's and Red Hat's places.
  std::string bundle = ReadFile("/etc/ssl/certs/ca-certificates.crt");
  if (bundle.empty()) bundle = ReadFile("/etc/pki/tls/certs/ca-bundle.crt");
  if (!bundle.empty() && bundle.back() != '\n') bundle += '\n';
  base::StrAppend(&bundle, ca_pem);
  return WriteFile(path, bundle, 0644);
}

}  // namespace brume::front
