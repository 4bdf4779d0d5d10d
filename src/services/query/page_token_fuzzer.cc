#include "services/query/page_token.h"
#include "store/kv/memory_kv_store.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  brume::store::MemoryKvStore kv;
  const auto tokens = brume::services::query::PageTokens::Create(kv);
  if (!tokens.ok()) std::abort();
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Nobody can make a token; any position survives its own.
  if ((*tokens)->ReadFor("request", text).ok()) std::abort();
  const auto read =
      (*tokens)->ReadFor("request", (*tokens)->MakeFor("request", text));
  if (!read.ok() || *read != text) std::abort();
  return 0;
}
