#pragma once

#include "store/fs/file_system.h"

#include <memory>

namespace brume::store {

// The machine's own file system. Sync is fdatasync; long files are handed to
// the disk while they grow (sync_file_range), so that the last sync is short.
std::unique_ptr<FileSystem> MakePosixFileSystem();

}  // namespace brume::store
