#include "sim/commands/commands.h"

namespace winnow {

void add_reproduce_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("reproduce", "the paper's figures beside ours, artefact by artefact, as one page");
}

}  // namespace winnow
