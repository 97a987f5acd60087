#include "models/controller/controller.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <stdexcept>

namespace winnow {
namespace {

bool bit(std::uint32_t bits, int i) { return (bits >> i) & 1; }

}  // namespace

Controller::Controller(const Params& params, const golden::Decisions& decisions, PlanSource& source,
                       ControllerPorts ports, ControllerTargets targets)
    : params_(params), decisions_(decisions), digits_(decisions.digits), source_(source), p_(ports), t_(targets) {
  key_free_.assign(params.halves, 1), value_free_.assign(params.halves, 1), value_read_.assign(params.halves, 0);
  store_free_.assign(targets.stores.size(), 1);
}

bool Controller::woken(Cycle now) const {
  return p_.pv_done.can_pop(now) || p_.store_released.can_pop(now) || p_.importance_done.can_pop(now) ||
         p_.done.can_pop(now) || p_.key_released.can_pop(now) || p_.verdicts.can_pop(now) ||
         p_.topk_done.can_pop(now) || p_.compacted.can_pop(now) || p_.cascade_done.can_pop(now) ||
         t_.queries.released(now) != released_seen_;
}

void Controller::tick(Cycle now) {
  const bool woke = woken(now);
  if (woke || !quiet_) {
    moved_ = woke, blocked_ = false;
    released_seen_ = t_.queries.released(now);
    messages(now);
    retire(now);
    const auto planning = planning_;
    const std::size_t layers = layers_.size(), sent = sent_;
    plan_ahead(now);
    moved_ = moved_ || planning != planning_ || layers != layers_.size() || sent != sent_;
    const std::size_t heads = heads_.size();
    open_heads();
    moved_ = moved_ || heads != heads_.size();
    advance(now);
    start_group(now);
    moved_ |= send_fetch(now);
    quiet_ = !moved_ && !blocked_;
    why_known_ = false;
  }
  if (p_.first.space(now) == p_.first.depth() && p_.later.space(now) == p_.later.depth() && !layers_.empty()) {
    if (!why_known_) why_seen_ = why(), why_known_ = true;
    stats_.wait(why_seen_);
  } else {
    stats_.busy();
  }
}

// --- plans ----------------------------------------------------------------------------------------------------------

void Controller::add_layer(LayerPlan plan) {
  Layer& layer = layers_.emplace_back();
  layer.plan = std::move(plan);
  layer.epoch = next_epoch_++ % kEpochs;
  for (const HeadPlan& h : layer.plan.heads) {
    if (!h.heads) continue;
    layer.groups_left += layer.plan.positions.size();
    layer.importance_left += h.accumulates ? layer.plan.positions.size() : 0;
    layer.vectors += layer.plan.positions.size() * static_cast<std::size_t>(std::popcount(h.heads));
  }
  layer.open = layers_.size() == 1;
}

void Controller::plan_ahead(Cycle now) {
  // One layer ahead at most: the buffers hold no more.
  if (planning_ == Planning::waiting) {
    if (!source_.more() || layers_.size() > 1) return;
    if (source_.reloads()) {
      if (!layers_.empty()) return;
      source_.reload();
    }
    const bool waits = source_.needs_previous();
    if (waits && !layers_.empty() && (layers_.front().importance_left || !layers_.front().open)) return;
    if (waits && source_.begins_step()) {
      // The next step begins with what this one leaves: all of it must be there.
      if (!layers_.empty()) return;
      t_.importance.begin_step();
      begun_step_ = true;
    }
    kept_.clear();
    choices_ = source_.choices(0);
    sent_ = answered_ = kept_base_ = 0;
    kept_.resize(choices_.size());
    planning_ = Planning::tokens;
  }
  while (p_.cascade_done.can_pop(now)) p_.cascade_done.pop(now), ++answered_;
  if (sent_ < choices_.size() && room(p_.cascade, now)) {
    TopkJob job;
    job.job = {static_cast<unsigned>(choices_[sent_].items.size()), topk::Rule::kCount, choices_[sent_].k};
    job.what = choices_[sent_].what, job.tag = choices_[sent_].tag, job.names = &choices_[sent_].names;
    job.items = &choices_[sent_].items;
    job.kept = &kept_[kept_base_ + sent_];
    p_.cascade.push(now, job);
    ++sent_;
  }
  if (answered_ < choices_.size()) return;
  if (planning_ == Planning::tokens) planning_ = Planning::between;
  if (planning_ == Planning::between) {
    if (source_.needs_previous() && !layers_.empty()) return;  // heads are chosen when the last output is there
    kept_base_ = kept_.size();
    choices_ = source_.choices(1);
    sent_ = answered_ = 0;
    kept_.resize(kept_base_ + choices_.size());
    planning_ = Planning::heads;
    if (!choices_.empty()) return;
  }
  const bool begins = source_.begins_step() && !begun_step_;
  begun_step_ = false;
  add_layer(source_.plan(kept_));
  layers_.back().begins_step = begins;
  if (layers_.back().open && begins) t_.importance.begin_step();
  planning_ = Planning::waiting;
}

void Controller::close_layer(Cycle) {
  quiet_ = false;
  layers_.pop_front();
  if (!layers_.empty()) {
    layers_.front().open = true;
    if (layers_.front().begins_step) t_.importance.begin_step();
  }
}

// --- groups ---------------------------------------------------------------------------------------------------------

Controller::Group& Controller::group_of(std::size_t store) {
  for (Group& g : groups_)
    if (g.store == store && !g.freed) return g;
  throw std::logic_error("controller: a message for a group that is not in flight");
}

void Controller::start_group(Cycle now) {
  if (layers_.empty() || !layers_.front().open) return;
  Layer& layer = layers_.front();
  Head* h = nullptr;
  for (Head& x : heads_)
    if (x.layer == &layer && x.started < layer.plan.positions.size()) {
      h = &x;
      break;
    }
  if (!h || !h->key_armed || h->started >= h->queries_ordered) return;
  if (!room(p_.first, now, h->group_heads)) return;
  const bool whole = layer.plan.full_width;
  std::size_t store = h->half;
  if (whole) store = next_store_ % params_.prompt_stores;
  if (!store_free_[store]) return;

  Group& g = groups_.emplace_back();
  g.layer = &layer, g.head = h, g.query = h->started, g.store = static_cast<std::uint16_t>(store);
  g.first_query = h->first_query + h->started * h->group_heads;
  g.record.query = static_cast<std::uint32_t>(g.query);
  g.record.head = static_cast<std::uint16_t>(h->plan->kv_head);
  g.undecided = !whole && decisions_.decides();

  GroupStore& s = t_.stores[store];
  store_free_[store] = 0;
  s.tag = {};
  s.tag.step = static_cast<std::uint32_t>(layer.plan.step);
  s.tag.layer = static_cast<std::uint16_t>(layer.plan.layer);
  s.tag.head = g.record.head;
  s.tag.query = g.record.query;
  s.half = h->half, s.heads = h->plan->heads;
  const auto live = static_cast<std::uint32_t>(h->plan->live.size());
  s.keys = s.slots = layer.plan.causal ? static_cast<std::uint32_t>(g.query) + 1 : live;
  s.digit = whole ? digits_.count - 1 : 0;
  s.last_pass = whole || !records();
  s.undecided = g.undecided;
  s.follow = follows(g);
  s.readable.fill(kNotYet);
  s.forced = h->plan->forced, s.forced_refetch = h->plan->forced_refetch;
  s.to_log2 = h->plan->to_log2;
  s.rest.fill(0);
  std::iota(s.origin.begin(), s.origin.begin() + s.slots, 0u);
  if (params_.shape_only && h->plan->priority)
    for (std::uint32_t i = 0; i < s.slots; ++i) s.sums[i] = (*h->plan->priority)[h->plan->live[i]];
  ++h->started;
  if (whole) ++next_store_;
  ++groups_run_, moved_ = true;
  send_tasks(g, false, now);
}

bool Controller::send_tasks(Group& g, bool later, Cycle now) {
  Fifo<QkTask>& fifo = later ? p_.later : p_.first;
  const Head& h = *g.head;
  if (!room(fifo, now, h.group_heads)) return false;
  const GroupStore& s = t_.stores[g.store];
  const bool whole = g.layer->plan.full_width;
  const bool final_pass = whole ? g.query + 1 == g.layer->plan.positions.size() : g.pass == digits_.count - 1;
  std::size_t rank = 0;
  for (int i = 0; i < params_.group; ++i) {
    if (!bit(s.heads, i)) continue;
    QkTask task;
    task.tag = s.tag;
    task.tag.group = static_cast<std::uint8_t>(i);
    task.tag.pass = static_cast<std::uint8_t>(g.pass);
    task.store = g.store, task.half = h.half, task.keys = s.slots;
    task.shift = static_cast<std::uint8_t>(whole ? 0 : digits_.below(g.pass));
    task.add = later;
    task.query = g.first_query + rank++;
    task.release_queries = whole ? 1 : 0;
    task.release_half = final_pass && rank == h.group_heads;
    fifo.push(now, task);
  }
  return true;
}

// Progressive: LSBs of all live tokens overwrite the head's half of K, and all its heads compute again.
void Controller::refetch(Group& g, Cycle now) {
  g.record.refetched = true;
  ++refetches_;
  g.pass = 1;
  GroupStore& s = t_.stores[g.store];
  s.digit = 1, s.tag.pass = 1;
  t_.keys.begin(g.head->half, s.slots, now);
  gathers_.push_back(key_job(*g.head, 1, g.head->plan->live));
  g.gathered = g.compacted = true;
  g.stage = Stage::gathering;
}

void Controller::messages(Cycle now) {
  while (p_.key_released.can_pop(now)) key_free_[p_.key_released.peek().half] = 1, p_.key_released.pop(now);
  while (p_.verdicts.can_pop(now)) {
    const Verdict v = p_.verdicts.peek();
    p_.verdicts.pop(now);
    Group& g = group_of(v.store);
    g.undecided = false;
    t_.stores[v.store].undecided = false;
    if (v.refetch)
      refetch(g, now);
    else
      key_free_[g.head->half] = 1;
  }
  while (p_.done.can_pop(now)) {
    end_of_pass(group_of(p_.done.peek().store));
    p_.done.pop(now);
  }
  while (p_.topk_done.can_pop(now)) {
    const TopkDone d = p_.topk_done.peek();
    p_.topk_done.pop(now);
    Group& g = group_of(static_cast<std::size_t>(d.store));
    if (g.record_values_wanted)
      g.stage = Stage::kept;
    else
      take_survivors(g);
  }
  while (p_.compacted.can_pop(now)) group_of(p_.compacted.peek().store).compacted = true, p_.compacted.pop(now);
  while (p_.importance_done.can_pop(now)) {
    Group& g = group_of(p_.importance_done.peek().store);
    p_.importance_done.pop(now);
    g.importance_done = true;
    --g.layer->importance_left;
  }
  while (p_.store_released.can_pop(now)) {
    Group& g = group_of(p_.store_released.peek().store);
    p_.store_released.pop(now);
    g.weighed = true;
    // In order of start, and not before the last row of the last pass has left Q x K.
    if (!g.layer->plan.full_width) t_.queries.release(g.head->group_heads, now);
  }
  while (p_.pv_done.can_pop(now)) {
    const PvDone d = p_.pv_done.peek();
    p_.pv_done.pop(now);
    --layers_.front().groups_left;
    if (d.last) value_read_[d.half] = 1;
    for (Group& g : groups_)  // in order of start
      if (!g.multiplied) {
        g.multiplied = true;
        break;
      }
  }
}

// After this pass importance and P x V read, no top-k engine (which loads faster than softmax divides).
bool Controller::follows(const Group& g) const {
  const bool selects = !g.layer->plan.full_width && records() && g.pass < decisions_.stages;
  return !selects && !decisions_.prunes_values() && !g.head->plan->value_count;
}

void Controller::end_of_pass(Group& g) {
  const bool whole = g.layer->plan.full_width;
  if (!whole && records() && g.pass < decisions_.stages)
    g.stage = Stage::selecting, g.sent = false;
  else
    g.stage = Stage::final;
}

// The engine has marked the survivors of a stage: their records are fetched, the rest of the stores moves up.
void Controller::take_survivors(Group& g) {
  GroupStore& s = t_.stores[g.store];
  auto& list = g.record.survivors[g.pass];
  g.tokens.clear();
  for (std::uint32_t i = 0; i < s.slots; ++i)
    if (s.kept[i]) {
      list.push_back(s.origin[i]);
      g.tokens.push_back(g.head->plan->live[s.origin[i]]);
    }
  ++g.pass;
  s.digit = g.pass, s.tag.pass = static_cast<std::uint8_t>(g.pass);
  s.last_pass = g.pass == digits_.count - 1;
  s.follow = follows(g);
  s.readable.fill(kNotYet);
  g.stage = Stage::gathering;
  g.gathered = g.compacted = false;
  g.sent = false;
}

// Moves every group on as far as messages allow; oldest first.
void Controller::advance(Cycle now) {
  bool topk_turn = true, importance_turn = true, pv_turn = true, value_turn = true;
  for (Group& g : groups_) {
    GroupStore& s = t_.stores[g.store];
    const auto half = static_cast<std::size_t>(g.head->half);
    if (g.stage == Stage::selecting && !g.sent && room(p_.topk, now)) {
      TopkJob job;
      job.store = g.store, job.what = "tokens", job.tag = s.tag, job.names = &g.head->plan->live;
      job.job.n = s.slots;
      if (const golden::SelectionStage& stage = decisions_.stage[g.pass]; stage.by_mass)
        job.job.rule = topk::Rule::kMass, job.job.amount = stage.mu16;
      else
        job.job.rule = topk::Rule::kCount,
        job.job.amount = static_cast<unsigned>(stage.count(static_cast<int>(s.slots)));
      p_.topk.push(now, job);
      g.sent = moved_ = true;
    }
    if (g.stage == Stage::gathering) {
      const bool last = g.pass == digits_.count - 1;
      if (!g.gathered && (!last || value_free_[half] || g.head->value_armed)) {
        t_.keys.begin(g.head->half, static_cast<std::uint32_t>(g.tokens.size()), now);
        if (last) {
          value_free_[half] = 0, g.head->value_armed = true;
          t_.values.begin(g.head->half, static_cast<std::uint32_t>(g.tokens.size()), now), g.head->value_begun = true;
        }
        gathers_.push_back(key_job(*g.head, g.pass, g.tokens));
        g.gathered = moved_ = true;
      }
      if (!g.compacted && !g.sent && room(p_.compact, now)) p_.compact.push(now, {g.store}), g.sent = moved_ = true;
      if (g.gathered && g.compacted && send_tasks(g, true, now)) g.stage = Stage::passing, moved_ = true;
    }
    // From here on, order of start.
    if (g.stage < Stage::final) {
      importance_turn = topk_turn = value_turn = pv_turn = false;
      continue;
    }
    if (!g.importance_sent) {
      if (!g.head->plan->accumulates) {
        g.importance_sent = g.importance_done = moved_ = true;
      } else if (importance_turn && room(p_.importance, now)) {
        p_.importance.push(
            now, {g.store, g.head->plan->live.data(), t_.importance.base(g.layer->plan.layer, g.head->plan->kv_head)});
        g.importance_sent = moved_ = true;
      }
    }
    importance_turn = importance_turn && g.importance_sent;
    if (g.stage == Stage::final) {
      std::uint32_t k = s.slots;
      if (g.head->plan->value_count)
        k = static_cast<std::uint32_t>(g.head->plan->value_count);
      else if (decisions_.prunes_values())
        k = static_cast<std::uint32_t>(decisions_.kept_values(static_cast<int>(s.slots)));
      if (k >= s.slots) {
        g.all_values = moved_ = true;
        g.stage = Stage::kept;
      } else if (topk_turn && room(p_.topk, now)) {
        TopkJob job;
        job.store = g.store, job.what = "values", job.tag = s.tag, job.names = &g.head->plan->live;
        job.job = {s.slots, topk::Rule::kCount, k};
        p_.topk.push(now, job);
        g.record_values_wanted = moved_ = true;
        g.stage = Stage::pruning;
      }
    }
    topk_turn = topk_turn && g.stage > Stage::final;
    const bool whole = g.layer->plan.full_width;
    if (g.stage == Stage::kept) {
      const bool fetch_values =
          !whole && !records() && (decisions_.prunes_values() || g.head->plan->value_count) && !g.values_sent;
      if (fetch_values && value_turn && (value_free_[half] || g.head->value_armed)) {
        g.tokens.clear();
        for (std::uint32_t i = 0; i < s.slots; ++i)
          if (g.all_values || s.kept[i]) g.tokens.push_back(g.head->plan->live[s.origin[i]]);
        value_free_[half] = 0, g.head->value_armed = true;
        t_.values.begin(g.head->half, static_cast<std::uint32_t>(g.tokens.size()), now), g.head->value_begun = true;
        FetchJob job = fetch(*g.head, Stream::value, g.head->plan->value, g.tokens);
        job.value_bits = static_cast<std::uint8_t>(g.head->plan->value_bits);
        gathers_.push_back(job);
        g.values_sent = moved_ = true;
      }
      // K may have passed a V that waits for its half: until then the half holds an earlier head's V and scales.
      if ((!fetch_values || g.values_sent) && g.head->value_begun && g.head->scale_begun && pv_turn &&
          room(p_.pv, now)) {
        PvJob job;
        job.store = g.store, job.half = g.head->half;
        job.resident = whole, job.all = g.all_values;
        job.last = !whole || g.query + 1 == g.layer->plan.positions.size();
        job.to_out = g.head->plan->to_out, job.out16 = g.head->plan->out16;
        job.first_head = static_cast<std::uint16_t>(g.head->plan->kv_head * params_.group);
        job.address = g.layer->plan.out.at(static_cast<std::uint64_t>(g.layer->plan.positions[g.query]) *
                                               static_cast<std::uint64_t>(g.layer->plan.out_heads) +
                                           job.first_head);
        job.address_stride = g.layer->plan.out.stride;
        p_.pv.push(now, job);
        if (!whole) {
          for (std::uint32_t i = 0; i < s.slots; ++i)
            if (g.all_values || s.kept[i]) g.record.values.push_back(s.origin[i]);
        }
        g.stage = Stage::weighing, moved_ = true;
      }
    }
    value_turn = value_turn && g.stage >= Stage::kept && (g.stage > Stage::kept || g.values_sent);
    pv_turn = pv_turn && g.stage == Stage::weighing;
  }
}

// A store is free when both readers are done with it; a group, with its address list, when its last V was multiplied.
void Controller::retire(Cycle now) {
  // Vectors that local pruning left out may still be on their way when the last kept one was multiplied.
  for (std::size_t half = 0; half < value_read_.size(); ++half) {
    if (!value_read_[half]) continue;
    if (t_.values.loaded(static_cast<int>(half), now))
      value_read_[half] = 0, value_free_[half] = 1, moved_ = true;
    else
      blocked_ = true;
  }
  for (Group& g : groups_)
    if (g.weighed && g.importance_done && !g.freed) {
      if (!g.layer->plan.full_width && !params_.shape_only) note_probabilities(g);
      g.freed = moved_ = true, store_free_[g.store] = 1;
    }
  while (!groups_.empty() && groups_.front().freed && groups_.front().multiplied) {
    Group& g = groups_.front();
    if (!g.layer->plan.full_width) g.layer->records.push_back(std::move(g.record));
    ++g.head->finished, moved_ = true;
    groups_.pop_front();
  }
  while (!heads_.empty() && heads_.front().finished == heads_.front().layer->plan.positions.size())
    heads_.pop_front(), moved_ = true;
}

// For the comparison with golden, not for the machine: the store still holds the group's last probabilities.
void Controller::note_probabilities(Group& g) const {
  const GroupStore& s = t_.stores[g.store];
  g.record.p.assign(static_cast<std::size_t>(params_.group) * s.keys, 0);
  for (int h = 0; h < params_.group; ++h) {
    if (!bit(s.heads, h)) continue;
    for (std::uint32_t i = 0; i < s.slots; ++i)
      g.record.p[static_cast<std::size_t>(h) * s.keys + s.origin[i]] = static_cast<std::uint16_t>(s.exps(h)[i]);
  }
}

Controller::Why Controller::why() const {
  if (!layers_.front().open) return kLayerEnd;
  for (const Group& g : groups_) {
    switch (g.stage) {
      case Stage::passing: return g.undecided ? kProgressive : kSoftmax;
      case Stage::selecting:
      case Stage::pruning: return kTopk;
      case Stage::gathering: return kGather;
      case Stage::final: return kTopk;
      case Stage::kept:
      case Stage::weighing: continue;
    }
  }
  if (layers_.front().groups_left == 0 || std::none_of(heads_.begin(), heads_.end(), [&](const Head& h) {
        return h.layer == &layers_.front() && h.started < h.layer->plan.positions.size();
      }))
    return layers_.front().groups_left == 0 ? kCascade : kLayerEnd;
  if (!groups_.empty()) return kPv;
  return kMemory;
}

}  // namespace winnow
