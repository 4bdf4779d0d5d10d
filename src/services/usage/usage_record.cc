#include "services/usage/usage_record.h"

#include "base/status_macros.h"
#include "store/kv/key.h"

#include <brume/usage/counter.pb.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace brume::services::usage {
namespace {

// A transaction this long keeps other writers waiting for some milliseconds.
constexpr size_t kPerTransaction = 1000;

std::string CounterKey(const Decision& decision) {
  return store::Key("usage")
      .Add(decision.run)
      .Add(decision.principal)
      .Add(decision.permission)
      .Add(decision.resource)
      .Add(decision.method)
      .Add(decision.verdict)
      .str();
}

std::optional<Decision> ParseKey(std::string_view key) {
  store::KeyParser parser(key);
  if (parser.Next() != "usage") return std::nullopt;
  Decision decision;
  for (std::string* part :
       {&decision.run, &decision.principal, &decision.permission,
        &decision.resource, &decision.method, &decision.verdict}) {
    std::optional<std::string> text = parser.Next();
    if (!text.has_value()) return std::nullopt;
    *part = *std::move(text);
  }
  return decision;
}

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t nanos = absl::ToUnixNanos(time);
  out->set_seconds(nanos / 1'000'000'000);
  out->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

}  // namespace

void UsageRecord::Counts::Merge(const Counts& other) {
  count += other.count;
  first = std::min(first, other.first);
  last = std::max(last, other.last);
}

void UsageRecord::Add(const Decision& decision, absl::Time time) {
  absl::MutexLock lock(&mutex_);
  batch_[decision].Merge({1, time, time});
}

absl::Status UsageRecord::Flush() {
  absl::MutexLock flushing(&flush_mutex_);
  while (true) {
    Batch batch;
    {
      absl::MutexLock lock(&mutex_);
      while (!batch_.empty() && batch.size() < kPerTransaction) {
        batch.insert(batch_.extract(batch_.begin()));
      }
    }
    if (batch.empty()) return absl::OkStatus();
    const absl::Status status =
        kv_->Transact([&](store::KvTransaction& txn) -> absl::Status {
          for (const auto& [decision, counts] : batch) {
            const std::string key = CounterKey(decision);
            ASSIGN_OR_RETURN(const std::optional<std::string> old,
                             txn.GetForUpdate(key));
            Counts sum = counts;
            brume::usage::Counter counter;
            if (old.has_value() && counter.ParseFromString(*old)) {
              sum.Merge({counter.count(), ToTime(counter.first()),
                         ToTime(counter.last())});
            }
            counter.set_count(sum.count);
            SetTime(sum.first, counter.mutable_first());
            SetTime(sum.last, counter.mutable_last());
            RETURN_IF_ERROR(txn.Put(key, counter.SerializeAsString()));
          }
          return absl::OkStatus();
        });
    if (!status.ok()) {
      absl::MutexLock lock(&mutex_);
      for (const auto& [decision, counts] : batch) {
        batch_[decision].Merge(counts);
      }
      return status;
    }
  }
}

absl::StatusOr<std::vector<Usage>> UsageRecord::List(std::string_view run) {
  absl::MutexLock flushing(&flush_mutex_);
  Batch all;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [decision, counts] : batch_) {
      if (run.empty() || decision.run == run) all[decision] = counts;
    }
  }
  const std::string prefix = run.empty() ? store::Key("usage").str()
                                         : store::Key("usage").Add(run).str();
  RETURN_IF_ERROR(kv_->Snapshot()->Scan(
      store::KeyRange::Prefix(prefix),
      [&](std::string_view key, std::string_view value) {
        const std::optional<Decision> decision = ParseKey(key);
        brume::usage::Counter counter;
        if (decision.has_value() &&
            counter.ParseFromArray(value.data(),
                                   static_cast<int>(value.size()))) {
          all[*decision].Merge({counter.count(), ToTime(counter.first()),
                                ToTime(counter.last())});
        }
        return true;
      }));
  std::vector<Usage> out;
  out.reserve(all.size());
  for (auto& [decision, counts] : all) {
    out.push_back({decision, counts.count, counts.first, counts.last});
  }
  return out;
}

size_t UsageRecord::pending() const {
  absl::MutexLock lock(&mutex_);
  return batch_.size();
}

}  // namespace brume::services::usage
