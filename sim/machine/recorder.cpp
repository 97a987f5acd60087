#include "sim/machine/recorder.h"

#include <algorithm>

namespace winnow {

void Recorder::started(const GroupView& g) {
  GroupRecord& record = open_.emplace_back(g.number, GroupRecord{}).second;
  record.sequence = g.plan.sequence;
  record.query = g.query;
  record.head = static_cast<std::uint16_t>(g.head.kv_head);
}

// Groups of a prompt are not recorded, so numbers may skip.
GroupRecord& Recorder::of(const GroupView& g) {
  return std::find_if(open_.begin(), open_.end(), [&](const auto& record) { return record.first == g.number; })->second;
}

std::vector<GroupRecord> Recorder::take(int sequence) {
  std::vector<GroupRecord> of, others;
  for (GroupRecord& record : done_) (record.sequence == sequence ? of : others).push_back(std::move(record));
  done_ = std::move(others);
  return of;
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
  const std::size_t keys = g.plan.causal ? g.query + std::size_t{1} : g.tokens;
  std::vector<std::uint16_t>& p = of(g).p;
  p.assign(static_cast<std::size_t>(group_) * keys, 0);
  for (std::size_t h = 0; h < static_cast<std::size_t>(group_); ++h) {
    if (!((entry.heads >> h) & 1)) continue;
    const std::uint16_t* row = probabilities_.peek(g.store, h);
    const bool searched = candidates_.asked(g.store);
    const std::uint32_t* slots = searched ? candidates_.peek(g.store, h) : origins;
    const std::uint32_t n = searched ? candidates_.count(g.store, h) : entry.slots;
    for (std::uint32_t i = 0; i < n; ++i) p[h * keys + slots[i]] = row[i];
  }
}

void Recorder::retired(const GroupView&) {
  done_.push_back(std::move(open_.front().second));
  open_.pop_front();
}

}  // namespace winnow
