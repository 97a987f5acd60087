#ifdef WINNOW_RUN
#include "sim/run.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "golden/error.h"
#include "sim/commands/commands.h"
#include "sim/commands/range.h"
#include "winnow_version.h"

namespace winnow {

std::string is_seed(const std::string& text) {
  const bool digits = text.size() <= 18 && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::string() : fmt::format("'{}': must be an integer of at most 18 digits, >= 0", text);
}

std::string default_folder(const std::string& front, const RunOptions& options) {
  const auto stem = [](const std::string& path) { return std::filesystem::path(path).stem().string(); };
  const std::string trace = options.trace.starts_with("synthetic:") ? "synthetic" : stem(options.trace);
  return fmt::format("results/{}{}-{}-{}", front, trace, stem(options.machine), stem(options.policy));
}

void add_run_command(CLI::App& app, const std::string& command_line, int& exit_code) {
  CLI::App* command = app.add_subcommand("run", "simulate a trace on a machine and check every output against golden");
  auto options = std::make_shared<RunOptions>();
  auto layers = std::make_shared<std::string>(), steps = std::make_shared<std::string>(),
       stall = std::make_shared<std::string>();
  auto traces = std::make_shared<std::vector<std::string>>();
  options->command = command_line;
  options->version = WINNOW_VERSION;
  command
      ->add_option("TRACE", *traces,
                   "a .safetensors trace, a .csv workload, or synthetic:...; several of one model run as a batch")
      ->required();
  command->add_option("--machine", options->machine, "a name (winnow machines) or a .yaml file")->capture_default_str();
  command->add_option("--policy", options->policy, "a name (winnow policies) or a .yaml file")->capture_default_str();
  command
      ->add_option("--engine", options->engine, "systemc: the machine, in cycles; golden, cuda: values and bytes only")
      ->check(CLI::IsMember({"systemc", "golden", "cuda"}))
      ->capture_default_str();
  command->add_option("--rtl", options->rtl,
                      "topk,writeback,progressive: these blocks in RTL, in lockstep with their models; topk=FOLDER: "
                      "with the sources there");
  command
      ->add_option("--stall", *stall,
                   "a seed: the links of the blocks in RTL are held now and then; other cycles, the same values")
      ->check(is_seed);
  command->add_option("--layers", *layers, "A-B: these layers only; those before are computed untimed");
  command->add_option("--steps", *steps, "A-B: these steps only; 0 is the prompt, 1.. the generated tokens");
  command
      ->add_option("--batch", options->batch,
                   "sequences that run together, layer by layer: the trace from as many consecutive first steps on")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  command->add_option("--batch-stagger", options->batch_stagger, "steps by which a sequence is ahead of the one before")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command->add_option("--set", options->set, "key=value: another value for a key of the machine or the policy")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--against", options->against,
                      "run this policy too, on the same machine and trace, and compare: dense, or any other");
  command->add_option("--technology", options->technology,
                      "a name of sim/technology, or a .yaml file, for the energy (default: paper40)");
  command->add_flag("--sources", options->sources, "print every array and unit of the energy, and its source");
  command->add_option("--accelergy", options->accelergy, "write how often what happened, as Accelergy's action counts");
  command->add_flag("--details", options->details, "print every figure of the summary, by layer and by block");
  command->add_option("--seed", options->seed, "of all that is random: pivots, and which tokens a workload keeps")
      ->check(is_seed)
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "folder for the results (default: results/TRACE-MACHINE-POLICY)");
  command->add_flag("--force", options->force, "replace the run in that folder");
  command->add_option("--dump-requests", options->dump_requests,
                      "write the memory requests in the form Ramulator 2 reads");
  command->add_option("--timeline", options->timeline,
                      "write when each block worked for whom, as trace events that Perfetto opens");
  command->add_option("--timeline-events", options->timeline_events, "at most so many of them, about 170 bytes each")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command->footer(example(
      "  winnow run traces/samples/smollm2-160.safetensors --machine spatten --policy select --against dense\n"
      "  winnow run traces/samples/minilm-128.safetensors --policy dense --layers 0-1 "
      "--set topk.pivot=sampled -o results/sampled --force\n"
      "  winnow run traces/samples/smollm2-160.safetensors --machine tiny --policy select --rtl topk --steps 1-2"));
  command->callback([options, traces, layers, steps, stall, &exit_code] {
    options->trace = traces->front(), options->with.assign(traces->begin() + 1, traces->end());
    if (!stall->empty()) options->stall = std::stoull(*stall);
    if (!layers->empty()) options->layers = parse_range("--layers", *layers);
    if (!steps->empty()) options->steps = parse_range("--steps", *steps);
    if (options->output.empty())
      options->output = default_folder("", *options) + (options->engine == "systemc" ? "" : "-" + options->engine);
    exit_code = run_command(*options);
  });
}

}  // namespace winnow
#endif
