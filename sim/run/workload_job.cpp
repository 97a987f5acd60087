#include <fmt/format.h>

#include "golden/error.h"
#include "sim/run/job.h"
#include "sim/run/workload_check.h"
#include "sim/run/workload_prepare.h"
#include "traces/mapped_file.h"

namespace winnow {
namespace {

std::string sha256_of(const std::string& path) {
  const MappedFile file(path);
  Sha256 digest;
  digest.add(file.bytes());
  return digest.hex();
}

// What a layer's rows in the file say, beside what was counted.
golden::LayerResult result_of(const Workload& w, const WorkloadLayer& layer, const golden::Accesses& accesses,
                              std::uint64_t refetched) {
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
  return r;
}

std::vector<std::uint32_t> order_of(const Workload& w, const WorkloadLayer& layer, std::uint64_t seed) {
  return token_order(seed, layer.step, order_length(w, layer));
}

// The closed form alone.
class ClosedForm : public Engine {
 public:
  ClosedForm(const PreparedWorkload& p, std::uint64_t seed) : p_(p), seed_(seed) {}
  std::string name() const override { return "golden"; }
  std::string what() const override { return "the workload's closed form"; }
  bool run(const OnLayer& on_layer) override {
    for (const WorkloadLayer& layer : p_.layers) {
      if (!layer.in_range) continue;
      std::uint64_t refetched = 0;
      for (std::size_t i = layer.first; i < layer.end; ++i) refetched += p_.workload.rows[i].refetch;
      on_layer({result_of(p_.workload, layer,
                          expected_accesses(p_.workload, layer, p_.layout, order_of(p_.workload, layer, seed_)),
                          refetched)});
    }
    return true;
  }

 private:
  const PreparedWorkload& p_;
  std::uint64_t seed_;
};

// The machine, held against the closed form on the way.
class WorkloadMachine : public MachineEngine {
 public:
  WorkloadMachine(const PreparedWorkload& p, const RunOptions& options, const EngineHooks& hooks, Comparison& compared)
      : MachineEngine(
            "systemc", "the machine's models under the SystemC kernel", p.machine.clock_ghz, p.machine.hbm2.channels,
            rtl::Blocks(rtl::parse_requests(options.rtl), p.machine, {}, 1, options.seed, options.stall), hooks),
        p_(p),
        seed_(options.seed),
        compared_(compared) {}

 protected:
  std::unique_ptr<MachineModel> make_machine(MachineModel::OnLayer on_layer) override {
    return make_workload_machine(p_, seed_, compared_, std::move(on_layer));
  }
  void finished(const LayerPlan&, const std::vector<GroupRecord>& records, const LayerCounts& counts,
                const OnLayer* on_layer) override {
    if (!on_layer) return;
    while (!p_.layers[next_].in_range) ++next_;
    const WorkloadLayer& layer = p_.layers[next_++];
    compare_workload_layer(p_.workload, layer, p_.layout, order_of(p_.workload, layer, seed_), records, counts,
                           compared_);
    std::uint64_t refetched = 0;
    for (const GroupRecord& r : records) refetched += r.refetched;
    (*on_layer)({result_of(p_.workload, layer, counts.accesses, refetched), nullptr, &counts});
  }

 private:
  const PreparedWorkload& p_;
  std::uint64_t seed_;
  Comparison& compared_;
  std::size_t next_ = 0;  // layer to finish
};

class WorkloadJob : public Job {
 public:
  explicit WorkloadJob(const RunOptions& options) : Job("workload"), options_(options), p_(prepare_workload(options)) {}

  const Machine& machine() const override { return p_.machine; }
  const golden::Shape& shape() const override { return p_.shape; }
  std::uint64_t layers() const override { return p_.layers_in_range; }
  std::string title() const override {
    return fmt::format("{}: shape-only workload, {} rows, D {}, up to {} tokens, on {}", options_.trace,
                       p_.rows_in_range, p_.shape.head_dim, p_.workload.longest, p_.machine.name);
  }
  Manifest manifest() const override {
    Manifest m = manifest_of(options_, p_.machine, golden::Policy{}, sha256_of(options_.trace));
    m.policy = {{"name", "workload"}};  // all else stands in the file
    return m;
  }
  bool has_values() const override { return false; }
  bool generates(int) const override { return true; }

  std::unique_ptr<Engine> make_engine(const EngineHooks& hooks) override {
    if (options_.engine == "golden") return std::make_unique<ClosedForm>(p_, options_.seed);
    return std::make_unique<WorkloadMachine>(p_, options_, hooks, compared_);
  }
  void compare(const EngineLayer&, LayerDetail) override {}  // the engine does, which has the machine's records

  void finish(Phase& phase) override {
    compare_totals(p_.bytes, phase.accesses, compared_);
    // Heads without a row count as dense ones.
    phase.dense_elements = p_.dense_elements;
  }
  void report_compared(StatTree& result) const override {
    StatTree& checked = result.part("checked_against_workload", "checked against the workload");
    checked.count("decisions", "decisions", compared_.compared(CompareKind::decisions));
    checked.count("counts", "byte and burst counts", compared_.compared(CompareKind::counts));
    checked.count("differences", "differences", compared_.different());
  }
  std::string compared_line() const override {
    return fmt::format("compared with the workload's closed form: {} decisions, {} counts: {} differences",
                       compared_.compared(CompareKind::decisions), compared_.compared(CompareKind::counts),
                       compared_.different());
  }
  std::vector<std::string> notes(bool) const override {
    return {"shape only: no values; which tokens are kept is drawn from the seed; the model's weights take no time"};
  }

 private:
  RunOptions options_;
  PreparedWorkload p_;
};

}  // namespace

std::unique_ptr<Job> make_workload_job(const RunOptions& options) { return std::make_unique<WorkloadJob>(options); }

}  // namespace winnow
