#pragma once
// `winnow gpu`: the GPU at hand as a measured baseline. Exit code 1 when a kernel's output is off.
#include <CLI/CLI.hpp>
#include <string>

namespace winnow {

void add_gpu_command(CLI::App& app, const std::string& command_line, int& exit_code);

}  // namespace winnow
