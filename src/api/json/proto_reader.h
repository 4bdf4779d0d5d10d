#pragma once

#include <absl/status/status.h>
#include <boost/json/value.hpp>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace brume::api {

// Reads proto3 JSON into messages as Google's front ends do: names in snake or
// camel case, null as absent, enums as names or numbers, 64-bit integers as
// strings or numbers, base64 of either alphabet, the well-known types. Unknown
// names and wrong values are INVALID_ARGUMENT in Google's words, with
// google.rpc.BadRequest naming each path; several faults are told together.
//
// One reader reads one request: its body and its query. Not thread-safe.
class ProtoReader {
 public:
  // Reads an object (or, for well-known types, their JSON form) into `message`.
  // `path` is the field of the request that it is, "" for the request itself.
  void ReadMessage(const boost::json::value& value, std::string_view path,
                   google::protobuf::Message* message);

  // Sets the field that a query parameter or a path variable names ("a.b_c",
  // "a.bC") from text. Repeated fields append.
  void ReadParameter(std::string_view name, std::string_view text,
                     google::protobuf::Message* message);

  // OK, or what was wrong.
  absl::Status Finish() const;

 private:
  friend class ProtoReaderImpl;
  void Fault(std::string_view path, std::string text);

  struct Violation {
    std::string path;
    std::string text;
  };
  std::vector<Violation> violations_;
};

}  // namespace brume::api
