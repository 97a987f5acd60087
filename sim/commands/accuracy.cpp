#include <filesystem>

#include "golden/error.h"
#include "sim/commands/commands.h"

namespace winnow {

void add_accuracy_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("accuracy", "run golden inside a model on a text: what does a policy do to its accuracy?");
}

void exec_package(int argc, char** argv) {
  const std::string package = WINNOW_BUILD_DIR "/python";
  bool built = false;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(package + "/winnow", ec))
    built |= entry.path().filename().string().starts_with("_core.") && entry.path().extension() == ".so";
  if (!built)
    throw Error(package + ": " + argv[1] +
                ": the Python package is not built: scripts/setup --python, then scripts/build");
  add_python_path(package);
  add_python_path(WINNOW_SOURCE_DIR "/traces");
  exec_python(argv[1], {"-m", "winnow"}, argc - 1, argv + 1);
}

}  // namespace winnow
