#include "sim/commands/commands.h"

namespace winnow {

void add_compare_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("compare", "policies at equal bytes of K and V: cycles, joules, accuracy");
}

}  // namespace winnow
