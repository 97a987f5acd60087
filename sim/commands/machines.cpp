#include <fmt/format.h>

#include <memory>

#include "sim/commands/commands.h"
#include "sim/config/machine.h"
#include "sim/results/writers.h"

namespace winnow {

void add_machines_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("machines", "the machines that can be named");
  auto show_name = std::make_shared<std::string>();
  command->add_option("--show", *show_name, "print this machine: every key, its value, unit and rule");
  command->footer(example("  winnow machines\n  winnow machines --show spatten-eighth"));
  command->callback([show_name] {
    if (!show_name->empty()) {
      Machine machine = load_machine(*show_name);
      fmt::print("{}", show_yaml(machine_schema(machine)));
      return;
    }
    std::vector<std::vector<std::string>> rows{
        {"machine", "multipliers", "channels", "softmax", "P", "tokens", "at D"}};
    for (const std::string& name : machine_names()) {
      const Machine m = load_machine(name);
      rows.push_back({name, fmt::format("{} + {}", m.qk.multipliers, m.pv.multipliers), std::to_string(m.hbm2.channels),
                      std::to_string(m.softmax.width), std::to_string(m.topk.parallelism),
                      std::to_string(max_tokens(m, m.qk.sram.head_dim, 1).tokens), std::to_string(m.qk.sram.head_dim)});
    }
    fmt::print("{}", align(rows));
  });
}

}  // namespace winnow
