#include "api/json/well_known.h"

#include "api/json/json.h"
#include "api/json/scalar_reader.h"
#include "base/str_cat.h"

#include <google/protobuf/util/json_util.h>

namespace brume::api {
namespace {

namespace json = boost::json;
namespace pb = google::protobuf;

bool IsWrapper(std::string_view name) {
  return name.size() > 5 && name.substr(name.size() - 5) == "Value" &&
         name != "google.protobuf.Value" && name != "google.protobuf.ListValue";
}

}  // namespace

bool IsWellKnown(const pb::Descriptor& type) {
  const std::string& name = type.full_name();
  constexpr std::string_view kPackage = "google.protobuf.";
  if (name.compare(0, kPackage.size(), kPackage) != 0) return false;
  const std::string_view rest = std::string_view(name).substr(kPackage.size());
  return rest == "Timestamp" || rest == "Duration" || rest == "FieldMask" ||
         rest == "Struct" || rest == "Any" || rest == "Value" ||
         rest == "ListValue" || IsWrapper(name);
}

std::optional<std::string> ReadWellKnown(const json::value& value,
                                         pb::Message* message) {
  const std::string& name = message->GetDescriptor()->full_name();
  if (IsWrapper(name)) {
    const pb::FieldDescriptor* field = message->GetDescriptor()->field(0);
    if (SetScalar(value, *field, message)) return std::nullopt;
    return PrintJson(value, false);
  }
  // protobuf's own reader knows their forms; it is given the value alone, so
  // its weakness for nulls and repeated names does not matter.
  pb::util::JsonParseOptions options;
  const auto status =
      pb::util::JsonStringToMessage(PrintJson(value, false), message, options);
  if (status.ok()) return std::nullopt;
  const bool text = value.is_string();
  if (name == "google.protobuf.Timestamp" && text) {
    return base::StrCat(
        "Field '", "', Invalid time format: ",
        std::string_view(value.get_string().data(), value.get_string().size()));
  }
  if (name == "google.protobuf.Duration" && text) {
    return base::StrCat("Field '",
                        "', Illegal duration format; duration must "
                        "end with 's'");
  }
  return PrintJson(value, false);
}

}  // namespace brume::api
