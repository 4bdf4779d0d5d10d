#include "exec/task_spec.h"

#include "base/str_cat.h"

#include <algorithm>
#include <string>

namespace brume::exec {
namespace {

constexpr size_t kMaxId = 63;
// Linux refuses longer strings to execve (MAX_ARG_STRLEN).
constexpr size_t kMaxWord = 128 * 1024 - 1;

}  // namespace

bool IsTaskId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxId && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

absl::Status CheckTaskSpec(const TaskSpec& spec) {
  const auto bad = [&spec](std::string_view field, std::string_view cause) {
    return absl::InvalidArgumentError(
        base::StrCat("start task '", spec.id, "': ", field, " ", cause));
  };
  if (!IsTaskId(spec.id)) {
    return bad("id", "must be 1 to 63 of a-z, 0-9 and '-'");
  }
  if (!spec.hostname.empty() && !IsTaskId(spec.hostname)) {
    return bad("hostname", "must be 1 to 63 of a-z, 0-9 and '-'");
  }
  if (spec.image.empty()) return bad("image", "is missing");
  const auto is_word = [](const std::string& word) {
    return word.size() <= kMaxWord && word.find('\0') == std::string::npos;
  };
  for (const auto& words : {spec.command, spec.args}) {
    if (words.has_value() &&
        !std::all_of(words->begin(), words->end(), is_word)) {
      return bad("command",
                 "holds a word with a NUL character or over 128 KiB");
    }
  }
  for (const auto& [name, value] : spec.env) {
    if (name.empty() || name.find('=') != std::string::npos || !is_word(name) ||
        !is_word(name + "=" + value)) {
      return bad("env", base::StrCat("holds a malformed variable '",
                                     name.substr(0, name.find('\0')), "'"));
    }
  }
  if (spec.cpus.has_value() && !(*spec.cpus > 0)) {
    return bad("cpus", "must be more than 0");
  }
  if (spec.memory.has_value() &&
      (*spec.memory == 0 || *spec.memory > uint64_t{1} << 62)) {
    return bad("memory", "must be a positive number of bytes");
  }
  if (spec.timeout <= absl::ZeroDuration()) {
    return bad("timeout", "must be more than 0");
  }
  return absl::OkStatus();
}

}  // namespace brume::exec
