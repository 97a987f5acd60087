#include "sim/run.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "golden/error.h"
#include "models/dram/stream.h"
#include "sim/config/policy_schema.h"
#include "sim/machine/systemc_machine.h"
#include "sim/results/answer.h"
#include "sim/results/progress.h"
#include "sim/results/writers.h"
#include "sim/run/job.h"
#include "sim/run/prepare.h"
#include "sim/run/report.h"
#include "traces/workload.h"

namespace winnow {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::unique_ptr<Job> make_job(const RunOptions& options) {
  return is_workload(options.trace) ? make_workload_job(options) : make_trace_job(options);
}

// One job under one engine, from its first layer to its last, and what was measured of it.
class Execution {
 public:
  using OnRow = std::function<void(const std::vector<std::string>&)>;  // of layers.csv

  Execution(const RunOptions& options, Job& job)
      : options_(options),
        job_(job),
        rtl_(job.rtl()),
        prompt_(job.shape().layers),
        generation_(job.shape().layers),
        prompt_layers_(job.shape().layers),
        generation_layers_(job.shape().layers),
        errors_(job.shape().layers) {}

  bool timed() const { return options_.engine == "systemc"; }
  // False when a block's RTL has parted from its model; that is reported then. `folder`: for its waveform.
  bool run(const std::string& label, const std::string& folder, const OnRow& on_row) {
    Progress progress(label, job_.layers(), timed() ? "kcycles" : "layers");
    on_row_ = on_row;
    if (!timed())
      job_.run_untimed([&](const golden::LayerResult& r, const LayerCounts*) {
        take(r, {}, {});
        progress.at(layers_done_, static_cast<double>(layers_done_));
      });
    else if (!run_machine(folder, progress))
      return false;
    job_.finish(main_phase());
    return true;
  }

  bool generated() const { return generation_.layers > 0; }
  const Phase& main_phase() const { return generated() ? generation_ : prompt_; }

  // Of generation, or of the prompt where nothing was generated.
  void report_summary(StatTree& summary) const {
    if (machine_) report_memory(*machine_, job_.machine(), cycles_, streams_, summary);
    report(main_phase(), timed(), summary);
  }
  // All the rest.
  void report_rest(StatTree& result) const {
    if (machine_) machine_->report(result, cycles_);
    if (prompt_.layers && generation_.layers) {
      errors_.report(result.part("summary", "summary"), "output_error_with_prompt", "output error with the prompt");
      report(prompt_, timed(), result.part("prompt", "prompt"));
    }
    job_.report_compared(result);
  }
  std::string by_layer() const { return (generated() ? generation_layers_ : prompt_layers_).table(timed()); }
  std::string utilisation() const { return machine_ ? utilisation_table(*machine_, machine_->now()) : ""; }
  std::string lockstep() const { return rtl_.summary(); }
  bool has_both() const { return prompt_.layers && generation_.layers; }
  double kcycles_per_second() const {
    return machine_seconds_ > 0 ? static_cast<double>(cycles_) / machine_seconds_ / 1e3 : 0;
  }

 private:
  Phase& main_phase() { return generated() ? generation_ : prompt_; }

  void take(const golden::LayerResult& r, std::optional<Cycle> cycles, const TimeShares& spent) {
    const bool generates = job_.generates(r.step);
    (generates ? generation_ : prompt_).add(r, job_.shape(), cycles.value_or(0), spent);
    (generates ? generation_layers_ : prompt_layers_).add(r, job_.shape(), cycles.value_or(0));
    errors_.add(r.layer, r.error);
    if (on_row_) {
      std::vector<std::string> cells = layer_row(r, cycles);
      if (!job_.has_values()) cells[cells.size() - 1] = cells[cells.size() - 2] = "";  // no outputs, no errors
      on_row_(cells);
    }
    ++layers_done_;
  }

  bool run_machine(const std::string& folder, Progress& progress) {
    Cycle last = 0;
    TimeShares before;
    machine_ = job_.make_machine([&](const golden::LayerResult& r, const LayerCounts* counts) {
      if (last == 0) last = machine_->first_request();
      const TimeShares now = machine_->time_shares();
      take(r, counts->last_write - last, now - before);
      last = counts->last_write, before = now;
    });
    const double clock = job_.machine().clock_ghz;
    streams_.resize(static_cast<std::size_t>(job_.machine().hbm2.channels));
    machine_->record_requests(&streams_, options_.dump_requests.empty() ? kRecordedBursts : ~std::uint64_t{0});
    const auto start = std::chrono::steady_clock::now();
    const auto simulate = [&] {
      rtl_.attach(*machine_);
      run_systemc(*machine_, clock, [&](Cycle now) { progress.at(layers_done_, static_cast<double>(now) / 1e3); });
    };
    const auto again = [&] {
      const auto other = job_.make_machine({});
      rtl_.attach(*other);
      run_systemc(*other, clock, {});
    };
    if (rtl_.diverge(simulate, again, [&] { progress.finish(); }, folder, repeat_of(options_))) return false;
    machine_seconds_ = seconds_since(start) - job_.seconds_beside();
    cycles_ = machine_->last_write() - machine_->first_request();
    if (!options_.dump_requests.empty()) dump_requests(options_.dump_requests, job_.machine(), streams_);
    return true;
  }

  const RunOptions& options_;
  Job& job_;
  rtl::Blocks rtl_;
  Phase prompt_, generation_;
  ByLayer prompt_layers_, generation_layers_;
  Errors errors_;  // of prompt and generation together
  OnRow on_row_;
  std::unique_ptr<MachineModel> machine_;
  std::vector<dram::RequestStream> streams_;
  std::uint64_t layers_done_ = 0;
  Cycle cycles_ = 0;
  double machine_seconds_ = 0;
};

// The run that --against names: the same trace, machine, range and seed under another policy.
RunOptions options_against(const RunOptions& options) {
  RunOptions o = options;
  o.policy = options.against, o.against.clear(), o.rtl.clear(), o.stall.reset(), o.dump_requests.clear();
  o.set = machine_settings(options);
  return o;
}

// Adds the other run's part to `result`; its differences from golden, with the first one.
Compared run_against(const RunOptions& options, StatTree& result) {
  const RunOptions other = options_against(options);
  const std::unique_ptr<Job> job = make_job(other);
  Execution execution(other, *job);
  execution.run(options.against, "", {});
  StatTree& part = result.part("against", "against " + options.against);
  execution.report_summary(part);
  add_comparison(*result.find("summary"), part);
  return job->compared();
}

void print_details(const StatTree& summary, const Execution& e, const Job& job) {
  StatTree shown(e.has_both() ? "summary; by kind: generation (the prompt's stand in result.json)" : "summary");
  for (const Statistic& s : summary.statistics()) shown.add(s);
  fmt::print("\n{}", to_table(shown));
  if (job.has_values()) fmt::print("\n{}", e.by_layer());
  if (const std::string table = e.utilisation(); !table.empty()) fmt::print("\n{}", table);
  fmt::print("\n");
}

int run(const RunOptions& options) {
  const std::unique_ptr<Job> job = make_job(options);
  Execution execution(options, *job);
  Manifest manifest = job->manifest();
  RunFolder folder(options.output, options.force, manifest);
  folder.begin_layers(layer_columns());
  fmt::print("{}, engine {}, seed {}\n", job->title(), options.engine, options.seed);

  const auto start = std::chrono::steady_clock::now();
  if (!execution.run(options.engine, folder.path(), [&](const auto& cells) { folder.layer(cells); })) return 1;
  manifest.wall_seconds = seconds_since(start);
  manifest.kcycles_per_second = execution.kcycles_per_second();
  StatTree result("result");
  StatTree& summary = result.part("summary", "summary");
  execution.report_summary(summary);
  execution.report_rest(result);
  Compared against;
  if (!options.against.empty()) against = run_against(options, result);
  folder.finish(manifest, result);

  if (options.details) print_details(summary, execution, *job);
  if (execution.timed())
    fmt::print("simulation speed {:.0f} kcycles/s; {:.1f} s in all\n", manifest.kcycles_per_second,
               manifest.wall_seconds);
  fmt::print("{}", execution.lockstep());
  if (const std::string line = job->compared_line(); !line.empty()) fmt::print("{}\n", line);
  for (const std::string& note : job->notes(execution.generated())) fmt::print("{}\n", note);
  fmt::print("results in {}\n", folder.path());
  fmt::print("\n{}", answer_block(result, manifest));
  for (const auto& [compared, whose] : {std::pair{&job->compared(), std::string()}, {&against, options.against + ": "}})
    if (compared->differences) fmt::print("MISMATCH: {}{}\n", whose, compared->first);
  return job->compared().differences || against.differences ? 1 : 0;
}

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
  if (!options.against.empty()) m.options.emplace_back("against", options.against);
  if (options.stall) m.options.emplace_back("stall", std::to_string(*options.stall));
  m.date = utc_now();
  return m;
}

std::string repeat_of(const RunOptions& options) { return options.command + (options.force ? "" : " --force"); }

int run_command(const RunOptions& options) {
  if (!options.rtl.empty() && options.engine != "systemc")
    throw Error(
        fmt::format("--rtl: {}: engine {} has no blocks: must go with --engine systemc", options.rtl, options.engine));
  if (options.stall && options.rtl.empty())
    throw Error(fmt::format("--stall: {}: must go with --rtl, whose blocks it stalls", *options.stall));
  if (is_workload(options.trace)) {
    if (options.engine == "cuda")
      throw Error(
          fmt::format("--engine: cuda: {} holds shapes without values: must be systemc or golden", options.trace));
    if (!options.against.empty())
      throw Error(fmt::format("--against: {}: {} says itself what is fetched: another policy needs a trace with values",
                              options.against, options.trace));
  } else if (!options.against.empty()) {
    load_policy(options.against);  // a wrong name is said before the first run, not after it
  }
  return run(options);
}

}  // namespace winnow
