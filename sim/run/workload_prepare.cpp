#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "golden/error.h"
#include "models/dram/spec.h"
#include "sim/config/settings.h"
#include "sim/run/workload_prepare.h"

namespace winnow {
namespace {

RunRange range_of(const RunOptions& o, const Workload& w) {
  const auto last_of = [&](const char* what, IndexRange r, int count) {
    const int last = r.last < 0 ? count - 1 : r.last;
    if (r.first >= count || last >= count)
      throw Error(fmt::format("--{}: {}-{}: {} has {} 0-{}", what, r.first, last, w.name, what, count - 1));
    return last;
  };
  return {o.layers.first, last_of("layers", o.layers, w.layers), o.steps.first, last_of("steps", o.steps, w.steps)};
}

Machine machine_of(const RunOptions& o) {
  if (o.policy != "spatten")
    throw Error(
        fmt::format("--policy: '{}': a workload file says itself what is fetched: leave --policy out", o.policy));
  Machine machine = load_machine(o.machine);
  Settings settings;
  settings.add("machine", machine_schema(machine));
  for (const std::string& assignment : o.set) settings.apply(assignment);
  require_consistent("--set", machine);
  return machine;
}

}  // namespace

PreparedWorkload prepare_workload(const RunOptions& options) {
  Machine machine = machine_of(options);
  Workload w = read_workload(options.trace);
  require_runnable(w);
  const RunRange range = range_of(options, w);
  const std::vector<WorkloadLayer> layers = layers_of(w, range);
  Workload inside = w;
  inside.rows.clear();
  inside.longest = 0;
  std::set<int> steps;
  std::uint64_t layer_count = 0;
  for (const WorkloadLayer& l : layers) {
    if (!l.in_range) continue;
    ++layer_count;
    for (std::size_t i = l.first; i < l.end; ++i) {
      inside.rows.push_back(w.rows[i]);
      inside.longest = std::max(inside.longest, w.rows[i].length);
    }
  }
  if (inside.rows.empty())
    throw Error(fmt::format("{}: --layers {}-{} --steps {}-{}: no row: must hold at least one", options.trace,
                            range.first_layer, range.last_layer, range.first_step, range.last_step));
  inside.layers = range.last_layer - range.first_layer + 1;
  w.longest = inside.longest;
  require_fits(options.trace, machine, {w.head_dim, 1, w.longest});
  WorkloadLayout layout(w, layers, machine.alignment());
  const std::uint64_t capacity =
      dram::memory_spec(machine.hbm2.type).channel_bytes(2) * static_cast<std::uint64_t>(machine.hbm2.channels);
  if (layout.bytes() > capacity)
    throw Error(fmt::format("{}: bytes of all heads: {}: machine {} has {} in its {} channels: raise hbm2.channels",
                            options.trace, layout.bytes(), machine.name, capacity, machine.hbm2.channels));
  const golden::Shape shape = shape_of(w);
  const golden::Decisions decisions = decisions_of(inside);
  return {std::move(w), std::move(machine),  range,
          layers,       std::move(layout),   shape,
          decisions,    total_bytes(inside), dense_bytes(inside, 8),
          layer_count,  inside.rows.size()};
}

std::unique_ptr<MachineModel> make_workload_machine(const PreparedWorkload& p, std::uint64_t seed, Comparison& compared,
                                                    MachineModel::OnLayer on_layer) {
  Workpiece piece;
  piece.shape = p.shape, piece.decisions = p.decisions, piece.seed = seed, piece.shape_only = true,
  piece.longest = p.workload.longest;
  piece.image.resize(p.layout.bytes());
  return std::make_unique<MachineModel>(
      p.machine, std::move(piece),
      [&p, seed, &compared](ImportanceMemory&) {
        return std::make_unique<WorkloadSource>(
            p.workload, p.layers, p.layout, seed,
            [&compared](const WorkloadLayer& next, const std::vector<std::uint32_t>& kept,
                        const std::vector<std::uint32_t>& expected) {
              compare_choice(next, kept, expected, compared);
            });
      },
      std::move(on_layer));
}

}  // namespace winnow
