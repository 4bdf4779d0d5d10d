#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::api::storage {

// The boundary parameter of a multipart Content-Type, in double quotes, single
// quotes (gsutil) or none. nullopt when it has none, or an impossible one
// (RFC 2046 allows 70 bytes).
std::optional<std::string> BoundaryOf(std::string_view content_type);

// Header lines of a part or of an enclosed request.
class PartHeaders {
 public:
  // Takes "Name: value" lines, each ended by LF or CRLF.
  static PartHeaders Parse(std::string_view lines);
  // Empty when there is none.
  std::string_view Get(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Splits a multipart body (RFC 2046, 5.1) while it comes. Takes bare LF line
// ends, as gsutil and gcsfs send them: exactly one line end before a boundary
// belongs to it. Holds at most a part's headers and a boundary's length.
class MultipartReader {
 public:
  struct Events {
    std::function<absl::Status(const PartHeaders&)> begin_part;
    std::function<absl::Status(std::string_view)> data;
    std::function<absl::Status()> end_part;
  };

  MultipartReader(std::string boundary, Events events)
      : delimiter_("--" + std::move(boundary)), events_(std::move(events)) {}

  // INVALID_ARGUMENT, or what an event returned.
  absl::Status Write(std::string_view bytes);
  // INVALID_ARGUMENT unless the closing boundary came.
  absl::Status Finish() const;

 private:
  enum class State { kPreamble, kHeaders, kData, kEnd };

  // One step over `buffer_`; false: more bytes are needed.
  absl::StatusOr<bool> Step();
  absl::StatusOr<bool> StepHeaders();
  absl::StatusOr<bool> StepToDelimiter();

  const std::string delimiter_;
  const Events events_;
  State state_ = State::kPreamble;
  std::string buffer_;
  // A delimiter may stand at the very beginning of what the state reads.
  bool at_line_start_ = true;
};

}  // namespace brume::api::storage
