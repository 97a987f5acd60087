#include "models/controller/planner.h"

#include <bit>

#include "golden/layout.h"

namespace winnow::controller {

void Planner::add_layer(LayerPlan plan) {
  Layer& layer = s_.layers.emplace_back();
  layer.plan = std::move(plan);
  layer.epoch = next_epoch_++ % kEpochs;
  const std::uint64_t bursts = golden::bursts_of(golden::packed_bytes(s_.params.head_dim, golden::kWordBits));
  for (const HeadPlan& h : layer.plan.heads) {
    if (!h.heads) continue;
    layer.groups_left += layer.plan.positions.size();
    layer.importance_left += h.accumulates ? layer.plan.positions.size() : 0;
    layer.bursts += bursts * layer.plan.positions.size() * static_cast<std::size_t>(std::popcount(h.heads));
  }
  layer.open = s_.layers.size() == 1;
}

void Planner::ask(int round) {
  choices_ = source_.choices(round);
  sent_.clear();
  answers_ = 0;
}

// Whether the next layer's choices can be asked for: one layer ahead at most, since the buffers hold no more.
bool Planner::begin(Cycle) {
  if (!source_.more() || s_.layers.size() > 1) return false;
  if (source_.reloads()) {
    if (!s_.layers.empty()) return false;
    source_.reload();
  }
  const bool waits = source_.needs_previous();
  if (waits && !s_.layers.empty() && (s_.layers.front().importance_left || !s_.layers.front().open)) return false;
  if (waits && source_.begins_step()) {
    // The next step begins with what this one leaves: all of it must be there.
    if (!s_.layers.empty()) return false;
    s_.memories.importance.begin_step();
    begun_step_ = true;
  }
  kept_.clear();
  ask(0);
  round_ = Round::tokens;
  s_.moved = true;
  return true;
}

// Sends what is left of the round's choices, takes answers; true when all are there.
bool Planner::answered(Cycle now) {
  ControllerMemories& m = s_.memories;
  while (s_.ports.cascade_done.can_pop(now)) {
    s_.ports.cascade_done.pop(now);
    const Sent& sent = sent_[answers_++];
    kept_.push_back(m.lists.peek(sent.kept));
    m.lists.read(sent.kept, 0, kept_.back().size());
    m.lists.give_back(sent.kept), m.lists.give_back(sent.names), m.ranking_items.give_back(sent.items);
  }
  if (sent_.size() < choices_.size() && s_.room(s_.ports.cascade, now)) {
    Choice& choice = choices_[sent_.size()];
    TopkJob job;
    job.job = {static_cast<unsigned>(choice.items.size()), topk::Rule::count, choice.k};
    job.what = choice.what, job.tag = choice.tag;
    job.names = m.lists.take(std::move(choice.names));
    job.items = m.ranking_items.take(std::move(choice.items));
    job.kept = m.lists.take();
    s_.ports.cascade.push(now, job);
    sent_.push_back({job.names, job.kept, job.items});
    s_.moved = true;
  }
  return answers_ == choices_.size();
}

void Planner::tick(Cycle now) {
  if (round_ == Round::none && !begin(now)) return;
  if (!answered(now)) return;
  if (round_ == Round::tokens) round_ = Round::between, s_.moved = true;
  if (round_ == Round::between) {
    if (source_.needs_previous() && !s_.layers.empty()) return;  // heads are chosen when the last output is there
    ask(1);
    round_ = Round::heads;
    s_.moved = true;
    if (!choices_.empty()) return;
  }
  const bool begins = source_.begins_step() && !begun_step_;
  begun_step_ = false;
  add_layer(source_.plan(kept_));
  s_.layers.back().begins_step = begins;
  if (s_.layers.back().open && begins) s_.memories.importance.begin_step();
  round_ = Round::none;
  s_.moved = true;
}

// The layer at work ends when its last output is accepted by the memory and its last probability is added up. That is
// seen in one cycle, and acted on in the next.
void Planner::count_layer(Cycle now) {
  Fifo<AcceptedWrites>& written = s_.ports.written;
  if (s_.layers.empty()) return;
  if (s_.layers.front().ended) return close_layer();
  Layer& layer = s_.layers.front();
  if (written.can_pop(now)) {
    layer.bursts -= written.peek().count;
    written.pop(now);
    s_.moved = true;
  }
  const bool left = s_.groups.empty() && (s_.heads.empty() || s_.heads.front().layer != &layer);
  if (layer.open && !layer.groups_left && !layer.importance_left && !layer.bursts && left)
    layer.ended = s_.moved = true;
}

void Planner::close_layer() {
  s_.moved = true;
  for (ListRef list : s_.layers.front().lists) s_.memories.lists.give_back(list);
  s_.layers.pop_front();
  if (s_.layers.empty()) return;
  s_.layers.front().open = true;
  if (s_.layers.front().begins_step) s_.memories.importance.begin_step();
}

}  // namespace winnow::controller
