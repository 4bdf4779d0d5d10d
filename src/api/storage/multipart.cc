#include "api/storage/multipart.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <utility>

namespace brume::api::storage {
namespace {

using services::storage::BadRequest;

constexpr size_t kLongestBoundary = 70;
constexpr size_t kMostHeaderBytes = 16 << 10;
// Spaces that may follow a boundary (RFC 2046).
constexpr size_t kMostPadding = 64;

absl::Status Malformed(std::string_view what) {
  return BadRequest("badContent",
                    base::StrCat("Malformed multipart body: ", what, "."));
}

std::string_view Trim(std::string_view text) {
  return base::ToStd(absl::StripAsciiWhitespace(base::ToAbsl(text)));
}

}  // namespace

std::optional<std::string> BoundaryOf(std::string_view content_type) {
  // Parameters are separated by ";", outside quotes.
  size_t at = content_type.find(';');
  while (at != std::string_view::npos) {
    content_type.remove_prefix(at + 1);
    const size_t equals = content_type.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = Trim(content_type.substr(0, equals));
    std::string_view rest = content_type.substr(equals + 1);
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    std::string value;
    if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
      const char quote = rest.front();
      size_t end = 1;
      while (end < rest.size() && rest[end] != quote) {
        if (rest[end] == '\\' && quote == '"' && end + 1 < rest.size()) ++end;
        value.push_back(rest[end++]);
      }
      if (end == rest.size()) return std::nullopt;
      content_type = rest.substr(end);
    } else {
      value = std::string(Trim(rest.substr(0, rest.find(';'))));
      content_type = rest;
    }
    if (absl::EqualsIgnoreCase(base::ToAbsl(name), "boundary")) {
      if (value.empty() || value.size() > kLongestBoundary ||
          value.find_first_of("\r\n") != std::string::npos) {
        return std::nullopt;
      }
      return value;
    }
    at = content_type.find(';');
  }
  return std::nullopt;
}

PartHeaders PartHeaders::Parse(std::string_view lines) {
  PartHeaders headers;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? "" : lines.substr(end + 1);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    headers.fields_.emplace_back(std::string(Trim(line.substr(0, colon))),
                                 std::string(Trim(line.substr(colon + 1))));
  }
  return headers;
}

std::string_view PartHeaders::Get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (absl::EqualsIgnoreCase(base::ToAbsl(key), base::ToAbsl(name))) {
      return value;
    }
  }
  return "";
}

absl::Status MultipartReader::Write(std::string_view bytes) {
  buffer_.append(bytes);
  while (true) {
    ASSIGN_OR_RETURN(const bool more, Step());
    if (!more) return absl::OkStatus();
  }
}

absl::Status MultipartReader::Finish() const {
  if (state_ == State::kEnd) return absl::OkStatus();
  return Malformed("the closing boundary is missing");
}

absl::StatusOr<bool> MultipartReader::Step() {
  switch (state_) {
    case State::kHeaders:
      return StepHeaders();
    case State::kPreamble:
    case State::kData:
      return StepToDelimiter();
    case State::kEnd:
      buffer_.clear();  // the epilogue
      return false;
  }
  return false;
}

absl::StatusOr<bool> MultipartReader::StepHeaders() {
  // Lines up to an empty one.
  size_t line = 0;
  while (true) {
    const size_t end = buffer_.find('\n', line);
    if (end == std::string::npos) {
      if (buffer_.size() > kMostHeaderBytes) {
        return Malformed("a part's headers are too long");
      }
      return false;
    }
    const bool empty =
        end == line || (end == line + 1 && buffer_[line] == '\r');
    if (!empty) {
      line = end + 1;
      continue;
    }
    RETURN_IF_ERROR(events_.begin_part(
        PartHeaders::Parse(std::string_view(buffer_).substr(0, line))));
    buffer_.erase(0, end + 1);
    state_ = State::kData;
    at_line_start_ = true;
    return true;
  }
}

absl::StatusOr<bool> MultipartReader::StepToDelimiter() {
  size_t from = 0;
  while (true) {
    // A delimiter begins a line: after LF, or where this state began.
    size_t begin = std::string::npos;
    size_t framing = std::string::npos;  // where its line end begins
    if (from == 0 && at_line_start_ &&
        std::string_view(buffer_).substr(0, delimiter_.size()) == delimiter_) {
      begin = framing = 0;
    } else if (from == 0 && at_line_start_ &&
               std::string_view(delimiter_).substr(0, buffer_.size()) ==
                   buffer_) {
      return false;  // it may become one
    } else {
      const size_t lf = buffer_.find("\n" + delimiter_, from);
      if (lf != std::string::npos) {
        begin = lf + 1;
        framing = lf > 0 && buffer_[lf - 1] == '\r' ? lf - 1 : lf;
      }
    }
    if (begin == std::string::npos) {
      // All but what may be the beginning of a delimiter is data.
      const size_t keep = delimiter_.size() + 2;
      if (buffer_.size() <= keep) return false;
      const size_t plain = buffer_.size() - keep;
      if (state_ == State::kData) {
        RETURN_IF_ERROR(
            events_.data(std::string_view(buffer_).substr(0, plain)));
      }
      buffer_.erase(0, plain);
      at_line_start_ = false;
      return false;
    }
    // What follows decides: "--", or spaces and a line end.
    size_t after = begin + delimiter_.size();
    bool last = false;
    if (buffer_.size() < after + 1) return false;
    if (buffer_[after] == '-') {
      if (buffer_.size() < after + 2) return false;
      last = buffer_[after + 1] == '-';
    }
    if (!last) {
      size_t padding = after;
      while (padding < buffer_.size() && padding - after <= kMostPadding &&
             (buffer_[padding] == ' ' || buffer_[padding] == '\t' ||
              buffer_[padding] == '\r')) {
        ++padding;
      }
      if (padding == buffer_.size()) return false;
      if (buffer_[padding] != '\n') {
        // Data that merely looks like one.
        from = begin;
        at_line_start_ = false;
        continue;
      }
      after = padding + 1;
    }
    if (state_ == State::kData) {
      if (framing > 0) {
        RETURN_IF_ERROR(
            events_.data(std::string_view(buffer_).substr(0, framing)));
      }
      RETURN_IF_ERROR(events_.end_part());
    }
    buffer_.erase(0, last ? buffer_.size() : after);
    state_ = last ? State::kEnd : State::kHeaders;
    return true;
  }
}

}  // namespace brume::api::storage
