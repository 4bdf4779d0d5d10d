#pragma once

#include "store/fs/file_system.h"

#include <memory>
#include <string>
#include <string_view>

namespace rocksdb {
class Env;
}

namespace brume::store {

// RocksDB's files on our FileSystem, so that a test's disk lies under RocksDB
// too. `files` must outlive the Env. Internal to this folder.
std::unique_ptr<rocksdb::Env> MakeRocksEnv(FileSystem* files);

// Under which label RocksDB's sync of a file counts; empty: it is left out,
// since nothing is lost without it (OPTIONS and IDENTITY are written anew).
std::string RocksSyncLabel(std::string_view file_name);

}  // namespace brume::store
