#include "sim/check/machine_engines.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "sim/machine/systemc_machine.h"
#include "sim/rtl/blocks.h"
#include "sim/run/machine_layer.h"
#include "sim/run/prepare.h"

namespace winnow {
namespace {

// SystemC has one kernel a process, so a machine runs its range to the end when its first layer is asked for, and its
// layers wait here.
class MachineEngine {
 public:
  MachineEngine(const EngineInput& input, const std::string& rtl)
      : input_(input),
        p_(*input.prepared),
        rtl_(rtl::parse_requests(rtl), p_.machine, rtl::uses_of(p_.model->decisions()), p_.shape.group(), input.seed) {}

  bool next(golden::LayerResult& r) {
    if (!std::exchange(ran_, true)) run();
    if (layers_.empty()) return false;
    r = std::move(layers_.front());
    layers_.pop_front();
    return true;
  }
  const std::string& why_ended() const { return why_ended_; }
  std::string lockstep() const { return rtl_.summary(); }
  bool lockstep_empty() const { return rtl_.asked() && !rtl_.worked(); }

 private:
  void simulate(bool keep) {
    walk_ = std::make_unique<golden::Walk>(*p_.model, *p_.layout, nullptr);
    golden::LayerResult golden;
    const auto on_layer = [&](const LayerPlan& plan, const std::vector<GroupRecord>& records,
                              const LayerCounts& counts) {
      walk_->next(golden);  // golden computes what lies between the range's layers
      if (keep)
        layers_.push_back(layer_of_machine(p_.shape, plan, records, counts, *machine_, golden.importance.size(),
                                           golden.head_importance.size()));
    };
    machine_ = make_trace_machine(p_, *walk_, input_.seed, on_layer);
    rtl_.attach(*machine_);
    run_systemc(*machine_, p_.machine.clock_ghz, {});
  }
  void run() {
    const bool parted =
        rtl_.diverge([&] { simulate(true); }, [&] { simulate(false); }, [] {}, input_.waves, input_.command);
    if (parted) why_ended_ = "ends: its RTL parted from the model (the report is above)";
  }

  const EngineInput& input_;
  const Prepared& p_;
  rtl::Blocks rtl_;
  std::deque<golden::LayerResult> layers_;
  std::unique_ptr<golden::Walk> walk_;
  std::unique_ptr<MachineModel> machine_;  // outlives its run: a report asks it what it was doing
  std::string why_ended_;
  bool ran_ = false;
};

Engine engine_of(const char* name, const std::string& what, const EngineInput& input, const std::string& rtl) {
  const auto machine = std::make_shared<MachineEngine>(input, rtl);
  Engine e{name, what, [machine](golden::LayerResult& r) { return machine->next(r); }, LayerDetail::machine, true};
  e.why_ended = [machine] { return machine->why_ended(); };
  e.lockstep = [machine] { return machine->lockstep(); };
  e.lockstep_empty = [machine] { return machine->lockstep_empty(); };
  return e;
}

}  // namespace

std::optional<Engine> make_systemc(const EngineInput& input, std::string& why_not) {
  if (!input.prepared) {
    why_not = "no machine is given";
    return std::nullopt;
  }
  return engine_of("systemc", "the machine's models under the SystemC kernel", input, "");
}

std::optional<Engine> make_rtl(const EngineInput& input, std::string& why_not) {
  if (!input.prepared) {
    why_not = "no machine is given";
    return std::nullopt;
  }
  const std::vector<rtl::Request> requests = rtl::parse_requests(input.rtl);
  const bool only_topk =
      std::all_of(requests.begin(), requests.end(), [](const rtl::Request& r) { return r.block == "topk"; });
  if (const rtl::Uses uses = rtl::uses_of(input.prepared->model->decisions());
      only_topk && !uses.topk && !uses.cascade_topk) {
    why_not = "policy " + input.prepared->policy.name + " asks for no choice: its RTL would do nothing";
    return std::nullopt;
  }
  try {
    return engine_of("rtl", "the same with " + input.rtl + " in RTL", input, input.rtl);
  } catch (const rtl::MissingTool& e) {
    why_not = e.what();
    return std::nullopt;
  }
}

}  // namespace winnow
