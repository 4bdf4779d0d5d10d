#pragma once

#include <absl/types/span.h>

#include <string_view>

namespace brume::services::serviceusage {

// A service of the public catalogue (`gcloud services list --available`), the
// part of it that training pipelines meet.
struct CatalogueEntry {
  std::string_view name;   // "aiplatform.googleapis.com"
  std::string_view title;  // "Vertex AI API"
  // On in a new project.
  bool by_default = false;
  // Services that must be on for this one, separated by blanks: they are
  // enabled with it.
  std::string_view needs;
};

// Sorted by name.
absl::Span<const CatalogueEntry> Catalogue();
// nullptr when there is no such service.
const CatalogueEntry* FindService(std::string_view name);

}  // namespace brume::services::serviceusage
