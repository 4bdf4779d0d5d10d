#pragma once

#include "api/call.h"
#include "api/json/field_selector.h"
#include "api/query_string.h"
#include "api/storage/json_text.h"
#include "api/storage/route.h"
#include "api/wire.h"

#include <absl/status/statusor.h>
#include <brume/storage/object.pb.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brume::api::storage {

// An admitted request, with its parameters.
struct Request {
  RequestHead head;
  Route route;
  QueryString query;
  FieldSelector fields;
  Call call;

  // Names compare without regard to case: clients write ifMetaGeneration...
  std::optional<std::string_view> Param(std::string_view name) const;
  std::string Text(std::string_view name) const;
  bool Flag(std::string_view name) const;
  // 400 unless it is an integer.
  absl::StatusOr<std::optional<int64_t>> Integer(std::string_view name) const;
  // ifGenerationMatch and its kin; with `prefix` "ifSource" the source's.
  absl::StatusOr<brume::storage::Conditions> Conditions(
      std::string_view prefix = "if") const;
  absl::StatusOr<int64_t> Generation(
      std::string_view name = "generation") const;
  absl::StatusOr<size_t> MaxResults() const;
  bool FullProjection(bool by_default) const;
  bool Pretty() const;
  JsonText Json() const { return JsonText(Pretty(), &fields); }
};

// A key of the customer's own, by its SHA-256 (base64). 400 when it is not a
// key, or not of that hash. nullopt without one. `prefix` is "x-goog-" or
// "x-goog-copy-source-".
absl::StatusOr<std::optional<std::string>> CustomerKey(
    const Headers& headers, std::string_view prefix = "x-goog-");
// Whether this key (or none) opens the object; Google's error if not.
absl::Status CheckCustomerKey(const brume::storage::Object& object,
                              const std::optional<std::string>& key);

}  // namespace brume::api::storage
