#include "services/query/field_mask.h"

#include "base/str_cat.h"
#include "services/errors/errors.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>

namespace brume::services::query {
namespace {

namespace pb = google::protobuf;

// Camel case is what JSON masks and some clients say.
std::string SnakeCase(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      out += '_';
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

absl::Status ApplyMask(const pb::FieldMask& mask,
                       std::initializer_list<std::string_view> mutable_fields,
                       const pb::Message& from, pb::Message* to) {
  const pb::Descriptor& type = *from.GetDescriptor();
  pb::FieldMask wanted;
  const bool all = mask.paths_size() == 1 && mask.paths(0) == "*";
  if (all || mask.paths().empty()) {
    for (const std::string_view name : mutable_fields) {
      const auto* field = type.FindFieldByName(std::string(name));
      if (field == nullptr) continue;
      const bool set = field->is_repeated()
                           ? from.GetReflection()->FieldSize(from, field) > 0
                           : from.GetReflection()->HasField(from, field);
      if (all || set) wanted.add_paths(std::string(name));
    }
  } else {
    for (const std::string& given : mask.paths()) {
      const std::string path = SnakeCase(given);
      const std::string head = path.substr(0, path.find('.'));
      const bool known =
          pb::util::FieldMaskUtil::GetFieldDescriptors(&type, path, nullptr);
      const bool allowed =
          std::any_of(mutable_fields.begin(), mutable_fields.end(),
                      [&](std::string_view name) { return name == head; });
      if (!known || !allowed) {
        return InvalidField(
            "update_mask",
            base::StrCat(known ? "Field is not mutable: '"
                               : "Invalid field in update_mask: '",
                         given, "'"));
      }
      wanted.add_paths(path);
    }
  }
  pb::util::FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  pb::util::FieldMaskUtil::MergeMessageTo(from, wanted, options, to);
  // Merging leaves a field that `from` has not set as it was: an unset field in
  // the mask clears.
  for (const std::string& path : wanted.paths()) {
    if (path.find('.') != std::string::npos) continue;
    const auto* field = type.FindFieldByName(path);
    const bool set = field->is_repeated()
                         ? from.GetReflection()->FieldSize(from, field) > 0
                         : from.GetReflection()->HasField(from, field);
    if (!set) to->GetReflection()->ClearField(to, field);
  }
  return absl::OkStatus();
}

}  // namespace brume::services::query
