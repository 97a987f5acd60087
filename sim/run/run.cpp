#include "sim/run.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "golden/error.h"
#include "models/dram/stream.h"
#include "sim/config/policy_schema.h"
#include "sim/engines/prepare.h"
#include "sim/results/answer.h"
#include "sim/results/progress.h"
#include "sim/results/writers.h"
#include "sim/run/cost_report.h"
#include "sim/run/in_memory.h"
#include "sim/run/job.h"
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

  // `label` of the progress line; `folder` for the waveform of RTL that parts from its model. `on_progress`: called now
  // and then.
  Execution(const RunOptions& options, Job& job, const std::string& label, const std::string& folder,
            std::function<void()> on_progress = {})
      : options_(options),
        job_(job),
        on_progress_(std::move(on_progress)),
        progress_(label, job.layers(), options.engine == "systemc" ? "kcycles" : "layers"),
        engine_(job.make_engine(hooks(folder))),
        prompt_(job.shape().layers),
        generation_(job.shape().layers),
        prompt_layers_(job.shape().layers),
        generation_layers_(job.shape().layers),
        errors_(job.shape().layers) {}

  const Engine& engine() const { return *engine_; }
  bool timed() const { return engine_->timed(); }
  const MachineEngine& with_time() const { return *engine_->timed(); }
  // False when a block's RTL has parted from its model; that is reported then.
  bool run(const OnRow& on_row) {
    Cycle last = 0;
    TimeShares before;
    const bool ended = engine_->run([&](const EngineLayer& layer) {
      job_.compare(layer, engine_->detail());
      std::optional<Cycle> cycles;
      TimeShares spent;
      if (layer.counts) {
        const MachineModel& machine = with_time().machine();
        if (last == 0) last = machine.first_request();
        const TimeShares now = machine.time_shares();
        cycles = layer.counts->last_write - last, spent = now - before;
        last = layer.counts->last_write, before = now;
      }
      take(layer.golden ? *layer.golden : layer.result, cycles, spent, on_row);
      if (!layer.counts) progress_.at(layers_done_, static_cast<double>(layers_done_));
    });
    progress_.finish();
    if (!ended) return false;
    if (timed() && !options_.dump_requests.empty())
      dump_requests(options_.dump_requests, job_.machine(), with_time().streams());
    job_.finish(main_phase());
    return true;
  }

  bool generated() const { return generation_.layers > 0; }
  const Phase& main_phase() const { return generated() ? generation_ : prompt_; }

  // Of generation, or of the prompt where nothing was generated.
  void report_summary(StatTree& summary) const {
    if (timed())
      report_memory(with_time().machine(), job_.machine(), with_time().cycles(), with_time().streams(), summary);
    if (const int n = job_.sequences(); n > 1 && timed()) report_batch(main_phase(), n, job_.steps(), summary);
    report(main_phase(), timed(), summary);
  }
  // All the rest.
  void report_rest(StatTree& result) const {
    if (timed()) with_time().machine().report(result, with_time().cycles());
    if (prompt_.layers && generation_.layers) {
      errors_.report(result.part("summary", "summary"), "output_error_with_prompt", "output error with the prompt");
      report(prompt_, timed(), result.part("prompt", "prompt"));
    }
    job_.report_compared(result);
  }
  std::string by_layer() const { return (generated() ? generation_layers_ : prompt_layers_).table(timed()); }
  std::string utilisation() const {
    return timed() ? utilisation_table(with_time().machine(), with_time().machine().now()) : "";
  }
  bool has_both() const { return prompt_.layers && generation_.layers; }
  double kcycles_per_second() const {
    return timed() && with_time().seconds() > 0
               ? static_cast<double>(with_time().cycles()) / with_time().seconds() / 1e3
               : 0;
  }

 private:
  Phase& main_phase() { return generated() ? generation_ : prompt_; }

  EngineHooks hooks(const std::string& folder) {
    const auto on_progress = [this] {
      if (on_progress_) on_progress_();
    };
    EngineHooks h;
    h.waves = folder, h.repeat = repeat_of(options_), h.measure = true, h.stall = options_.stall;
    h.pause = [this] { progress_.finish(); };
    h.on_cycle = [this, on_progress](Cycle now) {
      progress_.at(layers_done_, static_cast<double>(now) / 1e3);
      on_progress();
    };
    h.timeline = options_.timeline, h.timeline_events = options_.timeline_events;
    h.record_bursts = options_.dump_requests.empty() ? kRecordedBursts : ~std::uint64_t{0};
    return h;
  }

  void take(const golden::LayerResult& r, std::optional<Cycle> cycles, const TimeShares& spent, const OnRow& on_row) {
    const bool generates = job_.generates(r.step);
    (generates ? generation_ : prompt_).add(r, job_.shape(), cycles.value_or(0), spent);
    (generates ? generation_layers_ : prompt_layers_).add(r, job_.shape(), cycles.value_or(0));
    errors_.add(r.layer, r.error);
    if (on_row) {
      std::vector<std::string> cells = layer_row(r, cycles);
      if (!job_.has_values()) cells[cells.size() - 1] = cells[cells.size() - 2] = "";  // no outputs, no errors
      on_row(cells);
    }
    ++layers_done_;
  }

  const RunOptions& options_;
  Job& job_;
  std::function<void()> on_progress_;
  Progress progress_;
  std::unique_ptr<Engine> engine_;
  Phase prompt_, generation_;
  ByLayer prompt_layers_, generation_layers_;
  Errors errors_;  // of prompt and generation together
  std::uint64_t layers_done_ = 0;
};

// The run that --against names: the same trace, machine, range and seed under another policy.
RunOptions options_against(const RunOptions& options) {
  RunOptions o = options;
  o.policy = options.against, o.against.clear(), o.rtl.clear(), o.stall.reset(), o.dump_requests.clear(),
  o.timeline.clear();
  o.set = machine_settings(options);
  return o;
}

// Adds the other run's part to `result`; its differences from golden, with the first one.
Comparison run_against(const RunOptions& options, StatTree& result, const std::function<void()>& on_progress = {}) {
  const RunOptions other = options_against(options);
  const std::unique_ptr<Job> job = make_job(other);
  Execution execution(other, *job, options.against, "", on_progress);
  execution.run({});
  StatTree& part = result.part("against", "against " + options.against);
  execution.report_summary(part);
  add_comparison(*result.find("summary"), part);
  return job->compared();
}

std::string line_of(const Timeline& t) {
  std::string line = fmt::format("timeline in {}: {} events", t.path(), t.events());
  if (t.is_cut()) line += fmt::format("; it ends before cycle {}: more with --timeline-events N", t.cut());
  return line;
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
  Execution execution(options, *job, options.engine, options.output);
  std::optional<RunCost> cost;
  if (execution.timed()) cost.emplace(options, *job);
  Manifest manifest = job->manifest();
  RunFolder folder(options.output, options.force, manifest);
  folder.begin_layers(layer_columns());
  fmt::print("{}, engine {} ({}), seed {}\n", job->title(), options.engine, execution.engine().what(), options.seed);

  const auto start = std::chrono::steady_clock::now();
  if (!execution.run([&](const auto& cells) { folder.layer(cells); })) return 1;
  manifest.wall_seconds = seconds_since(start);
  manifest.kcycles_per_second = execution.kcycles_per_second();
  StatTree result("result");
  StatTree& summary = result.part("summary", "summary");
  execution.report_summary(summary);
  execution.report_rest(result);
  if (cost) cost->report(execution.with_time().machine(), execution.with_time().cycles(), result);
  std::optional<Comparison> against;
  if (!options.against.empty()) against = run_against(options, result);
  folder.finish(manifest, result);

  if (options.details) print_details(summary, execution, *job);
  if (execution.timed())
    fmt::print("simulation speed {:.0f} kcycles/s; {:.1f} s in all\n", manifest.kcycles_per_second,
               manifest.wall_seconds);
  fmt::print("{}", execution.engine().lockstep());
  if (const std::string line = job->compared_line(); !line.empty()) fmt::print("{}\n", line);
  for (const std::string& note : job->notes(execution.generated())) fmt::print("{}\n", note);
  if (execution.timed())
    if (const Timeline* t = execution.with_time().timeline()) fmt::print("{}\n", line_of(*t));
  fmt::print("results in {}\n", folder.path());
  if (cost) fmt::print("\n{}", cost->table());
  fmt::print("\n{}", answer_block(result, manifest));
  const auto equal = [](const Comparison& c, const std::string& whose) {
    if (c.different()) fmt::print("MISMATCH: {}{}\n", whose, c.first_difference());
    return c.different() == 0;
  };
  const bool own = equal(job->compared(), ""), other = !against || equal(*against, options.against + ": ");
  return own && other ? 0 : 1;
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
  if (options.batch > 1)
    m.options.emplace_back("batch", std::to_string(options.batch)),
        m.options.emplace_back("batch_stagger", std::to_string(options.batch_stagger));
  if (!options.with.empty()) m.options.emplace_back("with", fmt::format("{}", fmt::join(options.with, " ")));
  if (!options.against.empty()) m.options.emplace_back("against", options.against);
  if (options.stall) m.options.emplace_back("stall", std::to_string(*options.stall));
  m.date = utc_now();
  return m;
}

std::string repeat_of(const RunOptions& options) { return options.command + (options.force ? "" : " --force"); }

namespace {

void check_options(const RunOptions& options) {
  if (!options.rtl.empty() && options.engine != "systemc")
    throw Error(
        fmt::format("--rtl: {}: engine {} has no blocks: must go with --engine systemc", options.rtl, options.engine));
  if (options.engine != "systemc" && (!options.technology.empty() || options.sources || !options.accelergy.empty()))
    throw Error(fmt::format("{}: engine {} has no time: must go with --engine systemc",
                            !options.accelergy.empty() ? "--accelergy"
                            : options.sources          ? "--sources"
                                                       : "--technology",
                            options.engine));
  if (options.engine != "systemc" && !options.timeline.empty())
    throw Error(fmt::format("--timeline: {}: engine {} has no time: must go with --engine systemc", options.timeline,
                            options.engine));
  if (options.stall && options.rtl.empty())
    throw Error(fmt::format("--stall: {}: must go with --rtl, whose blocks it stalls", *options.stall));
  const bool together = options.batch > 1 || !options.with.empty();
  if (together && options.engine != "systemc")
    throw Error(fmt::format("--batch: {}: engine {} has no batch: must be 1, or go with --engine systemc",
                            options.batch, options.engine));
  if (options.batch > 1 && !options.with.empty())
    throw Error(fmt::format("--batch: {}: {} traces are named, a sequence each: must be left out", options.batch,
                            1 + options.with.size()));
  if (together && is_workload(options.trace))
    throw Error(fmt::format("--batch: {}: {} holds shapes without values: must be 1", options.batch, options.trace));
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
}

}  // namespace

RunOutcome run_in_memory(const RunOptions& options, const std::function<void()>& on_progress) {
  check_options(options);
  const std::unique_ptr<Job> job = make_job(options);
  Execution execution(options, *job, options.engine, ".", on_progress);
  std::optional<RunCost> cost;
  if (execution.timed()) cost.emplace(options, *job);
  RunOutcome outcome;
  outcome.manifest = job->manifest();
  outcome.columns = layer_columns();
  const auto start = std::chrono::steady_clock::now();
  if (!execution.run([&](const auto& cells) { outcome.layers.push_back(cells); }))
    throw Error(options.rtl + ": RTL and model part: winnow run says where");
  outcome.manifest.wall_seconds = seconds_since(start);
  outcome.manifest.kcycles_per_second = execution.kcycles_per_second();
  execution.report_summary(outcome.result.part("summary", "summary"));
  execution.report_rest(outcome.result);
  if (cost) cost->report(execution.with_time().machine(), execution.with_time().cycles(), outcome.result);
  std::optional<Comparison> against;
  if (!options.against.empty()) against = run_against(options, outcome.result, on_progress);
  outcome.compared = job->compared().compared() + (against ? against->compared() : 0);
  outcome.different = job->compared().different() + (against ? against->different() : 0);
  outcome.first_difference = job->compared().first_difference();
  if (outcome.first_difference.empty() && against) outcome.first_difference = against->first_difference();
  return outcome;
}

int run_command(const RunOptions& options) {
  check_options(options);
  return run(options);
}

}  // namespace winnow
