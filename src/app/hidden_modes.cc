#include "app/hidden_modes.h"

#include "exec/local/supervisor.h"
#include "store/image/unpack_main.h"

#include <string_view>

namespace brume::app {

std::optional<int> RunHiddenMode(int argc, char** argv) {
  constexpr int kWords = 2;  // the program and the mode
  if (argc < kWords) return std::nullopt;
  const std::string_view mode = argv[1];
  if (mode == kSuperviseMode) {
    return exec::SuperviseMain(argc - kWords, argv + kWords);
  }
  if (mode == kUnpackMode) {
    return store::image::UnpackMain(argc - kWords, argv + kWords);
  }
  return std::nullopt;
}

}  // namespace brume::app
