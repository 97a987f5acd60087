#ifdef WINNOW_RUN
#include "sim/commands/check.h"

#include <fmt/format.h>

#include <memory>

#include "golden/error.h"
#include "sim/commands/commands.h"
#include "sim/commands/range.h"
#include "sim/engines/check_engines.h"
#include "sim/engines/prepare.h"
#include "sim/results/progress.h"
#include "sim/results/writers.h"
#include "sim/rtl/blocks.h"
#include "traces/workload.h"

namespace winnow {
namespace {

std::string grouped(std::uint64_t x) {
  std::string digits = std::to_string(x);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
  return text;
}

int check(const RunOptions& options, const std::string& names) {
  const auto wanted = parse_engines(names);
  if (rtl::parse_requests(options.rtl).empty()) throw Error("--rtl: '': must name a block: topk");
  if (is_workload(options.trace))
    throw Error(fmt::format("check: {}: holds shapes without values: must be a .safetensors trace, or synthetic:...",
                            options.trace));
  const Prepared p = prepare(options);
  golden::require_effect(p.policy, p.shape);
  EngineHooks hooks;
  hooks.waves = options.output, hooks.repeat = options.command;
  const auto layers = static_cast<std::uint64_t>(p.range.last_layer - p.range.first_layer + 1) *
                      static_cast<std::uint64_t>(p.range.last_step - p.range.first_step + 1);
  Progress progress("check", layers * wanted.size(), "layers");
  hooks.pause = [&] { progress.finish(); };
  const CheckResult r = check_engines({p, options.seed, options.rtl, hooks}, wanted,
                                      [&](std::uint64_t done) { progress.at(done, static_cast<double>(done)); });
  progress.finish();

  fmt::print("engines: {}\n", joined(r.had));
  fmt::print("{}: policy {}, {} layers compared\n", options.trace, p.policy.name, grouped(r.layers));
  for (std::size_t i = 0; i < r.comparisons.size(); ++i) {
    const Comparison& c = r.comparisons[i];
    std::vector<std::vector<std::string>> rows = {{c.actual() + " against " + c.expected(), "compared", "different"}};
    for (int k = 0; k < kCompareKinds; ++k) {
      const auto kind = static_cast<CompareKind>(k);
      rows.push_back({kCompareNames[k], grouped(c.compared(kind)), grouped(c.different(kind))});
    }
    if (c.stopped()) rows.push_back({"stopped", "", "yes"});
    rows.push_back({"all", grouped(c.compared()), grouped(c.different())});
    fmt::print("\n{}", align(rows));
    fmt::print("{}", r.lockstep[i]);
    if (c.different()) fmt::print("first difference: {}\n", c.first_difference());
  }
  if (!r.had_not.empty()) fmt::print("not there: {}\n", joined(r.had_not));
  return r.equal() ? 0 : 1;
}

}  // namespace

void add_check_command(CLI::App& app, const std::string& command_line, int& exit_code) {
  CLI::App* command = app.add_subcommand("check", "hold engines against each other on a trace, value for value");
  auto options = std::make_shared<RunOptions>();
  auto layers = std::make_shared<std::string>(), steps = std::make_shared<std::string>();
  options->command = command_line;
  auto names = std::make_shared<std::string>("golden,cuda,systemc,rtl");
  command->add_option("TRACE", options->trace, "a .safetensors trace, or synthetic:...")->required();
  command->add_option("--engines", *names, "which to compare, with the first that is there")->capture_default_str();
  command->add_option("--machine", options->machine, "a name (winnow machines) or a .yaml file")->capture_default_str();
  command->add_option("--policy", options->policy, "a name (winnow policies) or a .yaml file")->capture_default_str();
  command
      ->add_option("--rtl", options->rtl, "what the engine rtl has in RTL: topk, or topk=FOLDER with the sources there")
      ->default_val("topk");
  command->add_option("--seed", options->seed, "of the pivots")->check(is_seed)->capture_default_str();
  command->add_option("-o,--output", options->output,
                      "folder for the waveform of a difference of RTL (default: results/check-TRACE-MACHINE-POLICY)");
  command->add_option("--layers", *layers, "A-B: compare these layers only; those before are computed all the same");
  command->add_option("--steps", *steps, "A-B: compare these steps only; 0 is the prompt, 1.. the generated tokens");
  command->add_option("--set", options->set, "key=value: another value for a key of the machine or the policy")
      ->take_all()
      ->allow_extra_args(false);
  command->footer(example(
      "  winnow check traces/samples/smollm2-160.safetensors --engines golden,cuda --policy select --steps 0-2\n"
      "  winnow check synthetic:layers=2,heads=4,tokens=40,prompt=32,causal=1 --set local_value=0.5"));
  command->callback([options, layers, steps, names, &exit_code] {
    if (!layers->empty()) options->layers = parse_range("--layers", *layers);
    if (!steps->empty()) options->steps = parse_range("--steps", *steps);
    if (options->output.empty()) options->output = default_folder("check-", *options);
    exit_code = check(*options, *names);
  });
}

}  // namespace winnow
#endif
