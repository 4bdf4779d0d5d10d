#include "services/errors/errors.h"

#include "base/str_cat.h"

#include <absl/strings/cord.h>
#include <google/rpc/error_details.pb.h>

#include <algorithm>

namespace brume::services {
namespace {

// A payload's key must be unique in its status: the type URL, then "#N" with
// the position at which it was added.
constexpr std::string_view kTypePrefix = "type.googleapis.com/";

}  // namespace

absl::Status WithDetail(absl::Status status,
                        const google::protobuf::Message& detail) {
  int position = 0;
  status.ForEachPayload(
      [&](absl::string_view, const absl::Cord&) { ++position; });
  status.SetPayload(
      base::StrCat(kTypePrefix, detail.GetDescriptor()->full_name(), "#",
                   absl::Dec(position, absl::kZeroPad4)),
      absl::Cord(detail.SerializeAsString()));
  return status;
}

absl::Status WithReason(absl::Status status, std::string_view reason,
                        std::string_view domain,
                        const std::map<std::string, std::string>& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(domain));
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  return WithDetail(std::move(status), info);
}

absl::Status InvalidField(std::string_view field, std::string_view message) {
  google::rpc::BadRequest bad;
  google::rpc::BadRequest::FieldViolation& violation =
      *bad.add_field_violations();
  violation.set_field(std::string(field));
  violation.set_description(std::string(message));
  return WithDetail(absl::InvalidArgumentError(std::string(message)), bad);
}

std::vector<google::protobuf::Any> DetailsOf(const absl::Status& status) {
  std::vector<std::pair<std::string, google::protobuf::Any>> found;
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& value) {
    const size_t hash = key.rfind('#');
    if (hash == absl::string_view::npos) return;
    google::protobuf::Any any;
    any.set_type_url(std::string(key.substr(0, hash)));
    any.set_value(std::string(value));
    found.emplace_back(std::string(key.substr(hash)), std::move(any));
  });
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<google::protobuf::Any> out;
  for (auto& [position, any] : found) out.push_back(std::move(any));
  return out;
}

}  // namespace brume::services
