#include "models/controller/groups.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace winnow::controller {

void Groups::move(Group& g, Stage to) {
  const bool known = std::any_of(std::begin(kTransitions), std::end(kTransitions),
                                 [&](const Transition& t) { return t.from == g.stage && t.to == to; });
  if (!known)
    throw std::logic_error("controller: group " + std::to_string(g.number) + ": no transition from stage " +
                           std::to_string(static_cast<int>(g.stage)) + " to " + std::to_string(static_cast<int>(to)));
  g.stage = to;
  s_.moved = true;
}

Group& Groups::group_of(std::size_t store) {
  for (Group& g : s_.groups)
    if (g.store == store && !g.freed) return g;
  throw std::logic_error("controller: a message for a group that is not in flight");
}

GroupView Groups::view(const Group& g) const {
  return {g.number, g.layer->plan, *g.head->plan, static_cast<std::uint32_t>(g.query), g.store};
}

// --- start and passes -----------------------------------------------------------------------------------------------

void Groups::start(Cycle now) {
  if (s_.layers.empty() || !s_.layers.front().open) return;
  Layer& layer = s_.layers.front();
  const auto next = std::find_if(s_.heads.begin(), s_.heads.end(), [&](const Head& x) {
    return x.layer == &layer && x.started < layer.plan.positions.size();
  });
  if (next == s_.heads.end()) return;
  Head& h = *next;
  if (!h.key_armed || h.started >= h.queries_ordered) return;
  if (!s_.room(s_.ports.first, now, h.group_heads)) return;
  const bool whole = layer.plan.full_width;
  const std::size_t store = whole ? next_store_ % s_.params.prompt_stores : h.half;
  if (!s_.store_free[store]) return;

  Group& g = s_.groups.emplace_back();
  g.layer = &layer, g.head = &h, g.number = number_++;
  g.query = h.started, g.store = static_cast<std::uint16_t>(store);
  g.first_query = h.first_query + h.started * h.group_heads;
  g.undecided = !whole && s_.decisions.decides();

  GroupEntry& e = s_.memories.groups[store];
  s_.store_free[store] = 0;
  e = {};
  e.tag.step = static_cast<std::uint32_t>(layer.plan.step);
  e.tag.layer = static_cast<std::uint16_t>(layer.plan.layer);
  e.tag.head = static_cast<std::uint16_t>(h.plan->kv_head);
  e.tag.query = static_cast<std::uint32_t>(g.query);
  e.half = h.half, e.heads = h.plan->heads, e.constants = h.constants;
  const auto live = static_cast<std::uint32_t>(h.plan->live.size());
  e.slots = layer.plan.causal ? static_cast<std::uint32_t>(g.query) + 1 : live;
  e.digit = whole ? s_.last_pass() : 0;
  e.last_pass = whole || !s_.records();
  e.undecided = g.undecided;
  e.follow = follows(g);
  e.readable.fill(kNotYet);
  e.forced = h.plan->forced, e.forced_refetch = h.plan->forced_refetch;
  std::uint32_t* origins = s_.memories.origins.write(store, 0, 0, e.slots);
  std::iota(origins, origins + e.slots, 0u);
  if (s_.params.shape_only && h.plan->priority) {
    std::uint32_t* scores = s_.memories.selection_scores.poke(store);
    for (std::uint32_t i = 0; i < e.slots; ++i) scores[i] = (*h.plan->priority)[h.plan->live[i]];
  }
  ++h.started;
  if (whole) ++next_store_;
  s_.moved = true;
  if (s_.observer && !whole) s_.observer->started(view(g));
  send_tasks(g, false, now);
}

bool Groups::send_tasks(Group& g, bool later, Cycle now) {
  Fifo<QkTask>& fifo = later ? s_.ports.later : s_.ports.first;
  const Head& h = *g.head;
  if (!s_.room(fifo, now, h.group_heads)) return false;
  const GroupEntry& e = s_.memories.groups[g.store];
  const bool whole = g.layer->plan.full_width;
  const bool final_pass = whole ? g.query + 1 == g.layer->plan.positions.size() : g.pass == s_.last_pass();
  std::size_t rank = 0;
  for (int i = 0; i < s_.params.group; ++i) {
    if (!((e.heads >> i) & 1)) continue;
    QkTask task;
    task.tag = e.tag;
    task.tag.group = static_cast<std::uint8_t>(i);
    task.tag.pass = static_cast<std::uint8_t>(g.pass);
    task.store = g.store, task.half = h.half, task.keys = e.slots;
    task.shift = static_cast<std::uint8_t>(whole ? 0 : s_.decisions.digits.below(g.pass));
    task.add = later;
    task.query = g.first_query + rank++;
    task.release_queries = whole ? 1 : 0;
    task.release_half = final_pass && rank == h.group_heads;
    fifo.push(now, task);
  }
  return true;
}

// A selection follows the pass under way.
bool Groups::stage_due(const Group& g) const {
  return !g.layer->plan.full_width && s_.records() && g.pass < s_.decisions.stages;
}

// After this pass importance and P x V read, no top-k engine (which loads faster than softmax divides).
bool Groups::follows(const Group& g) const {
  return !stage_due(g) && !s_.decisions.prunes_values() && !g.head->plan->value_count;
}

void Groups::end_of_pass(Group& g) {
  if (stage_due(g)) g.sent = false;
  move(g, stage_due(g) ? Stage::selecting : Stage::final);
}

// Progressive: LSBs of all live tokens overwrite the head's half of K, and all its heads compute again.
void Groups::refetch(Group& g, Cycle now) {
  if (s_.observer) s_.observer->refetched(view(g));
  ++refetches_;
  g.pass = 1;
  GroupEntry& e = s_.memories.groups[g.store];
  e.digit = 1, e.tag.pass = 1;
  s_.memories.keys.begin(g.head->half, e.slots, now);
  s_.gathers.push_back(loads_.key_job(*g.head, 1, g.head->live, static_cast<std::uint32_t>(g.head->plan->live.size())));
  g.gathered = g.compacted = true;
  move(g, Stage::gathering);
}

// The tokens of the slots that were kept (or of all) become the group's address list.
void Groups::list_tokens(Group& g, bool all) {
  ControllerMemories& m = s_.memories;
  const std::uint32_t slots = m.groups[g.store].slots;
  const std::uint8_t* kept = all ? nullptr : m.kept.read(g.store, 0, 0, slots);
  const std::uint32_t* origins = m.origins.read(g.store, 0, 0, slots);
  const std::uint32_t* live = m.lists.read(g.head->live, 0, 0);
  std::vector<std::uint32_t> tokens;
  for (std::uint32_t i = 0; i < slots; ++i)
    if (all || kept[i]) tokens.push_back(live[origins[i]]);
  m.lists.read(g.head->live, 0, tokens.size());
  g.token_count = static_cast<std::uint32_t>(tokens.size());
  if (g.tokens == kEveryItem) g.tokens = m.lists.take();
  m.lists.write(g.tokens, std::move(tokens));
}

// The engine has marked the survivors of a stage: their records are fetched, the rest of the stores moves up.
void Groups::take_survivors(Group& g) {
  if (s_.observer) s_.observer->selected(view(g), g.pass);
  list_tokens(g, false);
  ++g.pass;
  GroupEntry& e = s_.memories.groups[g.store];
  e.digit = g.pass, e.tag.pass = static_cast<std::uint8_t>(g.pass);
  e.last_pass = g.pass == s_.last_pass();
  e.follow = follows(g);
  e.readable.fill(kNotYet);
  g.gathered = g.compacted = g.sent = false;
  move(g, Stage::gathering);
}

// --- messages -------------------------------------------------------------------------------------------------------

void Groups::messages(Cycle now) {
  ControllerPorts& p = s_.ports;
  while (p.key_released.can_pop(now)) s_.key_free[p.key_released.peek().half] = 1, p.key_released.pop(now);
  while (p.verdicts.can_pop(now)) {
    const Verdict v = p.verdicts.peek();
    p.verdicts.pop(now);
    Group& g = group_of(v.store);
    g.undecided = false;
    s_.memories.groups[v.store].undecided = false;
    if (v.refetch)
      refetch(g, now);
    else
      s_.key_free[g.head->half] = 1;
  }
  while (p.done.can_pop(now)) {
    end_of_pass(group_of(p.done.peek().store));
    p.done.pop(now);
  }
  while (p.topk_done.can_pop(now)) {
    Group& g = group_of(p.topk_done.peek().store);
    p.topk_done.pop(now);
    if (g.prunes_values)
      move(g, Stage::kept);
    else
      take_survivors(g);
  }
  while (p.compacted.can_pop(now)) group_of(p.compacted.peek().store).compacted = true, p.compacted.pop(now);
  while (p.importance_done.can_pop(now)) {
    Group& g = group_of(p.importance_done.peek().store);
    p.importance_done.pop(now);
    g.importance_done = true;
    --g.layer->importance_left;
  }
  while (p.store_released.can_pop(now)) {
    Group& g = group_of(p.store_released.peek().store);
    p.store_released.pop(now);
    g.weighed = true;
    // In order of start, and not before the last row of the last pass has left Q x K.
    if (!g.layer->plan.full_width) s_.memories.queries.release(g.head->group_heads, now);
  }
  while (p.pv_done.can_pop(now)) {
    const PvDone d = p.pv_done.peek();
    p.pv_done.pop(now);
    --s_.layers.front().groups_left;
    if (d.last) s_.value_read[d.half] = 1;
    const auto oldest = std::find_if(s_.groups.begin(), s_.groups.end(), [](const Group& g) { return !g.multiplied; });
    if (oldest != s_.groups.end()) oldest->multiplied = true;
  }
}

// --- stages ---------------------------------------------------------------------------------------------------------

void Groups::advance(Cycle now) {
  Turns turns;
  for (Group& g : s_.groups) {
    if (g.stage == Stage::selecting) select(g, now);
    if (g.stage == Stage::gathering) gather(g, now);
    if (g.stage < Stage::final) {  // from there on, order of start
      turns = {false, false, false, false};
      continue;
    }
    add_importance(g, turns, now);
    choose_values(g, turns, now);
    fetch_values(g, turns, now);
    weigh(g, turns, now);
  }
}

void Groups::select(Group& g, Cycle now) {
  if (g.sent || !s_.room(s_.ports.topk, now)) return;
  const GroupEntry& e = s_.memories.groups[g.store];
  TopkJob job;
  job.from_store = true, job.store = g.store;
  job.what = Candidates::tokens, job.tag = e.tag, job.names = g.head->live;
  job.job.n = e.slots;
  const golden::SelectionStage& stage = s_.decisions.stage[g.pass];
  job.job.rule = stage.by_mass ? topk::Rule::mass : topk::Rule::count;
  job.job.amount = stage.by_mass ? stage.mu16 : static_cast<unsigned>(stage.count(static_cast<int>(e.slots)));
  s_.ports.topk.push(now, job);
  g.sent = s_.moved = true;
}

void Groups::gather(Group& g, Cycle now) {
  const auto half = static_cast<std::size_t>(g.head->half);
  const bool last = g.pass == s_.last_pass();
  if (!g.gathered && (!last || s_.value_free[half] || g.head->value_armed)) {
    s_.memories.keys.begin(g.head->half, g.token_count, now);
    if (last) {
      s_.value_free[half] = 0, g.head->value_armed = true;
      s_.memories.values.begin(g.head->half, g.token_count, now), g.head->value_begun = true;
    }
    s_.gathers.push_back(loads_.key_job(*g.head, g.pass, g.tokens, g.token_count));
    g.gathered = s_.moved = true;
  }
  if (!g.compacted && !g.sent && s_.room(s_.ports.compact, now))
    s_.ports.compact.push(now, {g.store}), g.sent = s_.moved = true;
  if (g.gathered && g.compacted && send_tasks(g, true, now)) move(g, Stage::passing);
}

void Groups::add_importance(Group& g, Turns& turns, Cycle now) {
  if (!g.importance_sent) {
    if (!g.head->plan->accumulates) {
      g.importance_sent = g.importance_done = s_.moved = true;
    } else if (turns.importance && s_.room(s_.ports.importance, now)) {
      const std::size_t base = s_.memories.importance.base(g.layer->plan.layer, g.head->plan->kv_head);
      s_.ports.importance.push(now, {g.store, g.head->live, static_cast<std::uint32_t>(base)});
      g.importance_sent = s_.moved = true;
    }
  }
  turns.importance = turns.importance && g.importance_sent;
}

void Groups::choose_values(Group& g, Turns& turns, Cycle now) {
  if (g.stage == Stage::final) {
    const GroupEntry& e = s_.memories.groups[g.store];
    std::uint32_t k = e.slots;
    if (g.head->plan->value_count)
      k = static_cast<std::uint32_t>(g.head->plan->value_count);
    else if (s_.decisions.prunes_values())
      k = static_cast<std::uint32_t>(s_.decisions.kept_values(static_cast<int>(e.slots)));
    if (k >= e.slots) {
      g.all_values = true;
      move(g, Stage::kept);
    } else if (turns.topk && s_.room(s_.ports.topk, now)) {
      TopkJob job;
      job.from_store = true, job.store = g.store;
      job.what = Candidates::values, job.tag = e.tag, job.names = g.head->live;
      job.job = {e.slots, topk::Rule::count, k};
      s_.ports.topk.push(now, job);
      g.prunes_values = true;
      move(g, Stage::pruning);
    }
  }
  turns.topk = turns.topk && g.stage > Stage::final;
}

// V of this group waits until it is known which of it is used.
bool Groups::fetches_values(const Group& g) const {
  return !g.layer->plan.full_width && !s_.records() && (s_.decisions.prunes_values() || g.head->plan->value_count) &&
         !g.values_sent;
}

void Groups::fetch_values(Group& g, Turns& turns, Cycle now) {
  const auto half = static_cast<std::size_t>(g.head->half);
  if (g.stage != Stage::kept || !fetches_values(g)) return;
  if (!turns.values || !(s_.value_free[half] || g.head->value_armed)) return;
  list_tokens(g, g.all_values);
  s_.value_free[half] = 0, g.head->value_armed = true;
  s_.memories.values.begin(g.head->half, g.token_count, now), g.head->value_begun = true;
  s_.gathers.push_back(loads_.value_job(*g.head, g.tokens, g.token_count));
  g.values_sent = s_.moved = true;
}

void Groups::weigh(Group& g, Turns& turns, Cycle now) {
  // K may have passed a V that waits for its half: until then the half holds an earlier head's V and scales.
  if (g.stage == Stage::kept && !fetches_values(g) && g.head->value_begun && g.head->scale_begun && turns.pv &&
      s_.room(s_.ports.pv, now)) {
    const LayerPlan& plan = g.layer->plan;
    PvJob job;
    job.store = g.store, job.half = g.head->half;
    job.resident = plan.full_width, job.all = g.all_values;
    job.last = !plan.full_width || g.query + 1 == plan.positions.size();
    job.constants = g.head->constants;
    job.first_head = static_cast<std::uint16_t>(g.head->plan->kv_head * s_.params.group);
    const std::uint64_t vector =
        std::uint64_t{plan.positions[g.query]} * static_cast<std::uint64_t>(plan.out_heads) + job.first_head;
    job.address = plan.out.at(vector);
    job.address_stride = plan.out.stride;
    s_.ports.pv.push(now, job);
    if (s_.observer && !plan.full_width) s_.observer->values_known(view(g), g.all_values);
    move(g, Stage::weighing);
  }
  turns.values = turns.values && g.stage >= Stage::kept && (g.stage > Stage::kept || g.values_sent);
  turns.pv = turns.pv && g.stage == Stage::weighing;
}

// A store is free when both readers are done with it; a group, with its address list, when its last V was multiplied.
void Groups::retire(Cycle now) {
  // Vectors that local pruning left out may still be on their way when the last kept one was multiplied.
  for (std::size_t half = 0; half < s_.value_read.size(); ++half) {
    if (!s_.value_read[half]) continue;
    if (s_.memories.values.loaded(static_cast<int>(half), now))
      s_.value_read[half] = 0, s_.value_free[half] = 1, s_.moved = true;
    else
      s_.blocked = true;
  }
  for (Group& g : s_.groups)
    if (g.weighed && g.importance_done && !g.freed) {
      if (s_.observer && !g.layer->plan.full_width) s_.observer->freed(view(g));
      g.freed = s_.moved = true, s_.store_free[g.store] = 1;
    }
  while (!s_.groups.empty() && s_.groups.front().freed && s_.groups.front().multiplied) {
    Group& g = s_.groups.front();
    if (s_.observer && !g.layer->plan.full_width) s_.observer->retired(view(g));
    if (g.tokens != kEveryItem) s_.memories.lists.give_back(g.tokens);
    ++g.head->finished, s_.moved = true;
    s_.groups.pop_front();
  }
  while (!s_.heads.empty() && s_.heads.front().finished == s_.heads.front().layer->plan.positions.size()) {
    Head& h = s_.heads.front();
    for (ListRef list : h.query_lists) s_.memories.lists.give_back(list);
    s_.memories.constants.give_back(h.constants);
    s_.heads.pop_front(), s_.moved = true;
  }
}

}  // namespace winnow::controller
