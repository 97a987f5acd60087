#include "sim/commands/commands.h"

namespace winnow {

void add_sweep_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("sweep", "measure many points of machine and policy, and find those that nothing beats");
}

}  // namespace winnow
