#include "sim/commands/commands.h"

namespace winnow {

void add_report_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("report",
                     "one HTML file of runs: what they found, where time and energy go, which words were read");
}

}  // namespace winnow
