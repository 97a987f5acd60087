#include "sim/rtl/library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include "golden/error.h"
#include "rtl_layout.h"
#include "sim/rtl/shell.h"

namespace winnow::rtl {
namespace {

constexpr int kMissingTool = 3;  // exit code of scripts/rtl/library

// Runs a command; lines that begin with "note: " go to the user at once. Returns the last line: the path, or the reason
// of a failure.
std::string last_line_of(const std::string& command, int& code) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) throw Error("--rtl: no process could be started");
  std::string last, line;
  for (int c; (c = std::fgetc(pipe)) != EOF;) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    if (line.starts_with("note: "))
      std::fprintf(stderr, "rtl: %s\n", line.c_str() + 6);
    else
      last = line;
    line.clear();
  }
  if (!line.empty()) last = line;
  const int status = pclose(pipe);
  code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return last;
}

}  // namespace

Library::Library(const std::string& block, const std::string& folder, const std::vector<std::string>& options)
    : block_(block) {
  const std::string root = WINNOW_SOURCE_DIR, venv = root + "/.venv/bin/python";
  std::string command = quoted(std::filesystem::exists(venv) ? venv : "python3") + " " +
                        quoted(root + "/scripts/rtl/library") + " " + block + " " +
                        quoted(WINNOW_BUILD_DIR "/rtl/libraries");
  for (const std::string& o : options) command += " " + quoted(o);
  if (!folder.empty()) command += " --rtl " + quoted(folder);
  int code = 0;
  path_ = last_line_of(command, code);
  if (code == kMissingTool) throw MissingTool("--rtl: " + block_ + ": " + path_);
  if (code != 0) throw Error("--rtl: " + block_ + ": " + path_);
  handle_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle_) throw Error(fmt::format("--rtl: {}: {}", block_, dlerror()));
}

void* Library::find(const char* function) const { return dlsym(handle_, function); }
void Library::refuse() const {
  throw Error("--rtl: " + block_ + ": " + path_ + ": not of this build: scripts/build brings winnow up to date");
}

std::unique_ptr<BlockPort> BlockLibrary::make(std::uint64_t seed, const std::string& plusargs) const {
  auto* const function = reinterpret_cast<MakeBlockPort*>(find(kMakeBlockPort));
  std::unique_ptr<BlockPort> port(function ? function(WINNOW_RTL_LAYOUT, seed, plusargs.c_str()) : nullptr);
  if (!port) refuse();
  return port;
}

std::vector<std::string> parameters_of(const Block& block) {
  std::vector<std::string> options;
  block.parameters([&](const char* name, std::uint64_t value) {
    options.insert(options.end(), {"--parameter", fmt::format("{}={}", name, value)});
  });
  return options;
}

}  // namespace winnow::rtl
