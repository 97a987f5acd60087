#include <fmt/format.h>

#include <chrono>

#include "cuda_ref/walk.h"
#include "golden/error.h"
#include "sim/run/job.h"
#include "sim/run/prepare.h"

namespace winnow {
namespace {

class TraceJob : public Job {
 public:
  explicit TraceJob(const RunOptions& options)
      : options_(options), p_(prepare(options)), walk_(*p_.model, *p_.layout, p_.reference.get()) {}

  const Machine& machine() const override { return p_.machine; }
  const golden::Shape& shape() const override { return p_.shape; }
  std::uint64_t layers() const override {
    const RunRange& r = p_.range;
    return static_cast<std::uint64_t>(r.last_layer - r.first_layer + 1) *
           static_cast<std::uint64_t>(r.last_step - r.first_step + 1);
  }
  std::string title() const override {
    return fmt::format("{}: {} on {}, policy {}", options_.trace, p_.trace.meta().model, p_.machine.name,
                       p_.policy.name);
  }
  Manifest manifest() const override { return manifest_of(options_, p_.machine, p_.policy, p_.trace.sha256()); }
  bool has_values() const override { return true; }
  bool generates(int step) const override { return step > 0; }
  rtl::Blocks rtl() const override {
    return {rtl::parse_requests(options_.rtl),
            p_.machine,
            rtl::uses_of(p_.model->decisions()),
            p_.shape.group(),
            options_.seed,
            options_.stall};
  }

  std::unique_ptr<MachineModel> make_machine(OnLayer on_layer) override {
    if (!on_layer) again_ = std::make_unique<golden::Walk>(*p_.model, *p_.layout, nullptr);
    golden::Walk& walk = on_layer ? walk_ : *again_;
    auto machine = make_trace_machine(
        p_, walk, options_.seed,
        [this, &walk, on_layer](const LayerPlan& plan, const std::vector<GroupRecord>& records,
                                const LayerCounts& counts) {
          const auto start = std::chrono::steady_clock::now();
          golden::LayerResult r;
          walk.next(r);
          if (!on_layer) return;
          compare_layer(p_.shape, plan, records, counts, machine_->parts().importance_memory,
                        machine_->parts().hbm2.memory().image(), r, compared_);
          on_layer(r, &counts);
          seconds_beside_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        });
    if (on_layer) machine_ = machine.get();
    return machine;
  }

  void run_untimed(const OnLayer& on_layer) override {
    if (options_.engine == "golden") return walk_range(walk_, on_layer);
    // Values and bytes by the CUDA kernels: on the GPU where there is one, else in the host shim.
    const cuda_ref::Backend backend = cuda_ref::best_backend();
    fmt::print("{}\n", cuda_ref::describe(backend));
    cuda_ref::Options options;
    options.measure = true;
    const auto model = cuda_ref::load(backend, float_source(p_.trace), options);
    walk_range(*model->walk(p_.policy, *p_.layout), on_layer);
  }

  void finish(Phase&) override {}
  void report_compared(StatTree& result) const override {
    StatTree& checked = result.part("checked_against_golden", "checked against golden");
    checked.count("outputs", "outputs", compared_.outputs);
    checked.count("probabilities", "probabilities", compared_.probabilities);
    checked.count("decisions", "decisions", compared_.decisions);
    checked.count("importances", "importances", compared_.importances);
    checked.count("counts", "byte and burst counts", compared_.counts);
    checked.count("differences", "differences", compared_.differences);
  }
  std::string compared_line() const override {
    if (compared_.total() == 0) return {};
    return fmt::format(
        "compared with golden: {} outputs, {} probabilities, {} decisions, {} importances, {} counts: {} differences",
        compared_.outputs, compared_.probabilities, compared_.decisions, compared_.importances, compared_.counts,
        compared_.differences);
  }
  std::vector<std::string> notes(bool generated) const override {
    std::vector<std::string> lines;
    const golden::Decisions& plan = p_.model->decisions();
    if (!generated && (plan.decides() || plan.selects()))
      lines.push_back(fmt::format("{}: decode only; here K and V are loaded once at full width, for all queries",
                                  plan.selects() ? "select" : "LSB refetch"));
    lines.emplace_back(
        "replay is open loop: a pruned layer's output does not feed the next; the model's weights take no time");
    return lines;
  }

 private:
  template <class Walk>
  void walk_range(Walk& walk, const OnLayer& on_layer) {
    golden::LayerResult r;
    const RunRange& range = p_.range;
    while (walk.step() <= range.last_step && walk.next(r))
      if (r.step >= range.first_step && r.layer >= range.first_layer && r.layer <= range.last_layer)
        on_layer(r, nullptr);
  }

  RunOptions options_;
  Prepared p_;
  golden::Walk walk_;
  std::unique_ptr<golden::Walk> again_;
  const MachineModel* machine_ = nullptr;
};

}  // namespace

std::unique_ptr<Job> make_trace_job(const RunOptions& options) { return std::make_unique<TraceJob>(options); }

}  // namespace winnow
