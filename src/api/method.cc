#include "api/method.h"

#include "api/route_rows.h"
#include "base/log.h"
#include "base/str_cat.h"

#include <absl/strings/match.h>
#include <absl/strings/str_split.h>
#include <google/protobuf/descriptor.h>

#include <cstdlib>

namespace brume::api {
namespace {

namespace pb = google::protobuf;

[[noreturn]] void Mistake(std::string_view what, std::string_view name) {
  base::Log(base::LogLevel::kError, "api", "mistake in the method table",
            {{"what", what}, {"name", name}});
  std::abort();
}

}  // namespace

Access Access::Permission(std::string_view permission,
                          std::string_view resource_field) {
  return Permissions({std::string(permission)}, resource_field);
}

Access Access::Permissions(std::vector<std::string> permissions,
                           std::string_view resource_field) {
  Access access;
  access.permissions_ = std::move(permissions);
  access.resource_field_ = std::string(resource_field);
  return access;
}

Access Access::None(std::string_view reason) {
  Access access;
  access.reason_ = std::string(reason);
  return access;
}

Access Access::NoneOn(std::string_view resource_field,
                      std::string_view reason) {
  Access access = None(reason);
  access.resource_field_ = std::string(resource_field);
  return access;
}

void MethodTable::Add(Method method) {
  if (!IsKnownMethod(method.name)) Mistake("no such method", method.name);
  std::string name = method.name;
  const bool added =
      rows_.emplace(name, std::make_unique<Method>(std::move(method))).second;
  if (!added) Mistake("a second row", name);
}

const Method* MethodTable::Find(std::string_view name) const {
  const auto it = rows_.find(name);
  return it == rows_.end() ? nullptr : it->second.get();
}

std::vector<const Method*> MethodTable::rows() const {
  std::vector<const Method*> out;
  out.reserve(rows_.size());
  for (const auto& [name, row] : rows_) out.push_back(row.get());
  return out;
}

std::vector<std::string> ResourcesOf(const pb::Message& request,
                                     std::string_view field) {
  if (field.empty()) return {};
  const pb::Message* message = &request;
  const std::vector<std::string> path =
      absl::StrSplit(base::ToAbsl(field), '.');
  for (size_t i = 0; i < path.size(); ++i) {
    const pb::FieldDescriptor* part =
        message->GetDescriptor()->FindFieldByName(path[i]);
    if (part == nullptr) Mistake("no such resource field", field);
    const pb::Reflection& reflection = *message->GetReflection();
    if (i + 1 < path.size()) {
      message = &reflection.GetMessage(*message, part);
      continue;
    }
    if (part->is_repeated()) {
      std::vector<std::string> out;
      for (int k = 0; k < reflection.FieldSize(*message, part); ++k) {
        out.push_back(reflection.GetRepeatedString(*message, part, k));
      }
      return out;
    }
    std::string value = reflection.GetString(*message, part);
    if (value.empty()) return {};
    return {std::move(value)};
  }
  return {};
}

std::string ProjectOf(std::string_view resource) {
  constexpr std::string_view kFull = "//cloudresourcemanager.googleapis.com/";
  constexpr std::string_view kProjects = "projects/";
  constexpr std::string_view kAccounts = "projects/-/serviceAccounts/";
  constexpr std::string_view kDomain = ".iam.gserviceaccount.com";
  if (resource.substr(0, kFull.size()) == kFull) {
    resource.remove_prefix(kFull.size());
  }
  if (resource.substr(0, kAccounts.size()) == kAccounts) {
    std::string_view account = resource.substr(kAccounts.size());
    account = account.substr(0, account.find('/'));
    const size_t at = account.find('@');
    const size_t end = account.rfind(kDomain);
    if (at == std::string_view::npos || end == std::string_view::npos ||
        end <= at || end + kDomain.size() != account.size()) {
      return "";
    }
    std::string_view project = account.substr(at + 1, end - at - 1);
    // Service agents live in projects of Google's own.
    if (project.substr(0, 4) == "gcp-") return "";
    return std::string(project);
  }
  if (resource.substr(0, kProjects.size()) == kProjects) {
    resource.remove_prefix(kProjects.size());
    resource = resource.substr(0, resource.find('/'));
    return resource == "-" ? "" : std::string(resource);
  }
  if (resource.find('/') != std::string_view::npos || resource == "-") {
    return "";
  }
  return std::string(resource);
}

}  // namespace brume::api
