#include "tests/sim/machine/harness.h"

#include <fmt/format.h>

#include <exception>

#include "sim/engines/machine_layer.h"
#include "sim/machine/systemc_machine.h"

namespace winnow::test {
namespace {

constexpr Cycle kStuck = 60'000;  // no read or write for so long: the cases here are small

// Calls the blocks in another order than the machine's own.
class Order {
 public:
  Order(MachineModel& m, Drive drive) : drive_(drive), random_(17) {
    for (Block* block : m.blocks()) calls_.push_back([block](Cycle now) { block->tick(now); });
    if (drive == Drive::reverse) std::reverse(calls_.begin(), calls_.end());
  }
  void tick(Cycle now) {
    if (drive_ == Drive::shuffled)
      for (std::size_t i = calls_.size() - 1; i > 0; --i)
        std::swap(calls_[i], calls_[static_cast<std::size_t>(random_.below(static_cast<int>(i) + 1))]);
    for (auto& call : calls_) call(now);
  }

 private:
  Drive drive_;
  CaseRandom random_;
  std::vector<std::function<void(Cycle)>> calls_;
};

}  // namespace

std::string command_of(const RunOptions& o) {
  std::string s = fmt::format("winnow run {} --machine {} --policy {} --seed {}", o.trace, o.machine, o.policy, o.seed);
  const auto range = [](const char* what, const IndexRange& r) {
    return r.all()      ? std::string()
           : r.last < 0 ? fmt::format(" --{} {}-", what, r.first)
                        : fmt::format(" --{} {}-{}", what, r.first, r.last);
  };
  s += range("layers", o.layers) + range("steps", o.steps);
  if (o.batch > 1) s += fmt::format(" --batch {} --batch-stagger {}", o.batch, o.batch_stagger);
  for (const std::string& assignment : o.set) s += " --set " + assignment;
  return s;
}

Outcome Bench::run(Run run) const {
  const Prepared& p = prepared_;
  Outcome out;
  const golden::Quantized& within_reach = run.within_reach ? *run.within_reach : *p.model;
  const bool batch = p.sequences.size() > 1;
  std::vector<std::unique_ptr<golden::Walk>> walks;
  if (batch)
    walks = make_walks(p, false);
  else
    walks.push_back(std::make_unique<golden::Walk>(run.golden ? *run.golden : *p.model, *p.layout, nullptr));
  Workpiece piece = workpiece(p, options_.seed);
  if (!run.image.empty()) piece.image = std::move(run.image);
  MachineModel* self = nullptr;
  MachineModel m(
      p.machine, std::move(piece),
      [&](ImportanceMemory& importance) -> std::unique_ptr<PlanSource> {
        if (batch) return plan_source(p, walks, importance);
        return std::make_unique<TraceSource>(within_reach, *p.layout, *walks[0], importance, p.range);
      },
      [&](const LayerPlan& plan, const std::vector<GroupRecord>& records, const LayerCounts& counts) {
        const ImportanceMemory& importance = self->parts().importance_memory;
        out.layers.push_back({plan.sequence, plan.step, plan.layer, counts, plan.positions, plan.heads, records,
                              plan.out, 0, 0, importance.tokens(), importance.heads()});
        if (!run.check) return;
        golden::LayerResult expected;
        walks[static_cast<std::size_t>(plan.sequence)]->next(expected);
        out.layers.back().candidates = expected.candidates, out.layers.back().weighed = expected.weighed;
        const golden::Shape& shape = p.sequences[static_cast<std::size_t>(plan.sequence)].shape;
        compare_layer(shape, LayerDetail::machine, expected,
                      layer_of_machine(shape, plan, records, counts, *self, expected.importance.size(),
                                       expected.head_importance.size()),
                      out.compared);
      });
  self = &m;
  m.set_stuck_limit(kStuck);
  if (run.drive == Drive::every_tick) m.without_short_cuts();
  Cycle ticks = 0;
  try {
    if (run.drive == Drive::systemc) {
      run_systemc(m, p.machine.clock_ghz, {});
      ticks = m.now();
    } else {
      Order order(m, run.drive);
      while (m.begin_cycle()) {
        if (run.watch) run.watch(m);
        if (run.tick)
          for (Block* block : m.blocks()) run.tick(m, *block, m.now());
        else if (run.drive == Drive::construction || run.drive == Drive::every_tick)
          m.tick();
        else
          order.tick(m.now());
        ++ticks;
      }
    }
  } catch (const std::exception& e) {
    out.broken = fmt::format("cycle {}: {}", m.now(), e.what());
  }
  out.cycles = m.now(), out.first_request = m.first_request(), out.last_write = m.last_write();
  out.qk_busy = m.parts().qk.stats().busy_cycles();
  for (const Block* block : m.parts().all.blocks) {
    const BlockStats& b = block->stats();
    out.stats.push_back(b.busy_cycles()), out.stats.push_back(b.idle_cycles());
    for (int i = 0; i < b.wait_count(); ++i) out.stats.push_back(b.wait_at(i).cycles);
    if (out.broken.empty() && block != &m.parts().hbm2 && b.cycles() != ticks)
      out.broken = fmt::format("{}: {} cycles accounted for, {} ticked", block->name(), b.cycles(), ticks);
  }
  if (out.broken.empty()) out.broken = m.parts().undrained();
  out.image = m.parts().hbm2.memory().image();
  return out;
}

}  // namespace winnow::test
