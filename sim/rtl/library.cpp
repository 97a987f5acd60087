#include "sim/rtl/library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include "golden/error.h"

namespace winnow::rtl {
namespace {

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

// Output of a command, both streams; its last line is the path, or the reason of a failure.
std::string last_line_of(const std::string& command, int& code) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) throw Error("--rtl: no process could be started");
  std::string text;
  char part[4096];
  while (const std::size_t n = fread(part, 1, sizeof part, pipe)) text.append(part, n);
  const int status = pclose(pipe);
  code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

TopkLibrary::TopkLibrary(const topk::Config& c, const std::string& folder) {
  const std::string root = WINNOW_SOURCE_DIR, venv = root + "/.venv/bin/python";
  std::string command = quoted(std::filesystem::exists(venv) ? venv : "python3") + " " + quoted(root + "/scripts/rtl/library") +
                        " topk " + quoted(WINNOW_BUILD_DIR "/rtl/libraries") +
                        // Built with the sampler; which pivot rule runs is an input.
                        fmt::format(" --set topk.parallelism={} --set topk.fifo={} --set topk.pivot=sampled --item-bits {}",
                                    c.parallelism, c.fifo_depth, c.item_bits);
  if (!folder.empty()) command += " --rtl " + quoted(folder);
  int code = 0;
  path_ = last_line_of(command, code);
  if (code != 0) throw Error("--rtl: topk: " + path_);
  handle_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle_) throw Error(fmt::format("--rtl: topk: {}", dlerror()));
}

std::unique_ptr<TopkPort> TopkLibrary::make(topk::PivotRule pivot, std::uint64_t seed) const {
  auto* const function = reinterpret_cast<MakeTopkPort*>(dlsym(handle_, kMakeTopkPort));
  std::unique_ptr<TopkPort> port(function ? function(kTopkLayout, pivot, seed) : nullptr);
  if (!port) throw Error("--rtl: topk: " + path_ + ": not of this build: scripts/build brings winnow up to date");
  return port;
}

}  // namespace winnow::rtl
