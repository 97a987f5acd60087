#include "sim/commands/commands.h"

namespace winnow {

void add_wave_command(CLI::App& app) {
  // Only for the list of commands: main hands the arguments over before they are parsed here.
  app.add_subcommand("wave", "read a waveform: first difference, stalls, transactions, pictures");
}

void exec_wave(int argc, char** argv) {
  exec_python("wave", {WINNOW_SOURCE_DIR "/scripts/rtl/wave"}, argc - 2, argv + 2);
}

}  // namespace winnow
