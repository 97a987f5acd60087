#pragma once
// `winnow gpu`: the GPU at hand as a measured baseline.
#include <CLI/CLI.hpp>
#include <string>

namespace winnow {

void add_gpu_command(CLI::App& app, const std::string& command_line);

}  // namespace winnow
