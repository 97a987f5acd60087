#include "sim/engines/prepare.h"

#include <fmt/format.h>

#include "golden/error.h"
#include "sim/config/policy_schema.h"
#include "sim/config/settings.h"

namespace winnow {
namespace {

int last_of(const char* what, IndexRange r, int count) {
  const int last = r.last < 0 ? count - 1 : r.last;
  if (r.first >= count || last >= count)
    throw Error(fmt::format("--{}: {}-{}: the trace has {} 0-{}", what, r.first, last, what, count - 1));
  return last;
}

}  // namespace

golden::FloatSource float_source(const Trace& trace) {
  const TraceMeta& m = trace.meta();
  golden::FloatSource s;
  s.shape = {m.layers, m.heads, m.kv_heads, m.head_dim, m.tokens, m.prompt, m.causal, m.attention_scale};
  s.q = [trace](int layer, int head, float* dst) { trace.read_q(layer, head, dst); };
  s.k = [trace](int layer, int head, float* dst) { trace.read_k(layer, head, dst); };
  s.v = [trace](int layer, int head, float* dst) { trace.read_v(layer, head, dst); };
  return s;
}

Settled settle(const RunOptions& options) {
  Settled s{load_machine(options.machine), load_policy(options.policy)};
  Settings settings;
  settings.add("machine", machine_schema(s.machine));
  settings.add("policy", policy_schema(s.policy));
  for (const std::string& assignment : options.set) settings.apply(assignment);
  require_consistent("--set", s.machine);
  golden::validate(s.policy);
  return s;
}

std::vector<std::string> machine_settings(const RunOptions& options) {
  Machine machine = load_machine(options.machine);
  std::vector<std::string> own;
  for (const std::string& assignment : options.set) {
    const std::string key = assignment.substr(0, assignment.find('='));
    for (const Param& p : machine_schema(machine))
      if (key == p.key || key == "machine." + p.key) own.push_back(assignment);
  }
  return own;
}

Prepared prepare(const RunOptions& options) {
  Settled settled = settle(options);
  Prepared p{Trace::open(options.trace), std::move(settled.machine), std::move(settled.policy), {}, {}, {}, {}, {}};
  const golden::FloatSource source = float_source(p.trace);
  p.shape = source.shape;
  p.range = {options.layers.first, last_of("layers", options.layers, p.shape.layers), options.steps.first,
             last_of("steps", options.steps, p.shape.steps())};
  const bool lists = golden::decisions_of(p.policy, p.shape).per_kv_head;
  require_fits(options.trace, p.machine,
               {p.shape.head_dim, p.shape.group(), p.shape.tokens_in(p.range.last_step),
                lists ? p.shape.layers * p.shape.kv_heads : 1});
  p.reference = std::make_unique<golden::Reference>(source);
  p.model = std::make_unique<golden::Quantized>(source, *p.reference, p.policy);
  p.layout = std::make_unique<golden::Layout>(p.shape, p.policy,
                                              static_cast<std::uint64_t>(p.machine.hbm2.channels) *
                                                  static_cast<std::uint64_t>(p.machine.hbm2.interleave_bytes));
  return p;
}

std::unique_ptr<MachineModel> make_trace_machine(const Prepared& p, golden::Walk& walk, std::uint64_t seed,
                                                 MachineModel::OnLayer on_layer) {
  Workpiece piece{p.shape,
                  p.model->decisions(),
                  golden::build_image(*p.model, *p.layout),
                  seed,
                  false,
                  p.shape.tokens_in(p.range.last_step)};
  const auto source = [&](ImportanceMemory& importance) {
    return std::make_unique<TraceSource>(*p.model, *p.layout, walk, importance, p.range);
  };
  return std::make_unique<MachineModel>(p.machine, std::move(piece), source, std::move(on_layer));
}

}  // namespace winnow
