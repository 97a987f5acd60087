#include <fmt/format.h>

#include <memory>
#include <vector>

#include "sim/commands/commands.h"
#include "sim/results/compare.h"

namespace winnow {

void add_table_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("table", "runs side by side, a column each, and what each found");
  auto folders = std::make_shared<std::vector<std::string>>();
  auto all = std::make_shared<bool>(false);
  command->add_option("RUN", *folders, "folders of runs")->required();
  command->add_flag("--all", *all, "every statistic, as wide as it is");
  command->footer(example("  winnow table results/dense results/spatten results/select"));
  command->callback([folders, all] {
    std::vector<StoredRun> runs;
    for (const std::string& folder : *folders) runs.push_back(load_run(folder));
    fmt::print("{}", side_by_side(runs, *all));
    if (!*all) fmt::print("\n{}", findings(runs));
  });
}

}  // namespace winnow
