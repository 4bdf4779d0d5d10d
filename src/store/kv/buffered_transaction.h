#pragma once

#include "store/kv/conflict_index.h"
#include "store/kv/kv_store.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace brume::store {

// A transaction that keeps its writes in memory over a fixed view, until the
// engine commits them. Shared by the engines. Not thread-safe.
class BufferedTransaction final : public KvTransaction {
 public:
  using Writes = std::map<std::string, std::optional<std::string>, std::less<>>;

  explicit BufferedTransaction(std::unique_ptr<KvReader> view)
      : view_(std::move(view)) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override;
  absl::StatusOr<std::optional<std::string>> GetForUpdate(
      std::string_view key) override;
  absl::Status Put(std::string_view key, std::string_view value) override;
  absl::Status Delete(std::string_view key) override;
  // `visit` may write.
  absl::Status Scan(const KeyRange& range,
                    absl::FunctionRef<bool(std::string_view, std::string_view)>
                        visit) override;

  // Missing values are deletions.
  const Writes& writes() const { return writes_; }
  const Footprint& footprint() const { return footprint_; }

 private:
  std::unique_ptr<KvReader> view_;
  Writes writes_;
  Footprint footprint_;
};

}  // namespace brume::store
