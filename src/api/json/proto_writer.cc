#include "api/json/proto_writer.h"

#include "base/str_cat.h"

#include <boost/json/parse.hpp>
#include <google/protobuf/util/json_util.h>

namespace brume::api {
namespace json = boost::json;
namespace pb = google::protobuf;

absl::StatusOr<json::value> WriteJson(const pb::Message& message,
                                      bool enums_as_numbers) {
  pb::util::JsonPrintOptions options;
  options.always_print_enums_as_ints = enums_as_numbers;
  std::string text;
  const auto status = pb::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) {
    return absl::InternalError(base::ToAbsl(base::StrCat(
        "cannot print ", message.GetDescriptor()->full_name(), " as JSON: ",
        std::string_view(status.message().data(), status.message().size()))));
  }
  json::error_code error;
  json::parse_options parse;
  parse.max_depth = 200;
  json::value value = json::parse(json::string_view(text), error, {}, parse);
  if (error) {
    return absl::InternalError(base::ToAbsl(
        base::StrCat("cannot read ", message.GetDescriptor()->full_name(),
                     " as JSON: ", error.message())));
  }
  return value;
}

}  // namespace brume::api
