#include "api/storage/json_text.h"

#include "base/rfc3339.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

namespace brume::api::storage {
namespace {

void AppendQuoted(std::string_view text, std::string& out) {
  out.push_back('"');
  size_t plain = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out.push_back("0123456789abcdef"[c >> 4]);
        out.push_back("0123456789abcdef"[c & 15]);
    }
  }
  out.append(text, plain, text.size() - plain);
  out.push_back('"');
}

}  // namespace

JsonText::JsonText(bool pretty, const FieldSelector* fields)
    : pretty_(pretty), pending_(fields) {}

void JsonText::Indent() {
  if (!pretty_) return;
  text_.push_back('\n');
  text_.append(2 * levels_.size(), ' ');
}

void JsonText::Begin(char bracket) {
  text_.push_back(bracket);
  levels_.push_back({pending_, true});
}

void JsonText::End(char bracket) {
  const bool empty = levels_.back().empty;
  levels_.pop_back();
  if (!empty) Indent();
  text_.push_back(bracket);
  if (levels_.empty() && pretty_) text_.push_back('\n');
}

void JsonText::BeginObject() { Begin('{'); }
void JsonText::EndObject() { End('}'); }
void JsonText::BeginArray() { Begin('['); }
void JsonText::EndArray() { End(']'); }

void JsonText::Next() {
  if (!levels_.back().empty) text_.push_back(',');
  levels_.back().empty = false;
  Indent();
}

bool JsonText::Key(std::string_view name) {
  const FieldSelector* fields = levels_.back().fields;
  if (fields != nullptr) {
    fields = fields->Child(name);
    if (fields == nullptr) return false;
  }
  pending_ = fields;
  Next();
  AppendQuoted(name, text_);
  text_ += pretty_ ? ": " : ":";
  return true;
}

void JsonText::Element() {
  pending_ = levels_.back().fields;
  Next();
}

void JsonText::String(std::string_view text) { AppendQuoted(text, text_); }
void JsonText::Bool(bool value) { text_ += value ? "true" : "false"; }
void JsonText::Number(int64_t value) { absl::StrAppend(&text_, value); }
void JsonText::NumberText(int64_t value) {
  absl::StrAppend(&text_, "\"", value, "\"");
}
void JsonText::NumberText(uint64_t value) {
  absl::StrAppend(&text_, "\"", value, "\"");
}

void JsonText::Time(const google::protobuf::Timestamp& time) {
  if (last_time_text_.empty() || time.seconds() != last_time_.seconds() ||
      time.nanos() != last_time_.nanos()) {
    last_time_ = time;
    last_time_text_ = base::FormatTime(
        absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
        base::Fraction::kMillis);
  }
  AppendQuoted(last_time_text_, text_);
}

}  // namespace brume::api::storage
