#pragma once
// Options of the RTL tests' programs: a wrong one ends with exit code 2, as everywhere in Winnow.
#include <optional>

#include <CLI/CLI.hpp>

namespace winnow::test {

// The exit code where the program ends here: 0 after --help, 2 after a wrong option, which is said.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace winnow::test
