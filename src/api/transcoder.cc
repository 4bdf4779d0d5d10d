#include "api/transcoder.h"

#include "api/http_error.h"
#include "api/json/field_selector.h"
#include "api/json/json.h"
#include "api/json/proto_reader.h"
#include "api/json/proto_writer.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/match.h>
#include <boost/json/object.hpp>
#include <google/protobuf/descriptor.h>

namespace brume::api {
namespace {

namespace json = boost::json;
namespace pb = google::protobuf;

bool False(std::optional<std::string_view> text) {
  return text && (*text == "false" || *text == "0" || *text == "no");
}

bool Blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Whether a query parameter says what the path has said already.
bool BoundByPath(const Routes::Match& match, std::string_view name) {
  for (const auto& [field, value] : match.bindings) {
    if (field == name) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<ReplyStyle> ReplyStyle::Of(const QueryString& query,
                                          const Headers& headers) {
  ReplyStyle style;
  for (const char* name : {"prettyPrint", "$prettyPrint", "pp"}) {
    if (False(query.Get(name))) style.pretty = false;
  }
  std::string_view alt = "json";
  for (const char* name : {"$alt", "alt"}) {
    if (const auto value = query.Get(name)) {
      alt = *value;
      break;
    }
  }
  // "json;enum-encoding=int"
  const size_t semicolon = alt.find(';');
  const std::string_view kind = alt.substr(0, semicolon);
  if (kind != "json" && !kind.empty()) {
    return absl::InvalidArgumentError(base::ToAbsl(
        base::StrCat("Unsupported alt value '", alt, "'; 'json' is served.")));
  }
  if (semicolon != std::string_view::npos) {
    style.enums_as_numbers = alt.substr(semicolon + 1) == "enum-encoding=int";
  }
  for (const char* name : {"$fields", "fields"}) {
    if (const auto value = query.Get(name)) style.fields = std::string(*value);
  }
  if (style.fields.empty()) {
    style.fields = std::string(headers.Get("x-goog-fieldmask").value_or(""));
  }
  RETURN_IF_ERROR(FieldSelector::Parse(style.fields).status());
  return style;
}

absl::StatusOr<AnyMessage> ReadRequest(const Method& method,
                                       const Routes::Match& match,
                                       const QueryString& query,
                                       std::string_view body) {
  AnyMessage request(method.request_prototype.New());
  ProtoReader reader;
  json::value document;
  if (!Blank(body)) {
    ASSIGN_OR_RETURN(document, ParseJson(body));
  }
  if (match.body == "*") {
    if (!document.is_null()) reader.ReadMessage(document, "", request.get());
  } else if (!match.body.empty()) {
    const pb::FieldDescriptor* field =
        request->GetDescriptor()->FindFieldByName(std::string(match.body));
    if (field == nullptr) {
      return absl::InternalError(base::ToAbsl(
          base::StrCat(match.method, " has no field '", match.body, "'")));
    }
    if (!document.is_null()) {
      if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE &&
          !field->is_repeated()) {
        reader.ReadMessage(
            document, match.body,
            request->GetReflection()->MutableMessage(request.get(), field));
      } else {
        json::object wrapped;
        wrapped[json::string_view(match.body.data(), match.body.size())] =
            std::move(document);
        reader.ReadMessage(wrapped, "", request.get());
      }
    }
  } else if (!document.is_null() &&
             !(document.is_object() && document.get_object().empty())) {
    // A method without a body reads none; its fields are nowhere to bind.
    const json::object* object = document.if_object();
    const std::string name = object == nullptr
                                 ? std::string()
                                 : std::string(object->begin()->key().data(),
                                               object->begin()->key().size());
    return absl::InvalidArgumentError(base::ToAbsl(
        base::StrCat("Invalid JSON payload received. Unknown name \"", name,
                     "\": Cannot bind to a request without a body.")));
  }
  for (const auto& [name, value] : query.parameters()) {
    if (IsStandardParameter(name) || BoundByPath(match, name)) continue;
    reader.ReadParameter(name, value, request.get());
  }
  RETURN_IF_ERROR(reader.Finish());
  // The path is told last: it wins over the body.
  for (const auto& [field, value] : match.bindings) {
    ProtoReader path;
    path.ReadParameter(field, value, request.get());
    RETURN_IF_ERROR(path.Finish());
  }
  return request;
}

Response WriteReply(const pb::Message& reply, std::string_view response_body,
                    const ReplyStyle& style) {
  absl::StatusOr<json::value> body = WriteJson(reply, style.enums_as_numbers);
  if (!body.ok()) return JsonError(body.status(), style.pretty);
  if (!response_body.empty() && body->is_object()) {
    const pb::FieldDescriptor* field =
        reply.GetDescriptor()->FindFieldByName(std::string(response_body));
    json::value inner = json::object();
    if (field != nullptr) {
      if (json::value* found =
              body->get_object().if_contains(field->json_name())) {
        inner = std::move(*found);
      }
    }
    *body = std::move(inner);
  }
  if (const auto selector = FieldSelector::Parse(style.fields); selector.ok()) {
    selector->Apply(&*body);
  }
  return JsonResponse(200, *body, style.pretty);
}

}  // namespace brume::api
