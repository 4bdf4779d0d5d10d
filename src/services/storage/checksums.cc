// The one-shot interface of OpenSSL 3 cannot save a digest's state; the older
// one can.
#define OPENSSL_API_COMPAT 0x10100000L

#include "services/storage/checksums.h"

#include "base/encoding.h"
#include "base/str_cat.h"

#include <isa-l/crc.h>
#include <openssl/md5.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>

namespace brume::services::storage {
namespace {

// Reflected polynomial of CRC-32C.
constexpr uint32_t kPolynomial = 0x82f63b78;

// a * b modulo the polynomial; bit 31 is x^0.
uint32_t Multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = b & 1 ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return product;
}

}  // namespace

uint32_t Crc32c(uint32_t crc, std::string_view bytes) {
  crc = ~crc;
  while (!bytes.empty()) {
    // ISA-L takes an int.
    const size_t part = std::min<size_t>(bytes.size(), 1 << 30);
    crc = crc32_iscsi(
        reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())),
        static_cast<int>(part), crc);
    bytes.remove_prefix(part);
  }
  return ~crc;
}

uint32_t Crc32cCombine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) {
  // A's remainder moves up by 8 * length_b bits: multiply by x^(8n), squaring.
  uint32_t factor = 1u << 31;  // x^0
  uint32_t power = 1u << 23;   // x^8
  for (uint64_t n = length_b; n != 0; n >>= 1) {
    if (n & 1) factor = Multiply(factor, power);
    power = Multiply(power, power);
  }
  return Multiply(crc_a, factor) ^ crc_b;
}

std::string Crc32cToText(uint32_t crc) {
  const char bytes[4] = {static_cast<char>(crc >> 24),
                         static_cast<char>(crc >> 16),
                         static_cast<char>(crc >> 8), static_cast<char>(crc)};
  return base::Base64Encode(std::string_view(bytes, 4));
}

absl::StatusOr<uint32_t> Crc32cFromText(std::string_view text) {
  const std::optional<std::string> bytes = base::Base64Decode(text);
  if (!bytes || bytes->size() != 4) {
    return absl::InvalidArgumentError(
        base::StrCat("Invalid crc32c checksum: ", text));
  }
  uint32_t crc = 0;
  for (unsigned char byte : *bytes) crc = crc << 8 | byte;
  return crc;
}

struct ContentHasher::State {
  uint32_t crc = 0;
  MD5_CTX md5;
};

ContentHasher::ContentHasher() : state_(std::make_unique<State>()) {
  MD5_Init(&state_->md5);
}
ContentHasher::~ContentHasher() = default;
ContentHasher::ContentHasher(ContentHasher&&) noexcept = default;
ContentHasher& ContentHasher::operator=(ContentHasher&&) noexcept = default;

void ContentHasher::Update(std::string_view bytes) {
  // In pieces that stay in the cache from one algorithm to the other.
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, 64 << 10);
    state_->crc = Crc32c(state_->crc, part);
    MD5_Update(&state_->md5, part.data(), part.size());
    bytes.remove_prefix(part.size());
  }
}

uint32_t ContentHasher::crc32c() const { return state_->crc; }

std::string ContentHasher::md5() const {
  MD5_CTX copy = state_->md5;
  std::string digest(MD5_DIGEST_LENGTH, '\0');
  MD5_Final(reinterpret_cast<unsigned char*>(digest.data()), &copy);
  return digest;
}

std::string ContentHasher::SaveState() const {
  static_assert(std::is_trivially_copyable_v<State>);
  return std::string(reinterpret_cast<const char*>(state_.get()),
                     sizeof(State));
}

absl::StatusOr<ContentHasher> ContentHasher::FromState(std::string_view state) {
  ContentHasher hasher;
  if (state.size() != sizeof(State)) {
    return absl::DataLossError("read checksum state: wrong size");
  }
  std::memcpy(hasher.state_.get(), state.data(), sizeof(State));
  return hasher;
}

}  // namespace brume::services::storage
