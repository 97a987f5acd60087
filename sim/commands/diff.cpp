#include <fmt/format.h>

#include <memory>

#include "sim/commands/commands.h"
#include "sim/results/compare.h"

namespace winnow {

void add_diff_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("diff", "two runs: which settings and statistics differ, and by how much");
  auto first = std::make_shared<std::string>(), second = std::make_shared<std::string>();
  command->add_option("RUN", *first, "folder of a run")->required();
  command->add_option("OTHER", *second, "folder of another")->required();
  command->footer(example("  winnow diff results/dense results/select"));
  command->callback([first, second] {
    const StoredRun a = load_run(*first), b = load_run(*second);
    fmt::print("{}", difference(a, b));
  });
}

}  // namespace winnow
