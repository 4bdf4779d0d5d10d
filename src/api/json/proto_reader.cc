#include "api/json/proto_reader.h"

#include "api/json/json.h"
#include "api/json/scalar_reader.h"
#include "api/json/well_known.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"

#include <absl/strings/str_join.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <google/protobuf/descriptor.h>
#include <google/rpc/error_details.pb.h>

namespace brume::api {
namespace {

namespace json = boost::json;
namespace pb = google::protobuf;

std::string Child(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : base::StrCat(path, ".", name);
}

std::string At(std::string_view path) {
  return path.empty() ? "" : base::StrCat(" at '", path, "'");
}

std::string KeyText(std::string_view path, std::string_view key) {
  return base::StrCat(path, "[", key, "]");
}

// Google's names of types in "Invalid value at 'f' (TYPE_INT32), ...".
std::string TypeName(const pb::FieldDescriptor& field) {
  switch (field.type()) {
    case pb::FieldDescriptor::TYPE_ENUM:
      return base::StrCat("type.googleapis.com/",
                          field.enum_type()->full_name());
    case pb::FieldDescriptor::TYPE_MESSAGE:
      return base::StrCat("type.googleapis.com/",
                          field.message_type()->full_name());
    default: {
      std::string name = pb::FieldDescriptor::TypeName(field.type());
      for (char& c : name) c = static_cast<char>(std::toupper(c));
      return base::StrCat("TYPE_", name);
    }
  }
}

const pb::FieldDescriptor* FindField(const pb::Descriptor& type,
                                     std::string_view name) {
  const std::string key(name);
  if (const auto* field = type.FindFieldByName(key)) return field;
  return [&]() -> const pb::FieldDescriptor* {
    for (int i = 0; i < type.field_count(); ++i) {
      if (type.field(i)->json_name() == key) return type.field(i);
    }
    return nullptr;
  }();
}

}  // namespace

// The walk; the public class keeps only what it found wrong.
class ProtoReaderImpl {
 public:
  explicit ProtoReaderImpl(ProtoReader& reader) : reader_(reader) {}

  void Message(const json::value& value, std::string_view path,
               pb::Message* message) {
    if (IsWellKnown(*message->GetDescriptor())) {
      if (const auto wrong = ReadWellKnown(value, message)) {
        reader_.Fault(
            path,
            base::StrCat("Invalid value", At(path), " (type.googleapis.com/",
                         message->GetDescriptor()->full_name(), "), ", *wrong));
      }
      return;
    }
    const json::object* object = value.if_object();
    if (object == nullptr) {
      reader_.Fault(path, base::StrCat("Invalid value", At(path),
                                       " (type.googleapis.com/",
                                       message->GetDescriptor()->full_name(),
                                       "), ", PrintJson(value, false)));
      return;
    }
    for (const json::key_value_pair& pair : *object) {
      const std::string_view name(pair.key().data(), pair.key().size());
      const pb::FieldDescriptor* field =
          FindField(*message->GetDescriptor(), name);
      if (field == nullptr) {
        reader_.Fault(
            path, base::StrCat("Invalid JSON payload received. Unknown name \"",
                               name, "\"", At(path), ": Cannot find field."));
        continue;
      }
      Field(pair.value(), Child(path, field->name()), *field, message);
    }
  }

  void Field(const json::value& value, const std::string& path,
             const pb::FieldDescriptor& field, pb::Message* message) {
    const bool null_means_value =
        field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE &&
        field.message_type()->full_name() == "google.protobuf.Value";
    if (value.is_null() && (!null_means_value || field.is_repeated())) return;
    if (field.is_map()) {
      Map(value, path, field, message);
    } else if (field.is_repeated()) {
      Repeated(value, path, field, message);
    } else {
      Singular(value, path, field, message);
    }
  }

  // A scalar given as text (query, path).
  void Text(std::string_view text, const std::string& path,
            const pb::FieldDescriptor& field, pb::Message* message) {
    json::value value(json::string_view(text.data(), text.size()));
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_BOOL) {
      if (text == "true" || text == "1") value = true;
      if (text == "false" || text == "0") value = false;
    }
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE &&
        !TextForm(*field.message_type())) {
      reader_.Fault(
          path, base::StrCat("Invalid JSON payload received. Unknown name \"",
                             path, "\": Cannot bind query parameter. '", path,
                             "' is a message type. Parameters can only be "
                             "bound to primitive types."));
      return;
    }
    if (field.is_repeated()) {
      Element(value, path, field, message);
    } else {
      Singular(value, path, field, message);
    }
  }

 private:
  // Whether a message can be written as one text: wrappers take numbers and
  // booleans as text too.
  static bool TextForm(const pb::Descriptor& type) {
    const std::string& name = type.full_name();
    return IsWellKnown(type) && name != "google.protobuf.Struct" &&
           name != "google.protobuf.ListValue" &&
           name != "google.protobuf.Any" && name != "google.protobuf.Empty";
  }

  void Wrong(const json::value& value, const std::string& path,
             const pb::FieldDescriptor& field) {
    reader_.Fault(
        path, base::StrCat("Invalid value at '", path, "' (", TypeName(field),
                           "), ", PrintJson(value, false)));
  }

  void Singular(const json::value& value, const std::string& path,
                const pb::FieldDescriptor& field, pb::Message* message) {
    const pb::Reflection& reflection = *message->GetReflection();
    if (value.is_array() &&
        !(field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE &&
          IsWellKnown(*field.message_type()))) {
      reader_.Fault(
          path,
          base::StrCat("Invalid JSON payload received. Unknown name \"",
                       field.json_name(), "\"", At(Parent(path)),
                       ": Proto field is not repeating, cannot start list."));
      return;
    }
    if (const pb::OneofDescriptor* oneof = field.real_containing_oneof()) {
      const pb::FieldDescriptor* set =
          reflection.GetOneofFieldDescriptor(*message, oneof);
      if (set != nullptr && set != &field) {
        reader_.Fault(path,
                      base::StrCat("Invalid value at '", Parent(path),
                                   "' (oneof), oneof field '", oneof->name(),
                                   "' is already set. Cannot set '",
                                   field.json_name(), "'"));
        return;
      }
    }
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
      Message(value, path, reflection.MutableMessage(message, &field));
    } else if (!SetScalar(value, field, message)) {
      Wrong(value, path, field);
    }
  }

  void Element(const json::value& value, const std::string& path,
               const pb::FieldDescriptor& field, pb::Message* message) {
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
      Message(value, path,
              message->GetReflection()->AddMessage(message, &field));
    } else if (!AddScalar(value, field, message)) {
      Wrong(value, path, field);
    }
  }

  void Repeated(const json::value& value, const std::string& path,
                const pb::FieldDescriptor& field, pb::Message* message) {
    const json::array* array = value.if_array();
    if (array == nullptr) {
      // Google's servers take a lone value for a list of one.
      Element(value, base::StrCat(path, "[0]"), field, message);
      return;
    }
    for (size_t i = 0; i < array->size(); ++i) {
      Element((*array)[i], base::StrCat(path, "[", i, "]"), field, message);
    }
  }

  void Map(const json::value& value, const std::string& path,
           const pb::FieldDescriptor& field, pb::Message* message) {
    const json::object* object = value.if_object();
    if (object == nullptr) {
      reader_.Fault(path, base::StrCat("Invalid value at '", path,
                                       "' (Map), Cannot bind a list to map for "
                                       "field '",
                                       field.json_name(), "'."));
      return;
    }
    const pb::FieldDescriptor& key_field = *field.message_type()->map_key();
    const pb::FieldDescriptor& value_field = *field.message_type()->map_value();
    for (const json::key_value_pair& pair : *object) {
      const std::string_view key(pair.key().data(), pair.key().size());
      pb::Message* entry =
          message->GetReflection()->AddMessage(message, &field);
      json::value key_value(pair.key());
      if (key_field.cpp_type() == pb::FieldDescriptor::CPPTYPE_BOOL) {
        if (key == "true") key_value = true;
        if (key == "false") key_value = false;
      }
      if (!SetScalar(key_value, key_field, entry)) {
        Wrong(key_value, KeyText(path, key), key_field);
      }
      if (pair.value().is_null() &&
          !(value_field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE &&
            value_field.message_type()->full_name() ==
                "google.protobuf.Value")) {
        reader_.Fault(KeyText(path, key),
                      base::StrCat("Invalid value at '", KeyText(path, key),
                                   "' (Map), Map value cannot be null"));
        continue;
      }
      Singular(pair.value(), KeyText(path, key), value_field, entry);
    }
  }

  static std::string Parent(std::string_view path) {
    const size_t dot = path.rfind('.');
    return dot == std::string_view::npos ? ""
                                         : std::string(path.substr(0, dot));
  }

  ProtoReader& reader_;
};

void ProtoReader::ReadMessage(const json::value& value, std::string_view path,
                              pb::Message* message) {
  ProtoReaderImpl(*this).Message(value, path, message);
}

void ProtoReader::ReadParameter(std::string_view name, std::string_view text,
                                pb::Message* message) {
  std::string path;
  std::string_view rest = name;
  while (true) {
    const size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    const pb::FieldDescriptor* field =
        FindField(*message->GetDescriptor(), part);
    if (field == nullptr) {
      Fault("", base::StrCat("Invalid JSON payload received. Unknown name \"",
                             name, "\": Cannot bind query parameter. Field '",
                             part, "' could not be found in request message."));
      return;
    }
    path = Child(path, field->name());
    if (dot == std::string_view::npos) {
      ProtoReaderImpl(*this).Text(text, path, *field, message);
      return;
    }
    const bool map_key = field->is_map();
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE ||
        (field->is_repeated() && !map_key)) {
      Fault("", base::StrCat("Invalid JSON payload received. Unknown name \"",
                             name, "\": Cannot bind query parameter. Field '",
                             part, "' is not a message."));
      return;
    }
    rest.remove_prefix(dot + 1);
    if (map_key) {
      // "labels.key=value" sets one entry.
      pb::Message* entry = message->GetReflection()->AddMessage(message, field);
      ProtoReaderImpl impl(*this);
      impl.Text(rest, KeyText(path, rest), *field->message_type()->map_key(),
                entry);
      impl.Text(text, KeyText(path, rest), *field->message_type()->map_value(),
                entry);
      return;
    }
    message = message->GetReflection()->MutableMessage(message, field);
  }
}

void ProtoReader::Fault(std::string_view path, std::string text) {
  // A request of nothing but faults need not be told all of them.
  constexpr size_t kMost = 100;
  if (violations_.size() < kMost) {
    violations_.push_back({std::string(path), std::move(text)});
  }
}

absl::Status ProtoReader::Finish() const {
  if (violations_.empty()) return absl::OkStatus();
  google::rpc::BadRequest bad;
  std::string message;
  for (const Violation& violation : violations_) {
    if (!message.empty()) message += '\n';
    message += violation.text;
    auto& told = *bad.add_field_violations();
    told.set_field(violation.path);
    told.set_description(violation.text);
  }
  return services::WithDetail(absl::InvalidArgumentError(message), bad);
}

}  // namespace brume::api
