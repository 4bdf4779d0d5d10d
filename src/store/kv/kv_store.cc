#include "store/kv/kv_store.h"

namespace brume::store {

KeyRange KeyRange::Prefix(std::string_view prefix) {
  std::string end(prefix);
  // The first key after all those with the prefix: its last byte that can
  // grow, grown. A prefix of only 0xff has no such key.
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return KeyRange{std::string(prefix), std::move(end)};
}

}  // namespace brume::store
