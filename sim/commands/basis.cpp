#include "sim/commands/commands.h"

namespace winnow {

void add_basis_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("basis", "measure the basis in which a model's queries are white and its keys uncorrelated");
}

}  // namespace winnow
