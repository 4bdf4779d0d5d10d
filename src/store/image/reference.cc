#include "store/image/reference.h"

#include "base/str_cat.h"
#include "store/image/digest.h"

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <array>
#include <vector>

namespace brume::store::image {
namespace {

// distribution/reference: a repository name has at most 255 characters, a tag
// at most 128.
constexpr size_t kMaxName = 255;
constexpr size_t kMaxTag = 128;
constexpr std::string_view kDefaultDomain = "docker.io";

absl::Status Bad(std::string_view text, std::string_view cause) {
  return absl::InvalidArgumentError(
      base::StrCat("parse image reference '", text, "': ", cause));
}

bool IsLowerAlnum(char c) {
  return absl::ascii_isdigit(c) || absl::ascii_islower(c);
}

// alpha-numeric { separator alpha-numeric }, separators being ".", "_", "__"
// and any number of "-".
bool IsPathComponent(std::string_view part) {
  if (part.empty() || !IsLowerAlnum(part.front()) ||
      !IsLowerAlnum(part.back())) {
    return false;
  }
  for (size_t i = 0; i < part.size();) {
    if (IsLowerAlnum(part[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < part.size() && !IsLowerAlnum(part[end])) ++end;
    const std::string_view separator = part.substr(i, end - i);
    if (separator != "." && separator != "_" && separator != "__" &&
        separator.find_first_not_of('-') != std::string_view::npos) {
      return false;
    }
    i = end;
  }
  return true;
}

bool IsDomain(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || !std::all_of(port.begin(), port.end(), [](char c) {
          return absl::ascii_isdigit(c);
        })) {
      return false;
    }
    text = text.substr(0, colon);
  }
  for (const absl::string_view label :
       absl::StrSplit(base::ToAbsl(text), '.')) {
    if (label.empty() || label.front() == '-' || label.back() == '-') {
      return false;
    }
    for (const char c : label) {
      if (!absl::ascii_isalnum(c) && c != '-') return false;
    }
  }
  return true;
}

bool IsTag(std::string_view tag) {
  if (tag.empty() || tag.size() > kMaxTag) return false;
  if (!absl::ascii_isalnum(tag.front()) && tag.front() != '_') return false;
  return std::all_of(tag.begin(), tag.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  });
}

// Whether the part before the first '/' names a registry rather than a folder.
bool LooksLikeDomain(std::string_view part) {
  return part == "localhost" ||
         part.find_first_of(".:") != std::string_view::npos ||
         std::any_of(part.begin(), part.end(),
                     [](char c) { return absl::ascii_isupper(c); });
}

void SplitDomain(std::string_view name, Reference& out) {
  const size_t slash = name.find('/');
  if (slash != std::string_view::npos &&
      LooksLikeDomain(name.substr(0, slash))) {
    out.domain = std::string(name.substr(0, slash));
    out.repository = std::string(name.substr(slash + 1));
  } else {
    out.domain = std::string(kDefaultDomain);
    out.repository = std::string(name);
  }
  if (out.domain == "index.docker.io") out.domain = std::string(kDefaultDomain);
  if (out.domain == kDefaultDomain &&
      out.repository.find('/') == std::string::npos) {
    out.repository = base::StrCat("library/", out.repository);
  }
}

constexpr std::string_view kPrebuiltFolder = "/vertex-ai/training/";
constexpr std::array<std::string_view, 3> kPrebuiltDomains = {
    "us-docker.pkg.dev", "europe-docker.pkg.dev", "asia-docker.pkg.dev"};

}  // namespace

std::string Reference::ToString() const {
  std::string out = name();
  if (!tag.empty()) base::StrAppend(&out, ":", tag);
  if (!digest.empty()) base::StrAppend(&out, "@", digest);
  return out;
}

absl::StatusOr<Reference> ParseReference(std::string_view text) {
  Reference out;
  std::string_view rest = text;
  if (rest.empty()) return Bad(text, "it is empty");
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    out.digest = std::string(rest.substr(at + 1));
    if (!IsDigest(out.digest)) {
      return Bad(text, "the digest must be sha256 and 64 hex digits");
    }
    rest = rest.substr(0, at);
  }
  const size_t slash = rest.rfind('/');
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos &&
      (slash == std::string_view::npos || colon > slash)) {
    out.tag = std::string(rest.substr(colon + 1));
    if (!IsTag(out.tag)) return Bad(text, "invalid tag");
    rest = rest.substr(0, colon);
  }
  SplitDomain(rest, out);
  if (!IsDomain(out.domain)) return Bad(text, "invalid registry host");
  if (out.name().size() > kMaxName) {
    return Bad(text, "repository name must not be more than 255 characters");
  }
  for (const absl::string_view part : absl::StrSplit(out.repository, '/')) {
    if (IsPathComponent(base::ToStd(part))) continue;
    if (std::any_of(part.begin(), part.end(),
                    [](char c) { return absl::ascii_isupper(c); })) {
      return Bad(text, "repository name must be lowercase");
    }
    return Bad(text, "invalid reference format");
  }
  if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
  return out;
}

bool IsPrebuiltTrainingName(std::string_view name) {
  for (const std::string_view domain : kPrebuiltDomains) {
    if (name.starts_with(domain) &&
        name.substr(domain.size()).starts_with(kPrebuiltFolder)) {
      return true;
    }
  }
  return false;
}

std::string CanonicalPrebuiltName(std::string_view name) {
  if (!IsPrebuiltTrainingName(name)) return std::string(name);
  std::string_view rest = name.substr(name.find('/'));
  const size_t python = rest.rfind(".py");
  if (python != std::string_view::npos) {
    const std::string_view digits = rest.substr(python + 3);
    if (!digits.empty() &&
        digits.find_first_not_of("0123456789") == std::string_view::npos) {
      rest = rest.substr(0, python);
    }
  }
  return base::StrCat(kPrebuiltDomains[0], rest);
}

}  // namespace brume::store::image
