// The command line: parses, calls one command, turns every failure into one line and an exit code.
//   0  done
//   1  done, and an output differs from golden, or a GPU kernel's from the reference
//   2  bad input, a full disk, a machine that cannot hold the trace: one line on stderr
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <new>
#include <system_error>

#include "golden/error.h"
#include "sim/commands/check.h"
#include "sim/commands/commands.h"
#include "sim/commands/gpu.h"
#include "sim/config/schema.h"
#include "sim/rtl/shell.h"
#include "traces/text.h"
#include "winnow_version.h"
#if __has_include("sim/commands/hbm2.h")
#include "sim/commands/hbm2.h"
#define WINNOW_HAS_HBM2_COMMAND
#endif

namespace {

constexpr int kBadInput = 2;

int fail(std::string what) {
  for (char& c : what)
    if (c == '\n') c = ' ';
  while (!what.empty() && what.back() == ' ') what.pop_back();
  std::fflush(stdout);
  std::fprintf(stderr, "winnow: %s\n", what.c_str());
  return kBadInput;
}

// The arguments as one line that a shell reads back.
std::string command_line(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) line += i == 0 ? "winnow" : " " + winnow::rtl::quoted(argv[i]);
  return line;
}

int run(int argc, char** argv) {
  for (const char* command : {"accuracy", "basis", "compare", "report", "reproduce", "sweep"})
    if (argc > 1 && std::string(argv[1]) == command) winnow::exec_package(command, argc, argv);
  if (argc > 1 && std::string(argv[1]) == "capture") winnow::exec_capture(argc, argv);
  if (argc > 1 && std::string(argv[1]) == "wave") winnow::exec_wave(argc, argv);
  CLI::App app{"Winnow simulates an attention accelerator on traces of real models: values, bytes, cycles."};
  app.name("winnow");
  app.set_version_flag("--version", WINNOW_VERSION);
  app.require_subcommand(1);
  app.footer("Every command has --help with an example.");
  int exit_code = 0;
  const std::string line = command_line(argc, argv);
  winnow::add_accuracy_command(app);
  winnow::add_basis_command(app);
  winnow::add_capture_command(app);
  winnow::add_compare_command(app);
  winnow::add_info_command(app);
#ifdef WINNOW_RUN
  winnow::add_run_command(app, line, exit_code);
  winnow::add_check_command(app, line, exit_code);
#endif
  winnow::add_gpu_command(app, line, exit_code);
  winnow::add_diff_command(app);
  winnow::add_table_command(app);
  winnow::add_machines_command(app);
  winnow::add_cost_command(app);
  winnow::add_policies_command(app);
  winnow::add_report_command(app);
  winnow::add_reproduce_command(app);
  winnow::add_sweep_command(app);
  winnow::add_wave_command(app);
#ifdef WINNOW_HAS_HBM2_COMMAND
  winnow::add_hbm2_command(app);
#endif
  if (argc == 1) return fail("no command: winnow --help lists them");
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  const std::string word = argv[1];
  if (!word.starts_with('-') && std::find(names.begin(), names.end(), word) == names.end()) {
    const std::string near = winnow::nearest(word, names);
    return fail(fmt::format("{}: no such command{}", winnow::in_quotes(word),
                            near.empty() ? ": winnow --help lists them" : ", did you mean " + near + "?"));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    return fail(e.what());
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is then an error of the write, like a full disk
  int code = kBadInput;
  try {
    code = run(argc, argv);
  } catch (const winnow::Error& e) {
    return fail(e.what());
  } catch (const std::bad_alloc&) {
    return fail("memory: not enough for this trace: try --layers or --steps");
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(e.what());
  } catch (const std::system_error& e) {  // fmt::print's
    return fail("standard output: " + e.code().message());
  } catch (const std::exception& e) {
    return fail(e.what());
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return fail("standard output: cannot be written");
  return code;
}
