#include "api/wire.h"

#include "base/str_cat.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <utility>

namespace brume::api {

void Headers::Set(std::string_view name, std::string value) {
  const auto same = [name](const std::pair<std::string, std::string>& field) {
    return absl::EqualsIgnoreCase(base::ToAbsl(field.first),
                                  base::ToAbsl(name));
  };
  fields_.erase(std::remove_if(fields_.begin(), fields_.end(), same),
                fields_.end());
  fields_.emplace_back(std::string(name), std::move(value));
}

std::optional<std::string_view> Headers::Get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (absl::EqualsIgnoreCase(base::ToAbsl(key), base::ToAbsl(name))) {
      return value;
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::GetAll(std::string_view name) const {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : fields_) {
    if (absl::EqualsIgnoreCase(base::ToAbsl(key), base::ToAbsl(name))) {
      out.emplace_back(value);
    }
  }
  return out;
}

}  // namespace brume::api
