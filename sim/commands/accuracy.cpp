#include "sim/commands/commands.h"

namespace winnow {

void add_accuracy_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("accuracy", "run golden inside a model on a text: what does a policy do to its accuracy?");
}

}  // namespace winnow
