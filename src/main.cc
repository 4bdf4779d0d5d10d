#include "app/hidden_modes.h"
#include "cli/command.h"

#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (const auto code = brume::app::RunHiddenMode(argc, argv)) return *code;
  return brume::cli::Main(std::vector<std::string>(argv + 1, argv + argc));
}
