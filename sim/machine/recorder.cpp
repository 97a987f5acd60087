#include "sim/machine/recorder.h"

namespace winnow {

void Recorder::started(const GroupView& g) {
  // Groups of a prompt are not recorded, so numbers may skip; none of two phases are in flight together.
  if (open_.empty()) first_ = g.number;
  GroupRecord& record = open_.emplace_back();
  record.query = g.query;
  record.head = static_cast<std::uint16_t>(g.head.kv_head);
}

std::vector<std::uint32_t> Recorder::kept_slots(std::uint16_t store, bool all) const {
  const std::uint8_t* kept = kept_.peek(store);
  const std::uint32_t* origins = origins_.peek(store);
  std::vector<std::uint32_t> slots;
  for (std::uint32_t i = 0; i < groups_[store].slots; ++i)
    if (all || kept[i]) slots.push_back(origins[i]);
  return slots;
}

void Recorder::selected(const GroupView& g, int stage) { of(g).survivors[stage] = kept_slots(g.store, false); }

void Recorder::values_known(const GroupView& g, bool all) { of(g).values = kept_slots(g.store, all); }

void Recorder::freed(const GroupView& g) {
  if (!values_) return;
  const GroupEntry& entry = groups_[g.store];
  const std::uint32_t* origins = origins_.peek(g.store);
  const std::size_t keys = g.plan.causal ? g.query + std::size_t{1} : g.head.live.size();
  std::vector<std::uint16_t>& p = of(g).p;
  p.assign(static_cast<std::size_t>(group_) * keys, 0);
  for (std::size_t h = 0; h < static_cast<std::size_t>(group_); ++h) {
    if (!((entry.heads >> h) & 1)) continue;
    const std::uint16_t* row = probabilities_.peek(g.store, h);
    for (std::uint32_t i = 0; i < entry.slots; ++i) p[h * keys + origins[i]] = row[i];
  }
}

void Recorder::retired(const GroupView&) {
  done_.push_back(std::move(open_.front()));
  open_.pop_front();
  ++first_;
}

}  // namespace winnow
