#include "sim/run/workload_run.h"

#include <fmt/format.h>

#include <chrono>

#include "models/dram/energy.h"
#include "sim/machine/systemc_machine.h"
#include "sim/results/progress.h"
#include "sim/results/writers.h"
#include "sim/rtl/blocks.h"
#include "sim/run/report.h"
#include "traces/mapped_file.h"

namespace winnow {
namespace {

std::string sha256_of(const std::string& path) {
  const MappedFile file(path);
  Sha256 digest;
  digest.add(file.bytes());
  return digest.hex();
}

Manifest manifest_of_workload(const RunOptions& options, const PreparedWorkload& p) {
  Manifest m = manifest_of(options, p.machine, golden::Policy{}, sha256_of(options.trace));
  m.policy = {{"name", "workload"}};  // all else stands in the file
  return m;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class WorkloadRun {
 public:
  explicit WorkloadRun(const RunOptions& options)
      : options_(options),
        p_(prepare_workload(options)),
        rtl_(rtl::parse_requests(options.rtl), p_.machine, {}, 1, options.seed),
        phase_(p_.shape.layers),
        manifest_(manifest_of_workload(options, p_)),
        folder_(options.output, options.force, manifest_),
        progress_(options.engine, p_.layers_in_range, options.engine == "golden" ? "layers" : "kcycles") {
    folder_.begin_layers(layer_columns());
  }

  int run() {
    const auto start = std::chrono::steady_clock::now();
    const bool timed = options_.engine != "golden";
    fmt::print("{}: shape-only workload, {} rows, D {}, up to {} tokens, on {}, engine {}, seed {}\n", options_.trace,
               p_.rows_in_range, p_.shape.head_dim, p_.workload.longest, p_.machine.name, options_.engine,
               options_.seed);
    StatTree result("result");
    StatTree& summary = result.child("summary");
    std::string utilisation;
    if (!timed)
      run_closed_form();
    else if (!run_machine(result, summary, utilisation))
      return 1;
    progress_.finish();
    compare_totals(p_.bytes, phase_.accesses, compared_);
    // Heads without a row count as dense ones.
    phase_.dense_elements = p_.dense_elements;
    report(phase_, timed, summary);
    StatTree& checked = result.child("checked against the workload");
    checked.count("decisions", compared_.decisions);
    checked.count("byte and burst counts", compared_.counts);
    checked.count("differences", compared_.differences);
    manifest_.wall_seconds = seconds_since(start);
    manifest_.kcycles_per_second = machine_seconds_ > 0 ? static_cast<double>(cycles_) / machine_seconds_ / 1e3 : 0;
    folder_.finish(manifest_, result);

    StatTree shown("summary");
    for (const Statistic& s : summary.statistics()) shown.add(s);
    fmt::print("\n{}", to_table(shown));
    if (!utilisation.empty()) fmt::print("\n{}", utilisation);
    if (timed)
      fmt::print("\nsimulation speed {:.0f} kcycles/s; {:.1f} s in all\n", manifest_.kcycles_per_second,
                 manifest_.wall_seconds);
    fmt::print("{}", rtl_.summary());
    fmt::print("compared with the workload's closed form: {} decisions, {} counts: {} differences\n",
               compared_.decisions, compared_.counts, compared_.differences);
    fmt::print(
        "shape only: no values; which tokens are kept is drawn from the seed; the model's weights take no time\n");
    fmt::print("results in {}\n", folder_.path());
    if (compared_.differences) fmt::print("MISMATCH: {}\n", compared_.first);
    return compared_.differences ? 1 : 0;
  }

 private:
  // A layer's counts beside what the file says of its rows.
  void take(const WorkloadLayer& layer, const golden::Accesses& accesses, std::uint64_t refetched,
            std::optional<Cycle> cycles) {
    const Workload& w = p_.workload;
    golden::LayerResult r;
    r.step = layer.step, r.layer = layer.layer, r.tokens = w.rows[layer.first].length;
    r.positions.resize(static_cast<std::size_t>(w.rows[layer.first].queries));
    r.live.resize(static_cast<std::size_t>(w.heads)), r.heads.resize(static_cast<std::size_t>(w.heads));
    r.accesses = accesses, r.refetched = refetched;
    for (std::size_t i = layer.first; i < layer.end; ++i) {
      const WorkloadRow& row = w.rows[i];
      const auto head = static_cast<std::size_t>(row.head);
      r.live[head].resize(static_cast<std::size_t>(row.keys)), r.heads[head] = 1;
      const auto queries = static_cast<std::uint64_t>(row.queries);
      r.row_groups += queries, r.row_heads += queries;
      const std::uint64_t keys = queries * static_cast<std::uint64_t>(row.keys);
      r.keys_seen += keys, r.survivors += keys, r.values += queries * static_cast<std::uint64_t>(row.values);
    }
    phase_.add(r, p_.shape, cycles.value_or(0));
    std::vector<std::string> cells = layer_row(r, cycles);
    cells[cells.size() - 1] = cells[cells.size() - 2] = "";  // no outputs, no errors
    folder_.layer(cells);
    ++layers_done_;
  }

  std::vector<std::uint32_t> order_of(const WorkloadLayer& layer) const {
    return token_order(options_.seed, layer.step, order_length(p_.workload, layer));
  }

  void run_closed_form() {
    for (const WorkloadLayer& layer : p_.layers) {
      if (!layer.in_range) continue;
      std::uint64_t refetched = 0;
      for (std::size_t i = layer.first; i < layer.end; ++i) refetched += p_.workload.rows[i].refetch;
      take(layer, expected_accesses(p_.workload, layer, p_.layout, order_of(layer)), refetched, {});
      progress_.at(layers_done_, static_cast<double>(layers_done_));
    }
  }

  // False when a block's RTL has parted from its model; that is reported then.
  bool run_machine(StatTree& result, StatTree& summary, std::string& utilisation) {
    const MachineModel* machine = nullptr;
    Cycle last = 0;
    double check_seconds = 0;
    std::size_t at = 0;
    const auto on_layer = [&](const LayerPlan&, const std::vector<GroupRecord>& records, const LayerCounts& counts) {
      const auto start = std::chrono::steady_clock::now();
      while (!p_.layers[at].in_range) ++at;
      const WorkloadLayer& layer = p_.layers[at++];
      compare_workload_layer(p_.workload, layer, p_.layout, order_of(layer), records, counts, compared_);
      std::uint64_t refetched = 0;
      for (const GroupRecord& r : records) refetched += r.refetched;
      if (last == 0) last = machine->first_request();
      take(layer, counts.accesses, refetched, counts.last_write - last);
      last = counts.last_write;
      check_seconds += seconds_since(start);
    };
    const std::unique_ptr<MachineModel> m = make_workload_machine(p_, options_.seed, compared_, on_layer);
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
      Compared unused;
      const auto other = make_workload_machine(p_, options_.seed, unused, [](auto&...) {});
      rtl_.attach(*other);
      run_systemc(*other, p_.machine.clock_ghz, {});
    };
    if (rtl_.diverge(simulate, again, [&] { progress_.finish(); }, folder_.path(), repeat_of(options_))) return false;
    machine_seconds_ = seconds_since(start) - check_seconds;
    cycles_ = m->last_write() - m->first_request();
    if (!options_.dump_requests.empty()) dump_requests(options_.dump_requests, p_.machine, streams);
    report_memory(*m, p_.machine, cycles_, streams, summary);
    report_timing(*m, p_.machine, {cycles_, p_.machine.clock_ghz}, result);
    utilisation = utilisation_table(*m, m->now());
    return true;
  }

  RunOptions options_;
  PreparedWorkload p_;
  rtl::Blocks rtl_;
  Phase phase_;
  Compared compared_;
  Manifest manifest_;
  RunFolder folder_;
  Progress progress_;
  std::uint64_t layers_done_ = 0;
  Cycle cycles_ = 0;
  double machine_seconds_ = 0;
};

}  // namespace

int run_workload(const RunOptions& options) { return WorkloadRun(options).run(); }

}  // namespace winnow
