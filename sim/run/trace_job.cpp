#include <fmt/format.h>

#include "golden/error.h"
#include "sim/engines/engines.h"
#include "sim/run/job.h"

namespace winnow {
namespace {

// Keys of result.json, one a kind.
constexpr const char* kKeys[kCompareKinds] = {"outputs", "probabilities", "decisions", "importances", "counts"};

class TraceJob : public Job {
 public:
  explicit TraceJob(const RunOptions& options) : Job("golden"), options_(options), p_(prepare(options)) {
    golden::require_effect(p_.policy, p_.shape);
  }

  const Machine& machine() const override { return p_.machine; }
  const golden::Policy* policy() const override { return &p_.policy; }
  const golden::Shape& shape() const override { return p_.shape; }
  std::uint64_t layers() const override {
    const RunRange& r = p_.range;
    return static_cast<std::uint64_t>(r.last_layer - r.first_layer + 1) *
           static_cast<std::uint64_t>(r.last_step - r.first_step + 1) * p_.sequences.size();
  }
  std::string title() const override {
    return fmt::format("{}: {} on {}, policy {}", options_.trace, p_.trace.meta().model, p_.machine.name,
                       p_.policy.name);
  }
  Manifest manifest() const override { return manifest_of(options_, p_.machine, p_.policy, p_.trace.sha256()); }
  int sequences() const override { return static_cast<int>(p_.sequences.size()); }
  int steps() const override { return p_.range.last_step - p_.range.first_step + 1; }
  bool has_values() const override { return true; }
  bool generates(int step) const override { return step > 0; }

  std::unique_ptr<Engine> make_engine(const EngineHooks& hooks) override {
    std::string why_not;
    auto engine = parse_engines(options_.engine)[0]->make({p_, options_.seed, options_.rtl, hooks}, why_not);
    if (!engine) throw Error("--engine: " + options_.engine + ": " + why_not);
    return engine;
  }
  void compare(const EngineLayer& layer, LayerDetail detail) override {
    if (layer.golden) compare_layer(p_.shape, detail, *layer.golden, layer.result, compared_);
  }

  void finish(Phase&) override {}
  void report_compared(StatTree& result) const override {
    StatTree& checked = result.part("checked_against_golden", "checked against golden");
    for (int i = 0; i < kCompareKinds; ++i)
      checked.count(kKeys[i], kCompareNames[i], compared_.compared(static_cast<CompareKind>(i)));
    checked.count("differences", "differences", compared_.different());
  }
  std::string compared_line() const override {
    if (compared_.compared() == 0) return {};
    std::string line = "compared with golden: ";
    for (int i = 0; i < kCompareKinds; ++i)
      line += fmt::format("{}{} {}", i ? ", " : "", compared_.compared(static_cast<CompareKind>(i)), kCompareNames[i]);
    return line + fmt::format(": {} differences", compared_.different());
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
  RunOptions options_;
  Prepared p_;
};

}  // namespace

std::unique_ptr<Job> make_trace_job(const RunOptions& options) { return std::make_unique<TraceJob>(options); }

}  // namespace winnow
