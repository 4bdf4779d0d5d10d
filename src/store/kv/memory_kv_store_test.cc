#include "store/kv/memory_kv_store.h"

#include "store/kv/kv_conformance.h"

namespace brume::store {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, KvConformanceTest,
                         testing::Values(KvFactory([] {
                           return std::make_unique<MemoryKvStore>();
                         })));

}  // namespace
}  // namespace brume::store
