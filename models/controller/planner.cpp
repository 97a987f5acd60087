#include "models/controller/planner.h"

#include <algorithm>
#include <bit>

#include "golden/layout.h"

namespace winnow::controller {
namespace {

// Heads for which the same is written have it once.
bool written_again(const HeadPlan& h, const HeadPlan* last) {
  const auto writes = [](const ListSource& list) {
    return list.from == ListSource::From::written || list.from == ListSource::From::placed;
  };
  return last && writes(h.list) && h.list.from == last->list.from && h.list.names == last->list.names;
}

}  // namespace

// `before`: the list of the layer before. One more reader of it.
ListRef Planner::list_of(const ListSource& source, ListRef before) {
  Lists& lists = s_.memories.lists;
  switch (source.from) {
    case ListSource::From::everyone: return kEveryItem;
    case ListSource::From::before: return lists.share(before);
    case ListSource::From::chosen: return lists.share(kept_lists_[source.choice]);
    case ListSource::From::written:
    case ListSource::From::placed: break;
  }
  const bool all = source.names.empty() || source.names.back() + std::size_t{1} == source.names.size();
  return all ? kEveryItem : lists.take(source.names);
}

std::uint64_t Planner::writing_cycles(const LayerPlan& plan) const {
  std::uint64_t cycles = 0;
  const HeadPlan* last = nullptr;
  for (const HeadPlan& h : plan.heads) {
    if (h.list.from == ListSource::From::placed && !written_again(h, last))
      cycles += (h.list.names.size() + s_.params.list_width - 1) / s_.params.list_width;
    last = &h;
  }
  return cycles;
}

// The rows of queries that see a token are counted for each that lives.
bool Planner::count_chances(Cycle now) {
  if (!s_.room(s_.ports.cascade, now)) return false;
  const Layer& layer = s_.layers.back();
  CascadeChoice chances;
  chances.kind = CascadeChoice::Kind::chances;
  // One list for all KV heads.
  chances.job.names = layer.lists.front();
  chances.job.job.n = static_cast<unsigned>(layer.plan.heads.front().live.size());
  chances.chances_base = static_cast<std::uint32_t>(s_.memories.importance.chances_base(layer.plan.sequence));
  chances.prompt = layer.plan.step == 0, chances.causal = layer.plan.causal;
  s_.ports.cascade.push(now, chances);
  return true;
}

void Planner::add_layer(LayerPlan plan) {
  Layer& layer = s_.layers.emplace_back();
  layer.plan = std::move(plan);
  layer.epoch = next_epoch_++ % kEpochs;
  layer.constants = s_.memories.constants.take(layer.plan.descriptors.items != 0);
  const std::uint64_t bursts = golden::bursts_of(golden::packed_bytes(s_.params.head_dim, golden::kWordBits));
  for (const HeadPlan& h : layer.plan.heads) {
    if (!h.heads) continue;
    layer.groups_left += layer.plan.positions.size();
    layer.importance_left += h.accumulates ? layer.plan.positions.size() : 0;
    layer.bursts += bursts * layer.plan.positions.size() * static_cast<std::size_t>(std::popcount(h.heads));
  }
  layer.round = planned_++ / s_.params.sequences;
  layer.open = layer.round == s_.round;

  Lists& lists = s_.memories.lists;
  std::vector<ListRef>& living = living_[static_cast<std::size_t>(layer.plan.sequence)].tokens;
  const ListRef before = living.empty() ? kEveryItem : living.front();
  const HeadPlan* last = nullptr;
  for (const HeadPlan& h : layer.plan.heads) {
    layer.lists.push_back(written_again(h, last) ? lists.share(layer.lists.back()) : list_of(h.list, before));
    last = &h;
  }
  layer.positions = list_of(layer.plan.where, before);
  for (const ListRef list : kept_lists_) lists.give_back(list);
  for (const ListRef list : living) lists.give_back(list);
  kept_lists_.clear();
  living = layer.lists;
  for (const ListRef list : living) lists.share(list);
}

void Planner::ask(int round) {
  choices_ = source_.choices(round);
  sent_.clear();
  answers_ = 0;
}

// The layer of the sequence whose plan is next that is still at work.
const Layer* Planner::previous() const {
  for (const Layer& layer : s_.layers)
    if (layer.plan.sequence == source_.sequence()) return &layer;
  return nullptr;
}

// Whether the next layer's choices can be asked for: one layer ahead at most, since the buffers hold no more.
bool Planner::begin(Cycle now) {
  if (!source_.more() || planned_ / s_.params.sequences > s_.round + 1) return false;
  const Layer* last = previous();
  if (source_.reloads()) {
    if (last) return false;
    source_.reload();
  }
  const bool waits = source_.needs_previous();
  if (waits && last && (last->importance_left || !last->open)) return false;
  if (waits && source_.begins_step()) {
    // The next step begins with what this one leaves: all of it must be there.
    if (last) return false;
    s_.memories.importance.begin_step(now, source_.sequence(), source_.renews());
    begun_step_ = true;
  }
  kept_.clear();
  for (const std::uint32_t token : source_.joining())
    if (before() != kEveryItem) s_.memories.lists.append(before(), token);
  ask(0);
  round_ = Round::tokens;
  s_.moved = true;
  return true;
}

// Sends what is left of the round's choices, takes answers; true when all are there.
bool Planner::answered(Cycle now) {
  ControllerMemories& m = s_.memories;
  if (s_.ports.cascade_done.can_pop(now)) {
    s_.ports.cascade_done.pop(now);
    const Sent& sent = sent_[answers_++];
    kept_.push_back(m.lists.peek(sent.kept));  // the source's copy, for addresses and golden
    kept_lists_.push_back(sent.kept);
    if (round_ == Round::heads) {
      ListRef& heads = living().heads;
      m.lists.give_back(heads), heads = m.lists.share(sent.kept);
    }
    m.lists.give_back(sent.names), m.ranking_items.give_back(sent.items);
    s_.moved = true;
  }
  if (sent_.size() < choices_.size() && s_.room(s_.ports.cascade, now)) {
    Choice& choice = choices_[sent_.size()];
    CascadeChoice asked;
    asked.kind = choice.items.empty() ? CascadeChoice::Kind::choose : CascadeChoice::Kind::given;
    asked.rule = choice.rule;
    const int sequence = source_.sequence(), kv = choice.tag.head == kAllHeads ? 0 : choice.tag.head;
    asked.base = static_cast<std::uint32_t>(choice.what == Candidates::heads
                                                ? m.importance.heads_base(sequence)
                                                : m.importance.base(choice.tag.layer, kv, sequence));
    asked.chances_base = static_cast<std::uint32_t>(m.importance.chances_base(sequence));
    TopkJob& job = asked.job;
    job.job = {choice.n, topk::Rule::count, choice.k};
    job.what = choice.what, job.tag = choice.tag;
    job.names = list_of(choice.among, choice.what == Candidates::heads ? living().heads : before());
    job.items = m.ranking_items.take(std::move(choice.items));
    job.kept = m.lists.take();
    s_.ports.cascade.push(now, asked);
    sent_.push_back({job.names, job.kept, job.items});
    s_.moved = true;
  }
  return answers_ == choices_.size();
}

void Planner::tick(Cycle now) {
  if (round_ == Round::writing) {
    s_.moved = true;
    if (--writing_ == 0) end_plan(now);
    return;
  }
  if (round_ == Round::chances) {
    if (count_chances(now)) round_ = Round::none, s_.moved = true;
    return;
  }
  if (round_ == Round::none && !begin(now)) return;
  if (!answered(now)) return;
  if (round_ == Round::tokens) round_ = Round::between, s_.moved = true;
  if (round_ == Round::between) {
    if (source_.needs_previous() && previous()) return;  // heads are chosen when the last output is there
    ask(1);
    round_ = Round::heads;
    s_.moved = true;
    if (!choices_.empty()) return;
  }
  begins_step_ = source_.begins_step() && !begun_step_;
  renews_ = source_.renews();
  begun_step_ = false;
  plan_ = source_.plan(kept_);
  writing_ = writing_cycles(plan_);
  s_.moved = true;
  if (!writing_) return end_plan(now);
  round_ = Round::writing;
}

void Planner::end_plan(Cycle now) {
  const bool begins = begins_step_;
  add_layer(std::move(plan_));
  Layer& layer = s_.layers.back();
  layer.begins_step = begins, layer.renews = renews_;
  if (layer.open && begins) s_.memories.importance.begin_step(now, layer.plan.sequence, layer.renews);
  round_ = s_.decisions.normalised ? Round::chances : Round::none;
  s_.moved = true;
}

// The layer at work ends when its last output is accepted by the memory and its last probability is added up. That is
// seen in one cycle, and acted on in the next. Of a batch the layers of all sequences end together, one a cycle.
void Planner::count_layer(Cycle now) {
  Fifo<AcceptedWrites>& written = s_.ports.written;
  if (s_.layers.empty()) return;
  if (s_.layers.front().ended) return close_layer(now);
  if (written.can_pop(now)) {
    // The memory says how many, not whose: those of a round are counted down in order.
    std::uint64_t count = written.peek().count;
    for (Layer& layer : s_.layers) {
      const std::uint64_t of = std::min(count, layer.bursts);
      layer.bursts -= of, count -= of;
    }
    written.pop(now);
    s_.moved = true;
  }
  // V that local pruning left out may still be asked for when the last kept V was multiplied.
  const bool loading = std::any_of(s_.value_read.begin(), s_.value_read.end(), [](auto read) { return read != 0; });
  const bool left = !loading && s_.groups.empty() && (s_.heads.empty() || !s_.heads.front().layer->open);
  const auto done = [](const Layer& layer) {
    return !layer.open || (!layer.groups_left && !layer.importance_left && !layer.bursts);
  };
  if (left && s_.layers.front().open && std::all_of(s_.layers.begin(), s_.layers.end(), done))
    s_.layers.front().ended = s_.moved = true;
}

void Planner::close_layer(Cycle now) {
  s_.moved = true;
  for (ListRef list : s_.layers.front().lists) s_.memories.lists.give_back(list);
  s_.memories.lists.give_back(s_.layers.front().positions);
  s_.memories.constants.give_back(s_.layers.front().constants);
  s_.layers.pop_front();
  if (done() && s_.layers.empty())
    for (Living& living : living_) {
      for (const ListRef list : living.tokens) s_.memories.lists.give_back(list);
      s_.memories.lists.give_back(living.heads);
      living = {};
    }
  if (++closed_ % s_.params.sequences) return;
  ++s_.round;
  for (Layer& layer : s_.layers) {
    layer.open = layer.round == s_.round;
    if (layer.open && layer.begins_step) s_.memories.importance.begin_step(now, layer.plan.sequence, layer.renews);
  }
}

}  // namespace winnow::controller
