#include "api/route_rows.h"

#include <algorithm>

namespace brume::api {

const KnownMethod* FindKnownMethod(std::string_view name) {
  const KnownMethod* end = kKnownMethods + kKnownMethodCount;
  const KnownMethod* it =
      std::lower_bound(kKnownMethods, end, name,
                       [](const KnownMethod& row, std::string_view key) {
                         return row.name < key;
                       });
  return it != end && it->name == name ? it : nullptr;
}

}  // namespace brume::api
