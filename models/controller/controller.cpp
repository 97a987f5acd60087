#include "models/controller/controller.h"

#include <algorithm>

namespace winnow {

Controller::Controller(const Params& params, const golden::Decisions& decisions, PlanSource& source,
                       ControllerPorts ports, ControllerMemories memories)
    : Block("controller", "qk without a task"),
      s_{params, decisions, ports, memories, nullptr, {}, 0, {}, {}, {}, {}, {}, {}, {}},
      planner_(s_, source),
      loads_(s_),
      groups_(s_, loads_) {
  s_.key_free.assign(params.halves, 1), s_.value_free.assign(params.halves, 1), s_.value_read.assign(params.halves, 0);
  s_.store_free.assign(memories.groups.size(), 1);
}

bool Controller::woken(Cycle now) const {
  const ControllerPorts& p = s_.ports;
  return p.pv_done.can_pop(now) || p.store_released.can_pop(now) || p.importance_done.can_pop(now) ||
         p.done.can_pop(now) || p.key_released.can_pop(now) || p.verdicts.can_pop(now) || p.topk_done.can_pop(now) ||
         p.compacted.can_pop(now) || p.cascade_done.can_pop(now) || p.written.can_pop(now);
}

bool Controller::act(Cycle now) {
  s_.blocked = false;
  bool moved = false;
  const auto one = [&](auto&& sequencer) {
    s_.moved = false;
    sequencer();
    moved = moved || s_.moved;
  };
  one([&] { groups_.take_message(now); });
  one([&] { groups_.retire(now); });
  one([&] { planner_.count_layer(now); });
  one([&] { planner_.tick(now); });
  one([&] { loads_.open_head(); });
  one([&] { groups_.advance(now); });
  one([&] { s_.moved = loads_.send(now); });
  return !moved && !s_.blocked;
}

Wait Controller::why() const {
  using controller::Group;
  using controller::Head;
  using controller::Stage;
  const controller::Layer& layer = s_.layers.front();
  if (!layer.open) return kLayerEnd;
  for (const Group& g : s_.groups) {
    switch (g.stage) {
      case Stage::passing: return g.undecided ? kProgressive : kSoftmax;
      case Stage::selecting:
      case Stage::pruning:
      case Stage::final: return kTopk;
      case Stage::expanding:
      case Stage::gathering: return kGather;
      case Stage::kept:
      case Stage::weighing: continue;
    }
  }
  const auto done = [](const controller::Layer& l) { return !l.open || l.groups_left == 0; };
  if (std::all_of(s_.layers.begin(), s_.layers.end(), done)) return planner_.choosing() ? kCascade : kLayerEnd;
  const bool more = std::any_of(s_.heads.begin(), s_.heads.end(), [&](const Head& h) {
    return h.layer->open && h.started < h.layer->plan.positions.size();
  });
  if (!more) return kLayerEnd;
  return s_.groups.empty() ? kMemory : kPv;
}

}  // namespace winnow
