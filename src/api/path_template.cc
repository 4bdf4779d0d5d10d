#include "api/path_template.h"

#include "base/encoding.h"

namespace brume::api {
namespace {

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

// Percent-decodes everything but %2F.
std::optional<std::string> DecodeKeepingSlash(std::string_view text) {
  std::string out;
  size_t begin = 0;
  for (size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] == '%' && text[i + 1] == '2' &&
        (text[i + 2] == 'F' || text[i + 2] == 'f')) {
      const auto part = base::PercentDecode(text.substr(begin, i - begin));
      if (!part) return std::nullopt;
      out += *part;
      out.append(text.substr(i, 3));
      begin = i + 3;
      i += 2;
    }
  }
  const auto part = base::PercentDecode(text.substr(begin));
  if (!part) return std::nullopt;
  return out + *part;
}

}  // namespace

std::optional<PathTemplate> PathTemplate::Parse(std::string_view text) {
  if (text.empty() || text[0] != '/') return std::nullopt;
  text.remove_prefix(1);
  PathTemplate out;
  // The verb follows the last ':' that is outside braces.
  const size_t brace = text.rfind('}');
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos &&
      (brace == std::string_view::npos || colon > brace)) {
    out.verb_ = std::string(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  const auto add = [&out](std::string_view segment) {
    Segment parsed;
    if (segment == "*") {
      parsed.kind = Segment::Kind::kOne;
    } else if (segment == "**") {
      parsed.kind = Segment::Kind::kRest;
    } else {
      parsed.literal = std::string(segment);
    }
    out.segments_.push_back(std::move(parsed));
  };
  while (!text.empty()) {
    if (text[0] == '{') {
      const size_t close = text.find('}');
      if (close == std::string_view::npos) return std::nullopt;
      const std::string_view inner = text.substr(1, close - 1);
      const size_t equals = inner.find('=');
      Variable variable;
      variable.field = std::string(inner.substr(0, equals));
      variable.begin = out.segments_.size();
      const std::string_view pattern =
          equals == std::string_view::npos ? "*" : inner.substr(equals + 1);
      for (const std::string_view part : SplitPath(pattern)) add(part);
      variable.end = out.segments_.size();
      out.variables_.push_back(std::move(variable));
      text.remove_prefix(close + 1);
    } else {
      const size_t slash = text.find('/');
      add(text.substr(0, slash));
      text.remove_prefix(slash == std::string_view::npos ? text.size() : slash);
    }
    if (!text.empty()) {
      if (text[0] != '/') return std::nullopt;
      text.remove_prefix(1);
    }
  }
  return out;
}

std::optional<PathTemplate::Bindings> PathTemplate::Match(
    std::string_view path) const {
  if (path.empty() || path[0] != '/') return std::nullopt;
  path.remove_prefix(1);
  if (!verb_.empty()) {
    if (path.size() <= verb_.size() + 1 ||
        path.substr(path.size() - verb_.size()) != verb_ ||
        path[path.size() - verb_.size() - 1] != ':') {
      return std::nullopt;
    }
    path.remove_suffix(verb_.size() + 1);
  }
  const std::vector<std::string_view> parts = SplitPath(path);
  // Where each template segment begins in `parts`; "**" takes what the fixed
  // segments leave (a template has at most one).
  std::vector<size_t> begin(segments_.size() + 1);
  size_t at = 0;
  for (size_t i = 0; i < segments_.size(); ++i) {
    begin[i] = at;
    const Segment& segment = segments_[i];
    if (segment.kind == Segment::Kind::kRest) {
      const size_t after = segments_.size() - i - 1;
      if (parts.size() < at + after) return std::nullopt;
      at = parts.size() - after;
      continue;
    }
    if (at >= parts.size()) return std::nullopt;
    if (segment.kind == Segment::Kind::kOne) {
      if (parts[at].empty()) return std::nullopt;
    } else if (parts[at] != segment.literal) {
      // A literal may arrive percent-encoded.
      const auto decoded = base::PercentDecode(parts[at]);
      if (!decoded || *decoded != segment.literal) return std::nullopt;
    }
    ++at;
  }
  begin[segments_.size()] = at;
  if (at != parts.size()) return std::nullopt;
  Bindings bindings;
  for (const Variable& variable : variables_) {
    std::string value;
    const size_t from = begin[variable.begin];
    const size_t to = begin[variable.end];
    for (size_t i = from; i < to; ++i) {
      if (i > from) value += '/';
      const auto decoded = to - from == 1 ? base::PercentDecode(parts[i])
                                          : DecodeKeepingSlash(parts[i]);
      if (!decoded) return std::nullopt;
      value += *decoded;
    }
    bindings.emplace_back(variable.field, std::move(value));
  }
  return bindings;
}

}  // namespace brume::api
