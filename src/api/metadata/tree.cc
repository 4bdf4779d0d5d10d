#include "api/metadata/tree.h"

#include "base/str_cat.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace brume::api::metadata {
namespace {

namespace json = boost::json;

constexpr char kMachine[] = "n1-standard-4";

// A number for a name, the same at each start (FNV-1a, 63 bits).
uint64_t NumberFor(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : name) hash = (hash ^ c) * 0x100000001b3;
  return hash >> 1;
}

uint64_t ToNumber(const std::string& digits) {
  uint64_t number = 0;
  return absl::SimpleAtoi(digits, &number) ? number : 0;
}

json::object Account(const Facts& facts) {
  json::object account;
  account["aliases"] = json::array{"default"};
  account["email"] = facts.email;
  json::array scopes;
  for (const std::string& scope : facts.scopes) scopes.emplace_back(scope);
  account["scopes"] = std::move(scopes);
  return account;
}

// The one interface every machine of Compute Engine has.
json::object Interface(const std::string& project_number) {
  json::object out;
  out["accessConfigs"] = json::array();
  out["dnsServers"] = json::array{"169.254.169.254"};
  out["forwardedIps"] = json::array();
  out["gateway"] = "10.128.0.1";
  out["ip"] = "10.128.0.2";
  out["ipAliases"] = json::array();
  out["mac"] = "42:01:0a:80:00:02";
  out["mtu"] = 1460;
  out["network"] =
      base::StrCat("projects/", project_number, "/networks/default");
  out["subnetmask"] = "255.255.240.0";
  out["targetInstanceIps"] = json::array();
  return out;
}

// Keys that are names, not words: they are in no camel case.
bool IsName(std::string_view key) {
  return key.find('@') != std::string_view::npos;
}

void AddLeaves(const json::value& value, const std::string& path,
               std::string* out) {
  if (const json::object* object = value.if_object()) {
    for (const auto& [key, child] : *object) {
      const std::string name = KebabCase({key.data(), key.size()});
      AddLeaves(child, path.empty() ? name : base::StrCat(path, "/", name),
                out);
    }
    return;
  }
  if (IsDirectory(value)) {
    const json::array& list = value.get_array();
    for (size_t i = 0; i < list.size(); ++i) {
      AddLeaves(list[i], base::StrCat(path, "/", i), out);
    }
    return;
  }
  base::StrAppend(out, path, " ", LeafText(value), "\n");
}

}  // namespace

json::object TreeOf(const Facts& facts) {
  const std::string number = facts.project.number;
  json::object instance;
  instance["attributes"] = json::object();
  instance["cpuPlatform"] = "Intel Skylake";
  instance["description"] = "";
  instance["hostname"] = base::StrCat(facts.name, ".", facts.zone, ".c.",
                                      facts.project.id, ".internal");
  instance["id"] = NumberFor(facts.name);
  instance["image"] = "";
  instance["machineType"] =
      base::StrCat("projects/", number, "/machineTypes/", kMachine);
  instance["maintenanceEvent"] = "NONE";
  instance["name"] = facts.name;
  instance["networkInterfaces"] = json::array{Interface(number)};
  instance["preempted"] = "FALSE";
  instance["serviceAccounts"] =
      json::object{{facts.email, Account(facts)}, {"default", Account(facts)}};
  instance["tags"] = json::array();
  instance["zone"] = base::StrCat("projects/", number, "/zones/", facts.zone);

  json::object project;
  project["attributes"] = json::object();
  project["numericProjectId"] = ToNumber(number);
  project["projectId"] = facts.project.id;

  json::object tree;
  tree["instance"] = std::move(instance);
  tree["project"] = std::move(project);
  tree["universe"] = json::object{{"universeDomain", "googleapis.com"}};
  return tree;
}

std::string CamelCase(std::string_view kebab) {
  if (IsName(kebab)) return std::string(kebab);
  std::string out;
  bool up = false;
  for (const char c : kebab) {
    if (c == '-') {
      up = true;
      continue;
    }
    out += up ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c;
    up = false;
  }
  return out;
}

std::string KebabCase(std::string_view camel) {
  if (IsName(camel)) return std::string(camel);
  std::string out;
  for (const char c : camel) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isupper(byte)) {
      out += '-';
      out += absl::ascii_tolower(byte);
    } else {
      out += c;
    }
  }
  return out;
}

const json::value* Find(const json::value& tree, std::string_view path) {
  const json::value* at = &tree;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view()
                                           : path.substr(slash + 1);
    if (const json::array* list = at->if_array()) {
      size_t index = 0;
      if (!absl::SimpleAtoi(base::ToAbsl(name), &index) ||
          index >= list->size() || base::StrCat(index) != name) {
        return nullptr;
      }
      at = &(*list)[index];
      continue;
    }
    const json::object* object = at->if_object();
    if (object == nullptr) return nullptr;
    const std::string key = CamelCase(name);
    // Only the path's own spelling: "instance/serviceAccounts" is none.
    if (KebabCase(key) != name) return nullptr;
    at = object->if_contains(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

bool IsDirectory(const json::value& value) {
  const json::array* list = value.if_array();
  return value.is_object() ||
         (list != nullptr && !list->empty() && list->front().is_object());
}

std::string Listing(const json::value& directory) {
  std::string out;
  if (const json::array* list = directory.if_array()) {
    for (size_t i = 0; i < list->size(); ++i) base::StrAppend(&out, i, "/\n");
    return out;
  }
  for (const auto& [key, child] : directory.get_object()) {
    base::StrAppend(&out, KebabCase({key.data(), key.size()}),
                    IsDirectory(child) ? "/\n" : "\n");
  }
  return out;
}

std::string LeafText(const json::value& leaf) {
  if (const json::string* text = leaf.if_string()) {
    return std::string(text->data(), text->size());
  }
  if (const json::array* list = leaf.if_array()) {
    std::string out;
    for (const json::value& item : *list) {
      if (!out.empty()) out += '\n';
      out += LeafText(item);
    }
    return out;
  }
  return json::serialize(leaf);
}

std::string RecursiveText(const json::value& value) {
  std::string out;
  AddLeaves(value, "", &out);
  return out;
}

}  // namespace brume::api::metadata
