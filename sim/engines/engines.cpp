#include "sim/engines/engines.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cuda_ref/walk.h"
#include "golden/error.h"
#include "sim/engines/machine_layer.h"

namespace winnow {
namespace {

// Golden and the CUDA kernels: they walk a trace from its beginning; layers before the range are computed and not
// given.
template <class Walk>
bool walk_range(Walk& walk, const Prepared& p, const Engine::OnLayer& on_layer) {
  const RunRange& range = p.range;
  golden::LayerResult r;
  if (skips_prompt(p, p.shape)) walk.skip_prompt();
  while (walk.step() <= range.last_step && walk.next(r))
    if (r.step >= range.first_step && r.layer >= range.first_layer && r.layer <= range.last_layer) on_layer({r});
  return true;
}

class GoldenEngine : public Engine {
 public:
  explicit GoldenEngine(const EngineInput& input)
      : p_(input.prepared),
        walk_(*input.prepared.model, *input.prepared.layout,
              input.hooks.measure ? input.prepared.reference.get() : nullptr) {}
  std::string name() const override { return "golden"; }
  std::string what() const override { return "host"; }
  bool run(const OnLayer& on_layer) override { return walk_range(walk_, p_, on_layer); }

 private:
  const Prepared& p_;
  golden::Walk walk_;
};

// On the GPU where there is one, else in the host shim.
class CudaEngine : public Engine {
 public:
  explicit CudaEngine(const EngineInput& input) : p_(input.prepared), backend_(cuda_ref::best_backend()) {
    cuda_ref::Options options;
    options.measure = input.hooks.measure;
    model_ = cuda_ref::load(backend_, float_source(input.prepared.trace), options);
    walk_ = model_->walk(input.prepared.policy, *input.prepared.layout);
  }
  std::string name() const override { return "cuda"; }
  std::string what() const override { return cuda_ref::describe(backend_); }
  bool run(const OnLayer& on_layer) override { return walk_range(*walk_, p_, on_layer); }

 private:
  const Prepared& p_;
  cuda_ref::Backend backend_;
  std::unique_ptr<cuda_ref::Model> model_;
  std::unique_ptr<cuda_ref::Walk> walk_;
};

class TraceMachine : public MachineEngine {
 public:
  TraceMachine(const char* name, const std::string& what, const EngineInput& input)
      : MachineEngine(name, what, input.prepared.machine.clock_ghz, input.prepared.machine.hbm2.channels,
                      rtl::Blocks(rtl::parse_requests(input.rtl), input.prepared.machine,
                                  rtl::uses_of(input.prepared.model->decisions()), input.prepared.shape.group(),
                                  input.seed, input.hooks.stall),
                      input.hooks),
        p_(input.prepared),
        seed_(input.seed),
        measure_(input.hooks.measure) {
    require_served(p_.machine, p_.model->decisions());
  }

 protected:
  std::unique_ptr<MachineModel> make_machine(MachineModel::OnLayer on_layer) override {
    walks_.push_back(make_walks(p_, measure_));
    return make_trace_machine(p_, walks_.back(), seed_, std::move(on_layer));
  }
  void finished(const LayerPlan& plan, const std::vector<GroupRecord>& records, const LayerCounts& counts,
                const OnLayer* on_layer) override {
    walks_.back()[static_cast<std::size_t>(plan.sequence)]->next(golden_);
    if (!on_layer) return;
    (*on_layer)({layer_of_machine(p_.sequences[static_cast<std::size_t>(plan.sequence)].shape, plan, records, counts,
                                  machine(), golden_.importance.size(), golden_.head_importance.size()),
                 &golden_, &counts});
  }

 private:
  const Prepared& p_;
  std::uint64_t seed_;
  bool measure_;
  std::vector<std::vector<std::unique_ptr<golden::Walk>>> walks_;  // of a machine, one a sequence
  golden::LayerResult golden_;
};

std::unique_ptr<Engine> make_golden(const EngineInput& input, std::string&) {
  return std::make_unique<GoldenEngine>(input);
}
std::unique_ptr<Engine> make_cuda(const EngineInput& input, std::string& why_not) {
  if (input.prepared.model->decisions().searches()) {
    why_not = "policy " + input.prepared.policy.name + ": candidates: the kernels have no greedy search";
    return nullptr;
  }
  if (input.prepared.model->decisions().coded) {
    why_not = "policy " + input.prepared.policy.name + ": key_basis: the kernels have no keys in a basis of their own";
    return nullptr;
  }
  return std::make_unique<CudaEngine>(input);
}
std::unique_ptr<Engine> make_systemc(const EngineInput& input, std::string&) {
  return std::make_unique<TraceMachine>("systemc", "the machine's models under the SystemC kernel", input);
}
std::unique_ptr<Engine> make_rtl(const EngineInput& input, std::string& why_not) {
  const std::vector<rtl::Request> requests = rtl::parse_requests(input.rtl);
  const bool only_topk =
      std::all_of(requests.begin(), requests.end(), [](const rtl::Request& r) { return r.block == "topk"; });
  if (const rtl::Uses uses = rtl::uses_of(input.prepared.model->decisions());
      only_topk && !uses.topk && !uses.cascade_topk) {
    why_not = "policy " + input.prepared.policy.name + " asks for no choice: its RTL would do nothing";
    return nullptr;
  }
  try {
    return std::make_unique<TraceMachine>("rtl", "the same with " + input.rtl + " in RTL", input);
  } catch (const rtl::MissingTool& e) {
    why_not = e.what();
    return nullptr;
  }
}

}  // namespace

const std::vector<EngineEntry>& engines() {
  static const std::vector<EngineEntry> all = {
      {"golden", make_golden}, {"cuda", make_cuda}, {"systemc", make_systemc}, {"rtl", make_rtl, true}};
  return all;
}

std::vector<const EngineEntry*> parse_engines(const std::string& list) {
  std::string known;
  for (const EngineEntry& e : engines()) known += (known.empty() ? "" : ", ") + std::string(e.name);
  std::vector<const EngineEntry*> chosen;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t to = std::min(list.find(',', from), list.size());
    const std::string name = list.substr(from, to - from);
    from = to + 1;
    const auto entry =
        std::find_if(engines().begin(), engines().end(), [&](const EngineEntry& e) { return e.name == name; });
    if (entry == engines().end()) throw Error(fmt::format("--engines: '{}': known are {}", name, known));
    if (std::find(chosen.begin(), chosen.end(), &*entry) != chosen.end())
      throw Error(fmt::format("--engines: '{}': named twice", name));
    chosen.push_back(&*entry);
  }
  return chosen;
}

}  // namespace winnow
