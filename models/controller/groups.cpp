#include "models/controller/groups.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <vector>

#include "golden/page_tokens.h"

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
  return {g.number, g.layer->plan,  *g.head->plan, static_cast<std::uint32_t>(g.query),
          g.store,  g.head->tokens, g.pages};
}

// --- start and passes -----------------------------------------------------------------------------------------------

void Groups::start(Cycle now) {
  const auto next = std::find_if(s_.heads.begin(), s_.heads.end(), [&](const Head& x) {
    return x.layer->open && x.started < x.layer->plan.positions.size();
  });
  if (next == s_.heads.end()) return;
  Head& h = *next;
  Layer& layer = *h.layer;
  if (!h.key_armed || h.started >= h.queries_ordered) return;
  if (!s_.room(s_.ports.first, now)) return;
  const bool whole = layer.plan.full_width;
  const std::size_t store = whole ? next_store_ % s_.params.prompt_stores : h.half;
  if (!s_.store_free[store]) return;

  Group& g = s_.groups.emplace_back();
  g.layer = &layer, g.head = &h, g.number = number_++;
  g.query = h.started, g.store = static_cast<std::uint16_t>(store);
  g.first_query = h.first_query + h.started * h.group_heads;
  s_.store_free[store] = 0;
  ++h.started;
  if (whole) ++next_store_;
  s_.moved = true;
  arm(g);
  if (s_.observer && !whole) s_.observer->started(view(g));
  g.tasks = s_.memories.groups[store].heads;
  send_task(g, now);
}

// The registers of a group whose passes begin: over the keys of its pages, or over its tokens.
void Groups::arm(Group& g) {
  const Head& h = *g.head;
  const Layer& layer = *g.layer;
  const std::size_t store = g.store;
  const bool whole = layer.plan.full_width;
  GroupEntry& e = s_.memories.groups[store];
  e = {};
  e.tag.step = static_cast<std::uint32_t>(layer.plan.step);
  e.tag.layer = static_cast<std::uint16_t>(layer.plan.layer);
  e.tag.head = static_cast<std::uint16_t>(h.plan->kv_head);
  e.tag.query = static_cast<std::uint32_t>(g.query);
  e.half = h.half, e.heads = h.plan->heads, e.constants = h.constants;
  e.merged = h.plan->merged, e.pages = h.paging, e.tokens = static_cast<std::uint32_t>(layer.plan.tokens);
  g.undecided = !whole && !e.pages && s_.decisions.decides();
  e.slots = e.pages ? h.plan->pages.scored() : layer.plan.causal ? static_cast<std::uint32_t>(g.query) + 1 : h.tokens;
  e.keys = e.slots;
  e.digit = whole ? s_.last_pass() : 0;
  e.last_pass = whole || (!s_.records() && !e.pages);
  e.undecided = g.undecided;
  e.follow = follows(g);
  e.forced = h.plan->forced, e.forced_refetch = h.plan->forced_refetch;
  s_.memories.origins.begin(store, e.slots);
  s_.memories.candidates.begin(store, searches(g));
  if (s_.params.shape_only && h.plan->priority) {
    std::uint32_t* scores = s_.memories.selection_scores.poke(store);
    for (std::uint32_t i = 0; i < e.slots; ++i) scores[i] = (*h.plan->priority)[h.plan->live[i]];
  }
}

// The next of the pass's tasks, a query head each.
bool Groups::send_task(Group& g, Cycle now) {
  const bool whole = g.layer->plan.full_width, later = !whole && g.pass > 0;
  Fifo<QkTask>& fifo = later ? s_.ports.later : s_.ports.first;
  if (!s_.room(fifo, now) || (searches(g) && !s_.room(s_.ports.greedy, now))) return false;
  const Head& h = *g.head;
  const GroupEntry& e = s_.memories.groups[g.store];
  const auto head = static_cast<unsigned>(std::countr_zero(g.tasks));
  const auto rank = static_cast<unsigned>(std::popcount(e.heads & ((1u << head) - 1)));
  g.tasks &= g.tasks - 1;
  const bool pages = e.pages;
  const bool final_pass = pages   ? false
                          : whole ? g.query + 1 == g.layer->plan.positions.size()
                                  : g.pass == s_.last_pass();
  QkTask& task = fifo.push(now);
  task = {};
  task.epoch = g.layer->epoch;
  task.tag = e.tag;
  task.tag.group = static_cast<std::uint8_t>(head);
  task.tag.pass = static_cast<std::uint8_t>(g.pass);
  task.store = g.store, task.half = h.half, task.keys = e.slots;
  task.pages = pages;
  task.shift = static_cast<std::uint8_t>(pages   ? s_.decisions.pages.dropped(s_.decisions.digits.bits())
                                         : whole ? 0
                                                 : s_.decisions.digits.below(g.pass));
  // An exact query after a crude one multiplies all digits, which lie in the second columns.
  task.crude = !whole && !pages && g.pass == 0 && s_.decisions.crude_query();
  task.second = later && s_.decisions.crude_query();
  task.key_bits = static_cast<std::uint8_t>(std::min(pages                  ? s_.decisions.pages.bits
                                                     : whole || task.second ? s_.decisions.digits.bits()
                                                                            : s_.decisions.digits.width[g.pass],
                                                     golden::kWordBits));
  task.add = later && !task.second;
  task.query = g.first_query + rank;
  task.release_queries = whole ? 1 : 0;
  task.release_half = final_pass && g.tasks == 0;
  if (searches(g)) {
    GreedyJob& job = s_.ports.greedy.push(now);
    job.tag = task.tag, job.store = task.store, job.half = task.half, job.keys = task.keys, job.query = task.query;
    // The columns of a head are sorted for its first query head.
    job.sort = g.query == 0 && rank == 0;
  }
  s_.moved = true;
  return true;
}

// Each of its query heads has the keys that a greedy search leaves it. Not where each query sees others: the columns
// are sorted over all keys of the head.
bool Groups::searches(const Group& g) const { return s_.decisions.searches() && !g.layer->plan.causal; }

// A selection follows the pass under way, of tokens or of pages.
bool Groups::stage_due(const Group& g) const {
  return g.head->paging || (!g.layer->plan.full_width && s_.records() && g.pass < s_.decisions.stages);
}

// After this pass importance and P x V read, no top-k engine (which loads faster than softmax divides).
bool Groups::follows(const Group& g) const {
  return !stage_due(g) && !s_.decisions.prunes_values(g.layer->plan.full_width) && !g.head->plan->value_count;
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
  s_.memories.keys.begin(g.head->half, e.slots, now, rows_.key_bits(*g.head));
  s_.gathers.push_back(loads_.key_job(*g.head, 1, g.head->live, g.head->tokens));
  g.gathered = g.compacted = true;
  move(g, Stage::gathering);
}

// A job of the engine among the group's tokens. Where what stays is fetched, its names become the group's own list.
TopkJob Groups::job(Group& g, Candidates what) {
  const GroupEntry& e = s_.memories.groups[g.store];
  TopkJob job;
  job.from_store = true, job.store = g.store;
  job.what = what, job.tag = e.tag, job.job.n = e.slots;
  job.names = g.tokens == kEveryItem ? g.head->live : g.tokens;
  if (!g.layer->plan.full_width) job.kept = g.next = s_.memories.lists.take();
  return job;
}

void Groups::take_list(Group& g, std::uint32_t count) {
  if (g.next == kEveryItem) return;
  if (g.tokens != kEveryItem) s_.memories.lists.give_back(g.tokens);
  g.tokens = g.next, g.next = kEveryItem, g.token_count = count;
}

// The engine has marked the survivors of a stage: their records are fetched, the rest of the stores moves up.
void Groups::take_survivors(Group& g) {
  if (s_.observer) s_.observer->selected(view(g), g.pass);
  ++g.pass;
  GroupEntry& e = s_.memories.groups[g.store];
  e.digit = g.pass, e.tag.pass = static_cast<std::uint8_t>(g.pass);
  e.last_pass = g.pass == s_.last_pass();
  e.follow = follows(g);
  e.readable = {};
  g.gathered = g.compacted = g.sent = false;
  move(g, Stage::gathering);
}

// --- messages -------------------------------------------------------------------------------------------------------

void Groups::take_verdict(Verdict v, Cycle now) {
  Group& g = group_of(v.store);
  g.undecided = false;
  s_.memories.groups[v.store].undecided = false;
  if (v.refetch)
    refetch(g, now);
  else
    free_keys(g.head->half);
}

// Nobody reads the half's K any more.
void Groups::free_keys(std::size_t half) {
  s_.key_free[half] = 1;
  s_.memories.keys.release(static_cast<int>(half));
  for (Head& h : s_.heads)
    if (h.half == half && h.holds_key) {
      h.holds_key = false;
      return;
    }
}

// The engine has marked the pages to read. Counters write their tokens out, a row of names a cycle.
void Groups::take_pages(Group& g, std::uint32_t count, Cycle now) {
  Lists& lists = s_.memories.lists;
  Head& h = *g.head;
  const std::uint32_t* kept = lists.read(g.tokens, 0, count);
  std::vector<std::uint32_t> names =
      golden::page_tokens(h.plan->pages, {kept, kept + count}, static_cast<std::uint32_t>(h.plan->live.size()));
  g.written = now + (names.size() + s_.params.list_width - 1) / s_.params.list_width;
  lists.give_back(g.tokens);
  g.tokens = kEveryItem, g.token_count = 0;
  h.live = g.pages = lists.take(std::move(names));
  if (s_.observer) s_.observer->paged(view(g));
  move(g, Stage::expanding);
}

// Nobody reads the keys of the pages any more: those of the tokens take their place.
bool Groups::expand(Group& g, Cycle now) {
  Head& h = *g.head;
  if (now < g.written) {
    s_.blocked = true;
    return false;
  }
  if (h.paging) {
    h.paging = h.key_armed = false;
    free_keys(h.half);
    loads_.order_tokens(h);
    return true;
  }
  if (!h.key_armed || !s_.room(s_.ports.first, now)) return false;
  arm(g);
  g.tasks = s_.memories.groups[g.store].heads;
  send_task(g, now);
  move(g, Stage::passing);
  return true;
}

void Groups::take_choice(TopkDone done, Cycle now) {
  Group& g = group_of(done.store);
  const bool pages = g.head->paging;
  take_list(g, done.kept);
  if (pages)
    take_pages(g, done.kept, now);
  else if (g.prunes_values)
    move(g, Stage::kept);
  else
    take_survivors(g);
}

void Groups::take_message(Cycle now) {
  ControllerPorts& p = s_.ports;
  const auto next = [now](auto& link) {
    const auto message = link.peek();
    link.pop(now);
    return message;
  };
  s_.moved = true;
  if (p.verdicts.can_pop(now)) {
    take_verdict(next(p.verdicts), now);
  } else if (p.done.can_pop(now)) {
    end_of_pass(group_of(next(p.done).store));
  } else if (p.topk_done.can_pop(now)) {
    take_choice(next(p.topk_done), now);
  } else if (p.compacted.can_pop(now)) {
    group_of(next(p.compacted).store).compacted = true;
  } else if (p.key_released.can_pop(now)) {
    free_keys(next(p.key_released).half);
  } else if (p.store_released.can_pop(now)) {
    Group& g = group_of(next(p.store_released).store);
    g.weighed = true;
    // In order of start, and not before the last row of the last pass has left Q x K.
    if (!g.layer->plan.full_width) s_.memories.queries.release(g.head->group_heads, now);
  } else if (p.pv_done.can_pop(now)) {
    const PvDone d = next(p.pv_done);
    if (d.last) s_.value_read[d.half] = 1;
    const auto oldest = std::find_if(s_.groups.begin(), s_.groups.end(), [](const Group& g) { return !g.multiplied; });
    if (oldest == s_.groups.end()) throw std::logic_error("controller: P x V finished a group that is not in flight");
    oldest->multiplied = true;
    --oldest->layer->groups_left;
  } else if (p.importance_done.can_pop(now)) {
    Group& g = group_of(next(p.importance_done).store);
    g.importance_done = true;
    --g.layer->importance_left;
  } else {
    s_.moved = false;
  }
}

// --- stages ---------------------------------------------------------------------------------------------------------

void Groups::advance(Cycle now) {
  Turns turns;
  for (Group& g : s_.groups)
    if (act(g, turns, now)) {
      s_.moved = true;
      return;
    }
  start(now);
}

bool Groups::act(Group& g, Turns& turns, Cycle now) {
  // Also of a group that has moved on: its first row may be through softmax before the last task is sent.
  if (g.tasks) return send_task(g, now);
  if (g.stage == Stage::expanding && expand(g, now)) return true;
  if (g.stage == Stage::selecting && select(g, now)) return true;
  if (g.stage == Stage::gathering && gather(g, now)) return true;
  if (g.stage < Stage::final) {  // from there on, order of start
    turns = {false, false, false, false};
    return false;
  }
  return add_importance(g, turns, now) || choose_values(g, turns, now) || fetch_values(g, turns, now) ||
         weigh(g, turns, now);
}

bool Groups::select(Group& g, Cycle now) {
  if (g.sent || !s_.room(s_.ports.topk, now)) return false;
  TopkJob job = this->job(g, Candidates::tokens);
  if (g.head->paging) {
    job.job.rule = topk::Rule::count, job.job.amount = g.head->plan->pages.keep;
    s_.ports.topk.push(now, job);
    return g.sent = true;
  }
  const golden::SelectionStage& stage = s_.decisions.stage[g.pass];
  job.job.rule = stage.by_mass ? topk::Rule::mass : topk::Rule::count;
  job.job.amount = stage.by_mass ? stage.mu16 : static_cast<unsigned>(stage.count(static_cast<int>(job.job.n)));
  s_.ports.topk.push(now, job);
  return g.sent = true;
}

bool Groups::gather(Group& g, Cycle now) {
  const auto half = static_cast<std::size_t>(g.head->half);
  const bool last = g.pass == s_.last_pass();
  if (!g.gathered && (!last || s_.value_free[half] || g.head->value_armed)) {
    const bool second = s_.decisions.crude_query();
    Head& h = *g.head;
    // Without a crude pass the next digits take the place of those before.
    const std::uint32_t rows =
        (second ? rows_.of_second(g.token_count) : 0) + (last ? rows_.of_values(h, g.token_count) : 0);
    if (rows && !rows_.may_take(h, rows, second, last)) return false;
    KvBuffer& keys = s_.memories.keys;
    keys.begin(keys.part(h.half, second), g.token_count, now, second ? rows_.second_bits() : rows_.key_bits(h), 1,
               second);
    h.second_begun = second;
    if (last) {
      s_.value_free[half] = 0, h.value_armed = true;
      s_.memories.values.begin(h.half, g.token_count, now, rows_.value_bits(h)), h.value_begun = h.holds_values = true;
    }
    s_.gathers.push_back(loads_.key_job(*g.head, g.pass, g.tokens, g.token_count));
    s_.gathers.back().second = second;
    return g.gathered = true;
  }
  if (!g.compacted && !g.sent && s_.room(s_.ports.compact, now)) {
    s_.ports.compact.push(now, {g.store});
    return g.sent = true;
  }
  if (!g.gathered || !g.compacted) return false;
  g.tasks = s_.memories.groups[g.store].heads;
  if (!send_task(g, now)) return false;
  move(g, Stage::passing);
  return true;
}

bool Groups::add_importance(Group& g, Turns& turns, Cycle now) {
  if (!g.importance_sent) {
    if (!g.head->plan->accumulates) return g.importance_sent = g.importance_done = true;
    if (turns.importance && s_.room(s_.ports.importance, now)) {
      const std::size_t base =
          s_.memories.importance.base(g.layer->plan.layer, g.head->plan->kv_head, g.layer->plan.sequence);
      s_.ports.importance.push(now, {g.store, g.head->live, static_cast<std::uint32_t>(base)});
      return g.importance_sent = true;
    }
    turns.importance = false;
  }
  return false;
}

bool Groups::choose_values(Group& g, Turns& turns, Cycle now) {
  if (g.stage == Stage::final) {
    const GroupEntry& e = s_.memories.groups[g.store];
    std::uint32_t k = e.slots;
    if (g.head->plan->value_count)
      k = static_cast<std::uint32_t>(g.head->plan->value_count);
    else if (s_.decisions.prunes_values(g.layer->plan.full_width))
      k = static_cast<std::uint32_t>(s_.decisions.kept_values(static_cast<int>(e.slots)));
    if (k >= e.slots) {
      g.all_values = true;
      move(g, Stage::kept);
      return true;
    }
    if (turns.topk && s_.room(s_.ports.topk, now)) {
      TopkJob job = this->job(g, Candidates::values);
      job.job = {e.slots, topk::Rule::count, k};
      s_.ports.topk.push(now, job);
      g.prunes_values = true;
      move(g, Stage::pruning);
      return true;
    }
  }
  turns.topk = turns.topk && g.stage > Stage::final;
  return false;
}

// V of this group waits until it is known which of it is used.
bool Groups::fetches_values(const Group& g) const {
  return !g.layer->plan.full_width && !s_.records() &&
         (s_.decisions.prunes_values(false) || g.head->plan->value_count) && !g.values_sent;
}

bool Groups::fetch_values(Group& g, Turns& turns, Cycle now) {
  const auto half = static_cast<std::size_t>(g.head->half);
  if (g.stage != Stage::kept || !fetches_values(g)) return false;
  if (!turns.values || !(s_.value_free[half] || g.head->value_armed)) return false;
  const ListRef list = g.all_values ? g.head->live : g.tokens;
  const std::uint32_t count = g.all_values ? s_.memories.groups[g.store].slots : g.token_count;
  if (!g.head->value_begun && !rows_.may_take(*g.head, rows_.of_values(*g.head, count), false, true)) {
    turns.values = false;
    return false;
  }
  s_.value_free[half] = 0, g.head->value_armed = true;
  s_.memories.values.begin(g.head->half, count, now, rows_.value_bits(*g.head));
  g.head->value_begun = g.head->holds_values = true;
  s_.gathers.push_back(loads_.value_job(*g.head, list, count));
  return g.values_sent = true;
}

bool Groups::weigh(Group& g, Turns& turns, Cycle now) {
  // K may have passed a V that waits for its half: until then the half holds an earlier head's V and scales.
  if (g.stage == Stage::kept && !fetches_values(g) && g.head->value_begun && g.head->scale_begun && g.head->sum_begun &&
      turns.pv && s_.room(s_.ports.pv, now)) {
    const LayerPlan& plan = g.layer->plan;
    PvJob job;
    job.store = g.store, job.half = g.head->half;
    job.resident = plan.full_width, job.all = g.all_values;
    job.compensated = !plan.full_width && s_.decisions.compensates;
    job.last = !plan.full_width || g.query + 1 == plan.positions.size();
    job.constants = g.head->constants;
    const auto first_head = static_cast<std::uint64_t>(g.head->plan->kv_head * s_.params.group);
    job.first_head = static_cast<std::uint16_t>(s_.memories.importance.heads_base(plan.sequence) + first_head);
    job.epoch = g.layer->epoch;
    const std::uint64_t vector =
        std::uint64_t{g.layer->position(s_.memories.lists, g.query)} * static_cast<std::uint64_t>(plan.out_heads) +
        first_head;
    job.address = plan.out.at(vector);
    job.address_stride = plan.out.stride;
    s_.ports.pv.push(now, job);
    if (s_.observer && !plan.full_width) s_.observer->values_known(view(g), g.all_values);
    move(g, Stage::weighing);
    return true;
  }
  turns.values = turns.values && g.stage >= Stage::kept && (g.stage > Stage::kept || g.values_sent);
  turns.pv = turns.pv && g.stage == Stage::weighing;
  return false;
}

// Vectors that local pruning left out may still be on their way when the last kept one was multiplied.
bool Groups::free_value_half(Cycle now) {
  for (std::size_t half = 0; half < s_.value_read.size(); ++half) {
    if (!s_.value_read[half]) continue;
    if (s_.memories.values.loaded(static_cast<int>(half), now)) {
      s_.value_read[half] = 0, s_.value_free[half] = 1;
      s_.memories.values.release(static_cast<int>(half));
      for (Head& h : s_.heads)
        if (h.half == half && h.holds_values) {
          h.holds_values = false;
          break;
        }
      return true;
    }
    s_.blocked = true;
  }
  return false;
}

// Scales of values that nobody used may still come, by the list of the pages' tokens.
bool Groups::still_loads(const Group& g) {
  const ScaleStore& scales = s_.memories.scales;
  if (g.pages == kEveryItem || g.head->plan->value_scale.item_bytes == 0) return false;
  const bool loads = scales.arrived(g.head->half) < scales.items(g.head->half);
  s_.blocked = s_.blocked || loads;
  return loads;
}

// A store is free when both readers are done with it; a group, with its address list, when its last V was multiplied.
void Groups::retire(Cycle now) {
  s_.moved = true;
  if (free_value_half(now)) return;
  for (Group& g : s_.groups)
    if (g.weighed && g.importance_done && !g.freed) {
      if (s_.observer && !g.layer->plan.full_width) s_.observer->freed(view(g));
      g.freed = true, s_.store_free[g.store] = 1;
      return;
    }
  if (!s_.groups.empty() && s_.groups.front().freed && s_.groups.front().multiplied &&
      !still_loads(s_.groups.front())) {
    Group& g = s_.groups.front();
    if (s_.observer && !g.layer->plan.full_width) s_.observer->retired(view(g));
    if (g.tokens != kEveryItem) s_.memories.lists.give_back(g.tokens);
    s_.memories.lists.give_back(g.pages);
    ++g.head->finished;
    s_.groups.pop_front();
    return;
  }
  if (!s_.heads.empty() && s_.heads.front().finished == s_.heads.front().layer->plan.positions.size()) {
    s_.heads.pop_front();
    return;
  }
  s_.moved = false;
}

}  // namespace winnow::controller
