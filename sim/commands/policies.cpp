#include <fmt/format.h>

#include <memory>

#include "golden/policies/policy.h"
#include "sim/commands/commands.h"
#include "sim/config/policy_schema.h"

namespace winnow {

void add_policies_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("policies", "the policies that can be named");
  auto show_name = std::make_shared<std::string>();
  command->add_option("--show", *show_name, "print this policy, by name or .yaml file: every key, its value and rule");
  command->footer(example("  winnow policies\n  winnow policies --show select > mine.yaml"));
  command->callback([show_name] {
    if (!show_name->empty()) {
      golden::Policy policy = load_policy(*show_name);
      fmt::print("{}", show_yaml(policy_file_schema(policy)));
      return;
    }
    for (const golden::PolicyEntry& entry : golden::policies()) fmt::print("{:<18}  {}\n", entry.name, entry.doc);
  });
}

}  // namespace winnow
