#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "golden/error.h"
#include "sim/commands/commands.h"

namespace winnow {

void add_capture_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("capture", "run a real model on a text and write its attention trace");
}

void exec_capture(int argc, char** argv) {
  const std::string root = WINNOW_SOURCE_DIR, python = root + "/.venv/bin/python";
  if (!std::filesystem::exists(python)) throw Error(python + ": capture: not there: scripts/setup makes it");
  std::string path = root + "/traces";
  if (const char* before = std::getenv("PYTHONPATH"); before != nullptr && *before != '\0')
    path += std::string(":") + before;
  ::setenv("PYTHONPATH", path.c_str(), 1);
  std::string module_flag = "-m", module = "winnow_traces";
  std::vector<char*> args{const_cast<char*>(python.c_str()), module_flag.data(), module.data()};
  for (int i = 1; i < argc; ++i) args.push_back(argv[i]);
  args.push_back(nullptr);
  ::execv(python.c_str(), args.data());
  throw Error(python + ": capture: " + std::strerror(errno));
}

}  // namespace winnow
