#include "services/query/filter.h"

#include <google/logging/v2/log_entry.pb.h>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using brume::services::query::Dialect;
  using brume::services::query::Filter;
  google::logging::v2::LogEntry entry;
  entry.set_text_payload("text");
  entry.mutable_timestamp()->set_seconds(5);
  (*entry.mutable_labels())["k"] = "v";
  for (const Dialect dialect :
       {Dialect::kAip160, Dialect::kLogging, Dialect::kResourceManagerV1}) {
    const auto filter = Filter::Parse(
        std::string_view(reinterpret_cast<const char*>(data), size), dialect);
    if (!filter.ok()) continue;
    (void)filter->Matches(entry);
    (void)filter->TimestampRange();
  }
  return 0;
}
