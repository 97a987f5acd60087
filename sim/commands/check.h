#pragma once
// `winnow check`: engines held against each other on a trace.
#include <CLI/CLI.hpp>

namespace winnow {

// Stores 1 in `exit_code` when a value differs.
void add_check_command(CLI::App& app, const std::string& command_line, int& exit_code);

}  // namespace winnow
