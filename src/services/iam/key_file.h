#pragma once

#include "services/iam/key_store.h"

#include <string>

namespace brume::services::iam {

// The JSON file that `gcloud iam service-accounts keys create` saves, as Google
// writes it: field for field, two spaces of indentation.
std::string KeyFile(const KeyStore::NewKey& key);

}  // namespace brume::services::iam
