#pragma once
// One function a command, each in the file of its name: declares the command's options and what it does.
// A command that ends with another code than 0 stores it in `exit_code`.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace winnow {

void add_accuracy_command(CLI::App& app);
void add_basis_command(CLI::App& app);
void add_capture_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_info_command(CLI::App& app);
// `command_line`: as typed, for the run's manifest.
void add_run_command(CLI::App& app, const std::string& command_line, int& exit_code);
void add_diff_command(CLI::App& app);
void add_table_command(CLI::App& app);
void add_cost_command(CLI::App& app);
void add_machines_command(CLI::App& app);
void add_policies_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_reproduce_command(CLI::App& app);
void add_sweep_command(CLI::App& app);
void add_wave_command(CLI::App& app);

// Becomes the Python package's command of that name (python/winnow), with all arguments; returns only by throwing
// Error.
[[noreturn]] void exec_package(const std::string& command, int argc, char** argv);
// Becomes the Python program that captures, with all arguments after "capture"; returns only by throwing Error.
[[noreturn]] void exec_capture(int argc, char** argv);
// Becomes scripts/rtl/wave with all arguments after "wave".
[[noreturn]] void exec_wave(int argc, char** argv);
// A folder in front of those in which Python looks for modules.
void add_python_path(const std::string& folder);
// Becomes the project's Python with these words, then these arguments.
[[noreturn]] void exec_python(const std::string& command, std::vector<std::string> words, int argc, char** argv);

// CLI11's validator of --seed: what is wrong with the text, or nothing.
std::string is_seed(const std::string& text);
// results/FRONT<trace>-<machine>-<policy>
struct RunOptions;
std::string default_folder(const std::string& front, const RunOptions& options);

// The footer of a command's --help.
inline std::string example(const std::string& lines) { return "\nExample:\n" + lines; }

}  // namespace winnow
