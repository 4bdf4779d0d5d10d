#include "services/storage/etags.h"

#include "base/encoding.h"

namespace brume::services::storage {
namespace {

void AddVarint(int field, int64_t number, std::string& out) {
  out.push_back(static_cast<char>(field << 3));
  auto rest = static_cast<uint64_t>(number);
  while (rest >= 0x80) {
    out.push_back(static_cast<char>(rest | 0x80));
    rest >>= 7;
  }
  out.push_back(static_cast<char>(rest));
}

}  // namespace

std::string EtagOf(int64_t number) {
  std::string bytes;
  AddVarint(1, number, bytes);
  return base::Base64Encode(bytes);
}

std::string EtagOf(int64_t generation, int64_t metageneration) {
  std::string bytes;
  AddVarint(1, generation, bytes);
  AddVarint(2, metageneration, bytes);
  return base::Base64Encode(bytes);
}

}  // namespace brume::services::storage
