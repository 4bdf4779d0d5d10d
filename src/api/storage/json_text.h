#pragma once

#include "api/json/field_selector.h"

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brume::api::storage {

// Writes a JSON reply straight into text, and leaves out what the `fields`
// parameter did not select: a list page of a thousand objects is never a tree.
//   out.BeginObject();
//   if (out.Key("kind")) out.String("storage#object");
//   out.EndObject();
class JsonText {
 public:
  // `fields` must outlive the writer; nullptr selects everything.
  explicit JsonText(bool pretty, const FieldSelector* fields = nullptr);

  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  // Whether the member is wanted; if so its value must follow.
  bool Key(std::string_view name);
  // An element of an array: call before its value.
  void Element();

  void String(std::string_view text);
  void Bool(bool value);
  void Number(int64_t value);
  // 64-bit numbers are strings in Google's JSON.
  void NumberText(int64_t value);
  void NumberText(uint64_t value);
  // RFC 3339 with milliseconds.
  void Time(const google::protobuf::Timestamp& time);

  std::string Take() { return std::move(text_); }

 private:
  struct Level {
    const FieldSelector* fields = nullptr;
    bool empty = true;
  };
  void Begin(char bracket);
  void End(char bracket);
  void Next();
  void Indent();

  const bool pretty_;
  std::string text_;
  std::vector<Level> levels_;
  const FieldSelector* pending_;  // of the value that comes next
  // Most times of a resource are the same one.
  google::protobuf::Timestamp last_time_;
  std::string last_time_text_;
};

}  // namespace brume::api::storage
