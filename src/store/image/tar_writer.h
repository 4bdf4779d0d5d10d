#pragma once

#include "store/image/tar_reader.h"

#include <string>
#include <string_view>

namespace brume::store::image {

// Writes small archives into memory: import tests and generated layers. Long
// names and links, large sizes and extended attributes go into pax headers.
// Not thread-safe.
class TarWriter {
 public:
  // `entry.size` is taken from `data`, which only regular files have.
  void Add(TarEntry entry, std::string_view data = "");
  // Ends the archive and returns it; the writer is empty afterwards.
  std::string Finish();

 private:
  std::string out_;
};

}  // namespace brume::store::image
