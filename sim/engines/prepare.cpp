#include "sim/engines/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "golden/error.h"
#include "golden/policies/schedule.h"
#include "sim/config/policy_schema.h"
#include "sim/config/settings.h"
#include "sim/machine/batch_source.h"

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
  golden::FloatSource s;
  s.shape = shape_of(trace);
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

namespace {

// The first position whose float output anybody asks for: of the range's steps, unless scales are made of the prompt's.
int first_measured(const Prepared& p, const golden::Shape& shape) {
  const bool scales = !golden::decisions_of(p.policy, shape).out_by_value;
  return p.range.first_step == 0 || scales ? 0 : shape.tokens_in(p.range.first_step) - 1;
}

// The i-th sequence of a batch: the same trace further on, or a trace of the same model. `lists` of importance, of all.
void add_sequence(Prepared& p, const RunOptions& options, int i, int lists) {
  Sequence s = p.sequences.front();
  if (options.with.empty()) {
    s.range.first_step += i * options.batch_stagger, s.range.last_step += i * options.batch_stagger;
  } else {
    const std::string& name = options.with[static_cast<std::size_t>(i - 1)];
    const golden::FloatSource source = float_source(Trace::open(name));
    const golden::Shape &a = p.shape, &b = source.shape;
    for (const auto& [key, first, other] : {std::tuple{"layers", a.layers, b.layers},
                                            {"heads", a.heads, b.heads},
                                            {"kv_heads", a.kv_heads, b.kv_heads},
                                            {"head_dim", a.head_dim, b.head_dim},
                                            {"causal", int{a.causal}, int{b.causal}}})
      if (first != other)
        throw Error(fmt::format("{}: {}: {}: must be {}, as in {}: a batch is of one model", name, key, other, first,
                                options.trace));
    if (p.range.last_step >= b.steps())
      throw Error(fmt::format("{}: the batch runs steps {}-{}: the trace has steps 0-{}", name, p.range.first_step,
                              p.range.last_step, b.steps() - 1));
    require_fits(name, p.machine, {b.head_dim, b.group(), b.tokens_in(p.range.last_step), lists});
    s.shape = b;
    p.references.push_back(std::make_unique<golden::Reference>(source, first_measured(p, source.shape)));
    p.models.push_back(std::make_unique<golden::Quantized>(source, *p.references.back(), p.policy));
    s.reference = p.references.back().get(), s.model = p.models.back().get();
  }
  p.layouts.push_back(
      std::make_unique<golden::Layout>(s.shape, p.policy, p.machine.alignment(), p.sequences.back().layout->bytes()));
  s.layout = p.layouts.back().get();
  p.sequences.push_back(s);
}

}  // namespace

Prepared prepare(const RunOptions& options) {
  Settled settled = settle(options);
  Prepared p{Trace::open(options.trace),
             std::move(settled.machine),
             std::move(settled.policy),
             {},
             {},
             {},
             {},
             {},
             {},
             {},
             {},
             {}};
  const golden::FloatSource source = float_source(p.trace);
  p.shape = source.shape;
  p.range = {options.layers.first, last_of("layers", options.layers, p.shape.layers), options.steps.first,
             last_of("steps", options.steps, p.shape.steps())};
  const auto count =
      static_cast<int>(options.with.empty() ? static_cast<std::size_t>(options.batch) : 1 + options.with.size());
  const int ahead = options.with.empty() ? options.batch_stagger * (count - 1) : 0;
  if (count > 1 && options.steps.all()) p.range.first_step = 1, p.range.last_step -= ahead;
  if (p.range.last_step + ahead >= p.shape.steps() || p.range.last_step < p.range.first_step)
    throw Error(fmt::format("--batch: {}: its last sequence would run step {}: the trace has steps 0-{}", count,
                            std::max(p.range.first_step, p.range.last_step) + ahead, p.shape.steps() - 1));
  const bool per_head = golden::decisions_of(p.policy, p.shape).importance_per_head();
  const int lists = (per_head ? p.shape.layers * p.shape.kv_heads : 1) * count;
  require_fits(options.trace, p.machine,
               {p.shape.head_dim, p.shape.group(), p.shape.tokens_in(p.range.last_step + ahead), lists});
  p.reference = std::make_unique<golden::Reference>(source, first_measured(p, p.shape));
  p.model = std::make_unique<golden::Quantized>(source, *p.reference, p.policy);
  p.layout = std::make_unique<golden::Layout>(p.shape, p.policy, p.machine.alignment());
  p.sequences.push_back({p.model.get(), p.layout.get(), p.reference.get(), p.shape, p.range});
  for (int i = 1; i < count; ++i) add_sequence(p, options, i, lists);
  return p;
}

bool skips_prompt(const Prepared& p, const golden::Shape& shape) {
  return p.range.first_step > 0 && !golden::Schedule{shape, p.policy}.needs_prompt();
}

std::vector<std::unique_ptr<golden::Walk>> make_walks(const Prepared& p, bool measure) {
  std::vector<std::unique_ptr<golden::Walk>> walks;
  golden::LayerResult skipped;
  for (std::size_t i = 0; i < p.sequences.size(); ++i) {
    const Sequence& s = p.sequences[i];
    // Where two walk the same trace the later one goes on from where the earlier begins.
    if (i && s.model == p.sequences[i - 1].model)
      walks.push_back(std::make_unique<golden::Walk>(*walks.back()));
    else
      walks.push_back(std::make_unique<golden::Walk>(*s.model, *s.layout, measure ? s.reference : nullptr));
    golden::Walk& walk = *walks.back();
    if (skips_prompt(p, s.shape)) walk.skip_prompt();
    while (walk.step() < s.range.first_step ||
           (walk.step() == s.range.first_step && walk.layer() < s.range.first_layer))
      walk.next(skipped);
  }
  return walks;
}

Workpiece workpiece(const Prepared& p, std::uint64_t seed) {
  std::vector<std::uint8_t> image(p.sequences.back().layout->bytes(), 0);
  golden::Shape shape = p.shape;
  int longest = 0;
  for (const Sequence& s : p.sequences) {
    golden::build_image(*s.model, *s.layout, image);
    shape.tokens = std::max(shape.tokens, s.shape.tokens);
    longest = std::max(longest, s.shape.tokens_in(s.range.last_step));
  }
  const auto sequences = static_cast<int>(p.sequences.size());
  return {shape, p.model->decisions(), std::move(image), seed, false, longest, sequences};
}

std::unique_ptr<PlanSource> plan_source(const Prepared& p, const std::vector<std::unique_ptr<golden::Walk>>& walks,
                                        ImportanceMemory& importance) {
  std::vector<std::unique_ptr<TraceSource>> of;
  for (std::size_t i = 0; i < p.sequences.size(); ++i) {
    const Sequence& s = p.sequences[i];
    of.push_back(
        std::make_unique<TraceSource>(*s.model, *s.layout, *walks[i], importance, s.range, static_cast<int>(i)));
  }
  return std::make_unique<BatchSource>(std::move(of));
}

std::unique_ptr<MachineModel> make_trace_machine(const Prepared& p,
                                                 const std::vector<std::unique_ptr<golden::Walk>>& walks,
                                                 std::uint64_t seed, MachineModel::OnLayer on_layer) {
  const auto source = [&](ImportanceMemory& importance) { return plan_source(p, walks, importance); };
  return std::make_unique<MachineModel>(p.machine, workpiece(p, seed), source, std::move(on_layer));
}

}  // namespace winnow
