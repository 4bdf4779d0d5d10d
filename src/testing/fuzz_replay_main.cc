#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

// Replays a fuzzer's corpus where libFuzzer is not built in: every file of the
// given folder once. Fewer than 20 files is an error, so that a corpus which
// was moved or lost does not pass.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  constexpr int kLeastFiles = 20;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_DIR\n", argv[0]);
    return 2;
  }
  std::error_code error;
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(argv[1], error)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)),
                            std::istreambuf_iterator<char>());
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                           bytes.size());
    ++files;
  }
  if (error || files < kLeastFiles) {
    std::fprintf(stderr, "replay '%s': %d files, at least %d expected\n",
                 argv[1], files, kLeastFiles);
    return 1;
  }
  std::printf("replayed %d files\n", files);
  return 0;
}
