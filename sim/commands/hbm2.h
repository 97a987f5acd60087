#pragma once
// `winnow hbm2`: the memory model alone on a request stream.
#include <CLI/CLI.hpp>

namespace winnow {

void add_hbm2_command(CLI::App& app);

}  // namespace winnow
