#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

#include "golden/error.h"
#include "sim/commands/commands.h"

namespace winnow {

void add_capture_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("capture", "run a real model on a text and write its attention trace");
}

void exec_capture(int argc, char** argv) {
  // Golden is in the Python package, which a capture without a policy does not need.
  for (int i = 2; i < argc; ++i)
    if (const std::string_view word = argv[i]; word == "--policy" || word.starts_with("--policy="))
      exec_package("capture", argc, argv);
  add_python_path(WINNOW_SOURCE_DIR "/traces");
  exec_python("capture", {"-m", "winnow_traces"}, argc - 1, argv + 1);
}

void add_python_path(const std::string& folder) {
  std::string path = folder;
  if (const char* before = std::getenv("PYTHONPATH"); before != nullptr && *before != '\0')
    path += std::string(":") + before;
  ::setenv("PYTHONPATH", path.c_str(), 1);
}

void exec_python(const std::string& command, std::vector<std::string> words, int argc, char** argv) {
  const std::string python = WINNOW_SOURCE_DIR "/.venv/bin/python";
  if (!std::filesystem::exists(python)) throw Error(python + ": " + command + ": not there: scripts/setup makes it");
  std::vector<char*> args{const_cast<char*>(python.c_str())};
  for (std::string& word : words) args.push_back(word.data());
  for (int i = 0; i < argc; ++i) args.push_back(argv[i]);
  args.push_back(nullptr);
  ::execv(python.c_str(), args.data());
  throw Error(python + ": " + command + ": " + std::strerror(errno));
}

}  // namespace winnow
