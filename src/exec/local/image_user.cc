#include "exec/local/image_user.h"

#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <optional>

namespace brume::exec {
namespace {

using Fields = std::vector<absl::string_view>;

std::optional<uint32_t> Number(absl::string_view text) {
  uint32_t number = 0;
  // Beyond what a kernel id can be.
  if (!absl::SimpleAtoi(text, &number) || number > 0x7fffffff) {
    return std::nullopt;
  }
  return number;
}

// The entry whose first field is `name` or whose third is that number.
std::optional<Fields> FindEntry(std::string_view file, std::string_view name) {
  const std::optional<uint32_t> number = Number(base::ToAbsl(name));
  std::optional<Fields> by_number;
  for (const absl::string_view line :
       absl::StrSplit(base::ToAbsl(file), '\n')) {
    Fields fields = absl::StrSplit(line, ':');
    if (fields.size() < 3) continue;
    if (base::ToStd(fields[0]) == name) return fields;
    if (number.has_value() && Number(fields[2]) == number && !by_number) {
      by_number = std::move(fields);
    }
  }
  return by_number;
}

}  // namespace

absl::StatusOr<ImageUser> FindImageUser(std::string_view user,
                                        std::string_view passwd,
                                        std::string_view group) {
  const size_t colon = user.find(':');
  std::string_view name = user.substr(0, colon);
  if (name.empty()) name = "0";
  ImageUser out;
  const std::optional<Fields> entry = FindEntry(passwd, name);
  std::string_view own_name;
  if (entry.has_value()) {
    own_name = base::ToStd((*entry)[0]);
    out.uid = Number((*entry)[2]).value_or(0);
    if (entry->size() > 3) out.gid = Number((*entry)[3]).value_or(0);
    if (entry->size() > 5 && !(*entry)[5].empty()) {
      out.home = std::string((*entry)[5]);
    }
  } else if (const auto number = Number(base::ToAbsl(name))) {
    out.uid = *number;
    if (out.uid == 0) out.home = "/root";
  } else {
    return absl::NotFoundError(base::StrCat(
        "unable to find user ", name, ": no matching entries in passwd file"));
  }
  if (colon != std::string_view::npos) {
    const std::string_view wanted = user.substr(colon + 1);
    const std::optional<Fields> found = FindEntry(group, wanted);
    if (found.has_value()) {
      out.gid = Number((*found)[2]).value_or(0);
    } else if (const auto number = Number(base::ToAbsl(wanted))) {
      out.gid = *number;
    } else {
      return absl::NotFoundError(
          base::StrCat("unable to find group ", wanted,
                       ": no matching entries in group file"));
    }
    return out;  // an explicit group is the only one
  }
  for (const absl::string_view line :
       absl::StrSplit(base::ToAbsl(group), '\n')) {
    const Fields fields = absl::StrSplit(line, ':');
    if (fields.size() < 4 || own_name.empty()) continue;
    for (const absl::string_view member : absl::StrSplit(fields[3], ',')) {
      const std::optional<uint32_t> gid = Number(fields[2]);
      if (base::ToStd(member) == own_name && gid.has_value()) {
        out.groups.push_back(*gid);
      }
    }
  }
  return out;
}

}  // namespace brume::exec
