#include "store/fs/file_system.h"

namespace brume::store {

std::string DirectoryOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace brume::store
