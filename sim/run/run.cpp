#include "sim/run.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "cuda_ref/walk.h"
#include "golden/error.h"
#include "models/dram/stream.h"
#include "sim/config/policy_schema.h"
#include "sim/machine/systemc_machine.h"
#include "sim/results/progress.h"
#include "sim/results/writers.h"
#include "sim/rtl/blocks.h"
#include "sim/run/check.h"
#include "sim/run/prepare.h"
#include "sim/run/report.h"
#include "sim/run/workload_run.h"
#include "traces/workload.h"

namespace winnow {
namespace {

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        p_(prepare(options)),
        walk_(*p_.model, *p_.layout, p_.reference.get()),
        rtl_(rtl::parse_requests(options.rtl), p_.machine, rtl::uses_of(p_.model->decisions()), p_.shape.group(),
             options.seed),
        prompt_(p_.shape.layers),
        decode_(p_.shape.layers),
        prompt_layers_(p_.shape.layers),
        decode_layers_(p_.shape.layers),
        errors_(p_.shape.layers),
        manifest_(manifest_of(options, p_.machine, p_.policy, p_.trace.sha256())),
        folder_(options.output, options.force, manifest_),
        progress_(options.engine, layers_in_range(), options.engine == "systemc" ? "kcycles" : "layers") {
    folder_.begin_layers(layer_columns());
  }

  int run() {
    const auto start = std::chrono::steady_clock::now();
    fmt::print("{}: {} on {}, policy {}, engine {}, seed {}\n", options_.trace, p_.trace.meta().model, p_.machine.name,
               p_.policy.name, options_.engine, options_.seed);
    StatTree result("result");
    StatTree& summary = result.child("summary");
    std::string utilisation;
    if (options_.engine == "golden")
      run_golden();
    else if (options_.engine == "cuda")
      run_cuda();
    else if (!run_machine(result, summary, utilisation))
      return 1;
    progress_.finish();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

    const bool timed = options_.engine == "systemc";
    report(decode_.layers ? decode_ : prompt_, timed, summary);
    if (prompt_.layers && decode_.layers) {
      errors_.report(summary, "output error with the prompt");
      report(prompt_, timed, result.child("prompt"));
    }
    StatTree& checked = result.child("checked against golden");
    checked.count("outputs", compared_.outputs);
    checked.count("probabilities", compared_.probabilities);
    checked.count("decisions", compared_.decisions);
    checked.count("importances", compared_.importances);
    checked.count("byte and burst counts", compared_.counts);
    checked.count("differences", compared_.differences);
    manifest_.wall_seconds = seconds;
    manifest_.kcycles_per_second = machine_seconds_ > 0 ? static_cast<double>(cycles_) / machine_seconds_ / 1e3 : 0;
    folder_.finish(manifest_, result);

    StatTree shown(decode_.layers && prompt_.layers ? "summary; by kind: generation (the prompt's stand in result.json)"
                                                    : "summary");
    for (const Statistic& s : summary.statistics()) shown.add(s);
    fmt::print("{}", to_table(shown));
    fmt::print("\n{}", (decode_.layers ? decode_layers_ : prompt_layers_).table(timed));
    if (!utilisation.empty()) fmt::print("\n{}", utilisation);
    if (timed) {
      fmt::print("\nsimulation speed {:.0f} kcycles/s; {:.1f} s in all\n", manifest_.kcycles_per_second, seconds);
      fmt::print("{}", rtl_.summary());
      fmt::print(
          "compared with golden: {} outputs, {} probabilities, {} decisions, {} importances, {} counts: {} "
          "differences\n",
          compared_.outputs, compared_.probabilities, compared_.decisions, compared_.importances, compared_.counts,
          compared_.differences);
    }
    const golden::Decisions& plan = p_.model->decisions();
    if (!decode_.layers && (plan.decides() || plan.selects()))
      fmt::print("{}: decode only; here K and V are loaded once at full width, for all queries\n",
                 plan.selects() ? "select" : "LSB refetch");
    fmt::print(
        "replay is open loop: a pruned layer's output does not feed the next; the model's weights take no time\n");
    fmt::print("results in {}\n", folder_.path());
    if (compared_.differences) fmt::print("MISMATCH: {}\n", compared_.first);
    return compared_.differences ? 1 : 0;
  }

 private:
  std::uint64_t layers_in_range() const {
    const RunRange& r = p_.range;
    return static_cast<std::uint64_t>(r.last_layer - r.first_layer + 1) *
           static_cast<std::uint64_t>(r.last_step - r.first_step + 1);
  }

  void take(const golden::LayerResult& r, std::optional<Cycle> cycles) {
    (r.step == 0 ? prompt_ : decode_).add(r, p_.shape, cycles.value_or(0));
    (r.step == 0 ? prompt_layers_ : decode_layers_).add(r, p_.shape, cycles.value_or(0));
    errors_.add(r.layer, r.error);
    folder_.layer(layer_row(r, cycles));
    ++layers_done_;
  }

  void run_golden() {
    golden::LayerResult r;
    const RunRange& range = p_.range;
    while (walk_.step() <= range.last_step && walk_.next(r)) {
      if (r.step < range.first_step || r.layer < range.first_layer || r.layer > range.last_layer) continue;
      take(r, {});
      progress_.at(layers_done_, static_cast<double>(layers_done_));
    }
  }

  // Values and bytes by the CUDA kernels: on the GPU where there is one, else in the host shim.
  void run_cuda() {
    const cuda_ref::Backend backend = cuda_ref::best_backend();
    fmt::print("{}\n", cuda_ref::describe(backend));
    cuda_ref::Options options;
    options.measure = true;
    const auto model = cuda_ref::load(backend, float_source(p_.trace), options);
    const auto walk = model->walk(p_.policy, *p_.layout);
    golden::LayerResult r;
    const RunRange& range = p_.range;
    while (walk->step() <= range.last_step && walk->next(r)) {
      if (r.step < range.first_step || r.layer < range.first_layer || r.layer > range.last_layer) continue;
      take(r, {});
      progress_.at(layers_done_, static_cast<double>(layers_done_));
    }
  }

  // False when a block's RTL has parted from its model; that is reported then.
  bool run_machine(StatTree& result, StatTree& summary, std::string& utilisation) {
    Cycle last = 0;
    double golden_seconds = 0;
    const MachineModel* machine = nullptr;
    const auto on_layer = [&](const LayerPlan& plan, const std::vector<GroupRecord>& records,
                              const LayerCounts& counts) {
      const auto start = std::chrono::steady_clock::now();
      golden::LayerResult r;
      walk_.next(r);
      compare_layer(p_.shape, plan, records, counts, machine->parts().importance_memory,
                    machine->parts().hbm2.memory().image(), r, compared_);
      if (last == 0) last = machine->first_request();
      take(r, counts.last_write - last);
      last = counts.last_write;
      golden_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    const auto m = make_trace_machine(p_, walk_, options_.seed, on_layer);
    machine = m.get();
    std::vector<dram::RequestStream> streams(static_cast<std::size_t>(p_.machine.hbm2.channels));
    m->record_requests(&streams, options_.dump_requests.empty() ? kRecordedBursts : ~std::uint64_t{0});
    const auto start = std::chrono::steady_clock::now();
    const auto simulate = [&] {
      rtl_.attach(*m);
      run_systemc(*m, p_.machine.clock_ghz,
                  [&](Cycle now) { progress_.at(layers_done_, static_cast<double>(now) / 1e3); });
    };
    const auto again = [&] {
      golden::Walk walk(*p_.model, *p_.layout, nullptr);
      golden::LayerResult r;
      const auto other = make_trace_machine(p_, walk, options_.seed, [&](auto&...) { walk.next(r); });
      rtl_.attach(*other);
      run_systemc(*other, p_.machine.clock_ghz, {});
    };
    if (rtl_.diverge(simulate, again, [&] { progress_.finish(); }, folder_.path(), repeat_of(options_))) return false;
    machine_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() - golden_seconds;
    cycles_ = m->last_write() - m->first_request();
    if (!options_.dump_requests.empty()) dump_requests(options_.dump_requests, p_.machine, streams);
    report_memory(*m, p_.machine, cycles_, streams, summary);
    report_timing(*m, p_.machine, {cycles_, p_.machine.clock_ghz}, result);
    utilisation = utilisation_table(*m, m->now());
    return true;
  }

  RunOptions options_;
  Prepared p_;
  golden::Walk walk_;
  rtl::Blocks rtl_;
  Phase prompt_, decode_;
  ByLayer prompt_layers_, decode_layers_;
  Errors errors_;  // of prompt and generation together
  Compared compared_;
  Manifest manifest_;
  RunFolder folder_;
  Progress progress_;
  std::uint64_t layers_done_ = 0;
  Cycle cycles_ = 0;
  double machine_seconds_ = 0;
};

}  // namespace

Manifest manifest_of(const RunOptions& options, Machine machine, golden::Policy policy, const std::string& sha256) {
  Manifest m;
  m.version = options.version, m.command = options.command, m.trace = options.trace, m.trace_sha256 = sha256;
  m.engine = options.engine, m.rtl = options.rtl, m.seed = options.seed;
  for (const Param& p : machine_schema(machine)) m.machine.emplace_back(p.key, p.value_text());
  m.policy.emplace_back("name", policy.name);
  for (const Param& p : policy_schema(policy))
    if (const std::string text = p.value_text(); !text.empty()) m.policy.emplace_back(p.key, text);
  const auto range = [](IndexRange r) {
    return r.last < 0 ? fmt::format("{}-", r.first) : fmt::format("{}-{}", r.first, r.last);
  };
  m.options = {{"layers", range(options.layers)}, {"steps", range(options.steps)}};
  m.date = utc_now();
  return m;
}

std::string repeat_of(const RunOptions& options) { return options.command + (options.force ? "" : " --force"); }

int run_command(const RunOptions& options) {
  if (!options.rtl.empty() && options.engine != "systemc")
    throw Error(
        fmt::format("--rtl: {}: engine {} has no blocks: must go with --engine systemc", options.rtl, options.engine));
  if (is_workload(options.trace)) {
    if (options.engine == "cuda")
      throw Error(
          fmt::format("--engine: cuda: {} holds shapes without values: must be systemc or golden", options.trace));
    return run_workload(options);
  }
  return Run(options).run();
}

}  // namespace winnow
