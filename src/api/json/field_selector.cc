#include "api/json/field_selector.h"

#include "base/status_macros.h"
#include "base/str_cat.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vector>

namespace brume::api {
namespace {

namespace json = boost::json;

constexpr int kMaxDepth = 50;

bool NameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '@' ||
         c == '$' || c == '*';
}

std::string Camel(std::string_view name) {
  std::string out;
  bool upper = false;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

}  // namespace

// selector = path *("," path); path = name *(("/" | ".") name) ["(" selector
// ")"].
class FieldSelectorParser {
 public:
  explicit FieldSelectorParser(std::string_view text) : text_(text) {}

  absl::Status Parse(FieldSelector* root) {
    RETURN_IF_ERROR(List(root, 0));
    if (at_ != text_.size()) return Bad();
    return absl::OkStatus();
  }

 private:
  absl::Status Bad() const {
    return absl::InvalidArgumentError(base::ToAbsl(
        base::StrCat("Invalid field selection ", text_.substr(0, 200),
                     " (at character ", at_ + 1, ")")));
  }

  void Spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  absl::Status List(FieldSelector* into, int depth) {
    if (depth > kMaxDepth) return Bad();
    while (true) {
      RETURN_IF_ERROR(Path(into, depth));
      Spaces();
      if (at_ >= text_.size() || text_[at_] != ',') return absl::OkStatus();
      ++at_;
    }
  }

  absl::Status Path(FieldSelector* into, int depth) {
    FieldSelector* node = into;
    bool whole = false;
    for (int parts = 0;; ++parts) {
      if (parts > kMaxDepth) return Bad();
      Spaces();
      const size_t begin = at_;
      while (at_ < text_.size() && NameChar(text_[at_])) ++at_;
      if (at_ == begin) return Bad();
      const std::string name(text_.substr(begin, at_ - begin));
      const auto [it, added] = node->children_.try_emplace(name);
      // "a,a/b" selects all of a.
      whole = !added && it->second.children_.empty();
      node = &it->second;
      if (whole) {
        // What follows is parsed, and changes nothing.
        scratch_.push_back(std::make_unique<FieldSelector>());
        node = scratch_.back().get();
      }
      Spaces();
      if (at_ >= text_.size() || (text_[at_] != '/' && text_[at_] != '.')) {
        break;
      }
      ++at_;
    }
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      RETURN_IF_ERROR(List(node, depth + 1));
      if (at_ >= text_.size() || text_[at_] != ')') return Bad();
      ++at_;
      return absl::OkStatus();
    }
    node->children_.clear();
    return absl::OkStatus();
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<std::unique_ptr<FieldSelector>> scratch_;
};

absl::StatusOr<FieldSelector> FieldSelector::Parse(std::string_view text) {
  FieldSelector root;
  if (text.empty()) return root;
  FieldSelectorParser parser(text);
  RETURN_IF_ERROR(parser.Parse(&root));
  return root;
}

const FieldSelector* FieldSelector::Child(std::string_view key) const {
  if (everything()) return this;
  if (const auto exact = children_.find(key); exact != children_.end()) {
    return &exact->second;
  }
  for (const auto& [name, child] : children_) {
    if (name == "*" || Camel(name) == key) return &child;
  }
  return nullptr;
}

void FieldSelector::Apply(json::value* value) const {
  if (everything()) return;
  if (json::array* array = value->if_array()) {
    for (json::value& item : *array) Apply(&item);
    return;
  }
  json::object* object = value->if_object();
  if (object == nullptr) return;
  json::object kept;
  for (json::key_value_pair& pair : *object) {
    const std::string_view key(pair.key().data(), pair.key().size());
    bool selected = false;
    for (const auto& [name, child] : children_) {
      if (name != "*" && name != key && Camel(name) != key) continue;
      json::value copy = std::move(pair.value());
      child.Apply(&copy);
      // "a(b)" of an object without b leaves {}, which Google drops as well.
      kept[pair.key()] = std::move(copy);
      selected = true;
      break;
    }
    if (!selected) continue;
  }
  *object = std::move(kept);
}

}  // namespace brume::api
