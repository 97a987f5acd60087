// Nobody has a private copy: a word of each memory of the inventory is overwritten while it is in flight, behind the
// writer and before the reader, and what the machine does next must follow it. A list of tokens that is overwritten is
// followed to the addresses it now names: the machine equals golden on the codes of those tokens.
//
// Each strike is tried at several places. Planted: the blocks that read the memory (as its header names them) are given
// the word as it was, which is what a private copy would do; then nothing follows, and the check says so.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>
#include <set>
#include <span>

#include "tests/sim/machine/harness.h"

namespace winnow::test {
namespace {

// --- words in flight ------------------------------------------------------------------------------------------------

// Found again each cycle by its place, since memories may move what they hold.
struct Word {
  std::string where;
  std::function<std::span<std::uint8_t>(Inventory&)> bytes;  // empty: nothing lies there any more
  std::vector<std::uint8_t> wrong;                           // what it is overwritten with
};
// Called each cycle, before the blocks: a word that was written in an earlier cycle and that nobody has read.
using Find = std::function<std::optional<Word>(MachineModel&)>;

// A fault injector's hands: memories have no port for it.
template <class T>
std::span<std::uint8_t> hand(std::span<const T> words) {
  return {reinterpret_cast<std::uint8_t*>(const_cast<T*>(words.data())), words.size_bytes()};
}

// `locate(parts)`: the word, as a span of T; `damage(words)` overwrites a copy.
template <class T, class Locate, class Damage>
Word word(MachineModel& m, std::string where, Locate locate, Damage damage) {
  const std::span<const T> now = locate(m.parts());
  const auto copy = std::make_unique<T[]>(now.size());  // T may be bool
  const std::span<T> wrong(copy.get(), now.size());
  std::copy(now.begin(), now.end(), wrong.begin());
  damage(wrong);
  const std::span<std::uint8_t> bytes = hand(std::span<const T>(wrong));
  return {std::move(where),
          [locate](Inventory& parts) { return hand(std::span<const T>(locate(parts))); },
          {bytes.begin(), bytes.end()}};
}
// The same of a group's store, as long as the store is that group's.
template <class T, class Locate, class Damage>
Word group_word(MachineModel& m, std::size_t store, const std::string& where, Locate locate, Damage damage) {
  const auto group = [store](Inventory& parts) {
    Tag tag = parts.groups[store].tag;
    tag.pass = 0;
    return tag;
  };
  return word<T>(
      m, fmt::format("store {} {}", store, where),
      [group, locate, of = group(m.parts())](Inventory& parts) {
        return group(parts) == of ? std::span<const T>(locate(parts)) : std::span<const T>();
      },
      damage);
}
template <class T>
Word row_word(MachineModel& m, const RowMemory<T>& memory, std::size_t store, std::size_t row, std::size_t slot,
              T wrong) {
  return group_word<T>(
      m, store, fmt::format("row {} slot {}", row, slot),
      [&memory, store, row, slot](Inventory&) { return std::span(memory.peek(store, row) + slot, 1); },
      [wrong](std::span<T> w) { w[0] = wrong; });
}

// What changed since the last look.
template <class T>
class Changes {
 public:
  // `visit(store, row, slot)` for each slot of each group's rows that another value lies in.
  template <class Visit>
  void each(const Inventory& parts, const RowMemory<T>& memory, std::size_t rows, Visit visit) {
    const std::size_t stores = parts.groups.size(), slots = memory.slots();
    seen_.resize(stores * rows * slots);
    for (std::size_t store = 0; store < stores; ++store)
      for (std::size_t row = 0; row < rows; ++row) {
        T* seen = &seen_[(store * rows + row) * slots];
        const T* now = memory.peek(store, row);
        for (std::size_t slot = 0; slot < parts.groups[store].slots; ++slot)
          if (now[slot] != seen[slot]) visit(store, row, slot);
        std::copy_n(now, slots, seen);
      }
  }

 private:
  std::vector<T> seen_;
};

// The first group that started in the cycle before.
class Starts {
 public:
  std::optional<std::size_t> store(const GroupTable& groups) {
    std::optional<std::size_t> found;
    seen_.resize(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
      Tag tag = groups[i].tag;
      tag.pass = 0;
      const std::pair now{tag, groups[i].heads};
      if (now != seen_[i] && !found) found = i;
      seen_[i] = now;
    }
    return found;
  }

 private:
  std::vector<std::pair<Tag, std::uint32_t>> seen_;
};

template <class T>
std::size_t largest(const T* words, std::size_t n) {
  return static_cast<std::size_t>(std::max_element(words, words + n) - words);
}

constexpr int kTokens = 28, kPrompt = 24, kHeads = 4, kKvHeads = 2, kLayers = 3;

// --- strikes --------------------------------------------------------------------------------------------------------

struct Strike {
  const char* memory;  // as the inventory names it
  const char* what;    // is in flight, to whom
  bool causal;
  std::vector<std::string> set;  // of policy dense
  std::function<Find()> find;    // a fresh one a run
  int most = 100;                // such words in a run; 1: at the end of layer 0, in two layers and no further step
};

Find vectors(KvBuffer& (*of)(Inventory&)) {
  return [of](MachineModel& m) -> std::optional<Word> {
    const KvBuffer& b = of(m.parts());
    for (int half = 0; half < b.halves(); ++half)
      for (std::uint32_t slot = 0; slot < b.items(half); ++slot)
        if (b.has(half, slot) && b.slot_ready(half, slot, m.now()) && !b.slot_ready(half, slot, m.now() - 1))
          return word<std::int16_t>(
              m, fmt::format("half {} slot {}", half, slot),
              [of, half, slot](Inventory& parts) {
                const KvBuffer& buffer = of(parts);
                if (!buffer.has(half, slot)) return std::span<const std::int16_t>();
                return std::span(buffer.slot(half, slot), static_cast<std::size_t>(buffer.head_dim()));
              },
              [](auto w) { std::transform(w.begin(), w.end(), w.begin(), [](auto x) { return ~x; }); });
    return {};
  };
}

Find queries() {
  return [seen = std::uint64_t{0}](MachineModel& m) mutable -> std::optional<Word> {
    const QueryRegisters& q = m.parts().queries;
    const std::uint64_t number = seen;
    if (!q.ready(number, m.now())) return {};
    seen = q.pushed();
    return word<std::int16_t>(
        m, fmt::format("query vector {}", number),
        [number](Inventory& parts) {
          return std::span(parts.queries.entry(number), static_cast<std::size_t>(parts.queries.head_dim()));
        },
        [](auto w) { std::transform(w.begin(), w.end(), w.begin(), [](auto x) { return ~x; }); });
  };
}

Find value_scales() {
  return [](MachineModel& m) -> std::optional<Word> {
    const ScaleStore& s = m.parts().value_scales;
    for (int half = 0; half < s.halves(); ++half)
      for (std::uint32_t slot = 0; slot < s.items(half); ++slot)
        if (s.ready(half, slot, m.now()) && !s.ready(half, slot, m.now() - 1))
          return word<std::uint16_t>(
              m, fmt::format("half {} slot {}", half, slot),
              [half, slot](Inventory& parts) { return std::span(parts.value_scales.word(half, slot), 1); },
              [](auto w) { w[0] ^= 0x8000; });
    return {};
  };
}

Find value_sums() {
  return [](MachineModel& m) -> std::optional<Word> {
    const ValueSums& s = m.parts().value_sums;
    for (int half = 0; half < s.halves(); ++half)
      if (s.loaded(half, m.now()) && !s.loaded(half, m.now() - 1))
        return word<std::int32_t>(
            m, fmt::format("half {}", half),
            [half, n = m.parts().sizes.head_dim](Inventory& parts) {
              return std::span(parts.value_sums.peek(half), static_cast<std::size_t>(n));
            },
            [](auto w) { std::transform(w.begin(), w.end(), w.begin(), [](auto x) { return x ^ 0x3fffff; }); });
    return {};
  };
}

// A row's division has begun, and what was left out got its mean.
Find left_out_mean() {
  return [seen = std::vector<std::uint64_t>()](MachineModel& m) mutable -> std::optional<Word> {
    const Inventory& p = m.parts();
    seen.resize(p.groups.size());
    std::optional<Word> found;
    for (std::size_t store = 0; store < p.groups.size(); ++store) {
      const std::uint64_t mean = p.groups[store].mean[0];
      if (mean != seen[store] && mean && !found)
        found = group_word<std::uint64_t>(
            m, store, "mean of row 0", [&p, store](Inventory&) { return std::span(&p.groups[store].mean[0], 1); },
            [](auto w) { w[0] ^= 1 << 24; });
      seen[store] = mean;
    }
    return found;
  };
}

// A row's smallest score, when all are there, becomes as large as the largest. `between`: of a pass that is over, to
// which the next pass adds.
Find scores(bool between) {
  return [between, scores = Changes<std::int32_t>(),
          exponentials = Changes<std::uint32_t>()](MachineModel& m) mutable -> std::optional<Word> {
    std::optional<Word> found;
    const Inventory& p = m.parts();
    const auto last = [&](std::size_t store, std::size_t row, std::size_t slot) {
      const GroupEntry& g = p.groups[store];
      if (found || slot + 1 != g.slots || (between && (!g.undecided || g.digit != 0))) return;
      const std::int32_t* s = p.scores.peek(store, row);
      const auto at = static_cast<std::size_t>(std::min_element(s, s + g.slots) - s);
      const std::int32_t top = s[largest(s, g.slots)];
      if (s[at] != top) found = row_word(m, p.scores, store, row, at, top);
    };
    const auto rows = static_cast<std::size_t>(p.sizes.group);
    if (between)
      exponentials.each(p, p.exponentials, rows, last);
    else
      scores.each(p, p.scores, rows, last);
    return found;
  };
}

// The largest exponential of a row before its division; or a probability that was just made of one.
Find exponentials() {
  return [changes = Changes<std::uint32_t>()](MachineModel& m) mutable -> std::optional<Word> {
    std::optional<Word> found;
    const Inventory& p = m.parts();
    changes.each(p, p.exponentials, static_cast<std::size_t>(p.sizes.group),
                 [&](std::size_t store, std::size_t row, std::size_t slot) {
                   const GroupEntry& g = p.groups[store];
                   const std::uint32_t* e = p.exponentials.peek(store, row);
                   if (found || g.readable[row].up(m.now()) || slot + 1 != g.slots) return;
                   const std::size_t at = largest(e, g.slots);
                   found = row_word(m, p.exponentials, store, row, at, e[at] / 4);
                 });
    return found;
  };
}

// A probability that was just divided.
Find probabilities() {
  return [changes = Changes<std::uint16_t>()](MachineModel& m) mutable -> std::optional<Word> {
    std::optional<Word> found;
    const Inventory& p = m.parts();
    changes.each(p, p.probabilities, static_cast<std::size_t>(p.sizes.group),
                 [&](std::size_t store, std::size_t row, std::size_t slot) {
                   const std::uint16_t* e = p.probabilities.peek(store, row);
                   if (found || e[slot] < 4096) return;
                   found = row_word(m, p.probabilities, store, row, slot, static_cast<std::uint16_t>(e[slot] / 4));
                 });
    return found;
  };
}

// The largest of the scores that the top-k engine is about to load.
Find selection_scores() {
  return [](MachineModel& m) -> std::optional<Word> {
    Inventory& p = m.parts();
    if (!p.topk_jobs.can_pop(m.now())) return {};
    const TopkJob& job = p.topk_jobs.peek();
    const std::size_t at = largest(p.selection_scores.peek(job.store), job.job.n);
    return row_word<std::uint32_t>(m, p.selection_scores, job.store, 0, at, 0);
  };
}

// A sum over the group's heads that was just completed: importance adds it up.
Find probability_sums() {
  return [changes = Changes<std::uint32_t>()](MachineModel& m) mutable -> std::optional<Word> {
    std::optional<Word> found;
    const Inventory& p = m.parts();
    changes.each(p, p.selection_scores, 1, [&](std::size_t store, std::size_t, std::size_t slot) {
      const GroupEntry& g = p.groups[store];
      if (found || !g.readable[static_cast<std::size_t>(std::bit_width(g.heads) - 1)].up(m.now())) return;
      found =
          row_word<std::uint32_t>(m, p.selection_scores, store, 0, slot, p.selection_scores.peek(store)[slot] + 20'000);
    });
    return found;
  };
}

// The engine's answer is on its way: the kept slot of the largest score is dropped, one that was dropped is kept.
Find kept_flags() {
  return [](MachineModel& m) -> std::optional<Word> {
    Inventory& p = m.parts();
    if (!p.topk_answers.can_pop(m.now())) return {};
    const std::size_t store = p.topk_answers.peek().store, n = p.groups[store].slots;
    const std::uint8_t* kept = p.kept.peek(store);
    const std::uint32_t* score = p.selection_scores.peek(store);
    const std::size_t in = static_cast<std::size_t>(std::find(kept, kept + n, 0) - kept);
    std::size_t out = n;
    for (std::size_t i = 0; i < n; ++i)
      if (kept[i] && (out == n || score[i] > score[out])) out = i;
    if (in == n || out == n) return {};
    return group_word<std::uint8_t>(
        m, store, fmt::format("slots {} and {}", out, in),
        [&p, store, n](Inventory&) { return std::span(p.kept.peek(store), n); },
        [in, out](auto w) { std::swap(w[in], w[out]); });
  };
}

// Two slots change places when the group has started.
Find origins() {
  return [starts = Starts()](MachineModel& m) mutable -> std::optional<Word> {
    const Inventory& p = m.parts();
    const auto store = starts.store(p.groups);
    if (!store || p.groups[*store].slots < 4) return {};
    return group_word<std::uint32_t>(
        m, *store, "slots 0 and 1", [&p, store = *store](Inventory&) { return std::span(p.origins.peek(store), 2); },
        [](auto w) { std::swap(w[0], w[1]); });
  };
}

// A group's first row may be read: its readers are told that its last may be too, which is still to be divided. In
// decode nobody is behind, so that they see it.
Find readable() {
  return [](MachineModel& m) -> std::optional<Word> {
    const Inventory& p = m.parts();
    for (std::size_t store = 0; store < p.groups.size(); ++store) {
      const GroupEntry& g = p.groups[store];
      if (!g.heads || g.tag.step == 0) continue;
      const auto first = static_cast<std::size_t>(std::countr_zero(g.heads)),
                 last = static_cast<std::size_t>(std::bit_width(g.heads)) - 1;
      if (!g.readable[first].up(m.now()) || g.readable[last].up(m.now())) continue;
      return group_word<Flag>(
          m, store, fmt::format("row {} readable", last),
          [&p, store, last](Inventory&) { return std::span(&p.groups[store].readable[last], 1); },
          [before = m.now()](auto w) { w[0].raise(before - 1); });
    }
    return {};
  };
}

// A compaction is over: the controller is told that one slot fewer is left.
Find slots_left() {
  return [](MachineModel& m) -> std::optional<Word> {
    Inventory& p = m.parts();
    if (!p.compactions_done.can_pop(m.now())) return {};
    const std::size_t store = p.compactions_done.peek().store;
    if (p.groups[store].slots < 2) return {};
    return group_word<std::uint32_t>(
        m, store, "slots", [&p, store](Inventory&) { return std::span(&p.groups[store].slots, 1); },
        [](auto w) { --w[0]; });
  };
}

// A group that will be decided on is told that the verdict is known: no refetch.
Find verdict() {
  return [starts = Starts()](MachineModel& m) mutable -> std::optional<Word> {
    const Inventory& p = m.parts();
    const auto store = starts.store(p.groups);
    if (!store || !p.groups[*store].undecided) return {};
    return group_word<bool>(
        m, *store, "forced verdict", [&p, store = *store](Inventory&) { return std::span(&p.groups[store].forced, 1); },
        [](auto w) { w[0] = true; });
  };
}

// A group that has just started is told another head's constants.
Find group_table() {
  return [starts = Starts()](MachineModel& m) mutable -> std::optional<Word> {
    const Inventory& p = m.parts();
    const auto store = starts.store(p.groups);
    const int heads = p.sizes.heads, group = p.sizes.group;
    if (!store || heads == group || p.groups[*store].slots < 4) return {};
    return group_word<ConstantsRef>(
        m, *store, "constants", [&p, store = *store](Inventory&) { return std::span(&p.groups[store].constants, 1); },
        [heads, group](auto w) {
          const int place = w[0] / heads, head = w[0] % heads;
          w[0] = static_cast<ConstantsRef>(place * heads + (head + group) % heads);
        });
  };
}

Find head_constants(void (*damage)(golden::Descriptor&)) {
  return [damage, starts = Starts(),
          waiting = std::optional<std::size_t>()](MachineModel& m) mutable -> std::optional<Word> {
    const Inventory& p = m.parts();
    // The descriptor may arrive after its group has started.
    if (const auto store = starts.store(p.groups)) waiting = store;
    if (!waiting || !p.constants.loaded(p.groups[*waiting].constants, m.now())) return {};
    const ConstantsRef first = p.groups[*waiting].constants;
    waiting.reset();
    return word<golden::Descriptor>(
        m, fmt::format("word {}", first),
        [first](Inventory& parts) {
          return std::span(&parts.constants.poke(first), static_cast<std::size_t>(parts.sizes.group));
        },
        [damage](auto w) {
          for (golden::Descriptor& d : w) damage(d);
        });
  };
}

// A job is about to reach the address generator: an entry of its list becomes the next one's.
Find lists(Stream stream) {
  return [stream](MachineModel& m) -> std::optional<Word> {
    Inventory& p = m.parts();
    if (!p.fetch_jobs.can_pop(m.now())) return {};
    const FetchJob& job = p.fetch_jobs.peek();
    if (job.stream != stream || job.list == kEveryItem || job.items < 4) return {};
    const std::size_t at = job.heads ? (job.first + job.entries()) / 2 : job.items / 2;
    if (at + 1 >= p.lists.peek(job.list).size()) return {};
    return word<std::uint32_t>(
        m, fmt::format("list {} entry {}", job.list, at),
        [&p, list = job.list, at](Inventory&) {
          const std::vector<std::uint32_t>& entries = p.lists.peek(list);
          return at < entries.size() ? std::span(&entries[at], 1) : std::span<const std::uint32_t>();
        },
        [next = p.lists.peek(job.list)[at + 1]](auto w) { w[0] = next; });
  };
}

// The cascade's answer is on its way, or has just been taken: of the names that stay one in the middle gives way to one
// that does not.
Find cascade_list(bool taken) {
  return [taken, kept = std::optional<ListRef>(),
          answers = std::uint64_t{0}](MachineModel& m) mutable -> std::optional<Word> {
    Inventory& p = m.parts();
    if (p.cascade_jobs.can_pop(m.now())) kept = p.cascade_jobs.peek().kept;
    if (!kept) return {};
    if (taken ? p.cascade_answers.pushed() == answers || !p.cascade_answers.drained()
              : !p.cascade_answers.can_pop(m.now()))
      return {};
    answers = p.cascade_answers.pushed();
    const std::vector<std::uint32_t>& names = p.lists.peek(*kept);
    std::uint32_t in = 0;
    while (in < names.size() && names[in] == in) ++in;
    return word<std::uint32_t>(
        m, fmt::format("list {}: names kept by the cascade", *kept),
        [&p, list = *kept, n = names.size()](Inventory&) {
          const std::vector<std::uint32_t>& entries = p.lists.peek(list);
          return entries.size() == n ? std::span(entries) : std::span<const std::uint32_t>();
        },
        [in](auto w) { w[w.size() / 2] = in, std::sort(w.begin(), w.end()); });
  };
}

// Layer 1 has been added up, and the choice for layer 2 is not sent: the list of those that lived changes its order.
Find ended_list() {
  return [list = kEveryItem, before = std::uint64_t{0}, done = -1](MachineModel& m) mutable -> std::optional<Word> {
    Inventory& p = m.parts();
    if (p.fetch_jobs.can_pop(m.now()) && p.fetch_jobs.peek().stream == Stream::key) list = p.fetch_jobs.peek().list;
    if (p.controller.finished()) return {};
    const LayerPlan& layer = p.controller.layer();
    if (layer.layer != 1) before = p.importance_answers.pushed();
    if (layer.layer != 1 || list == kEveryItem || done == layer.step) return {};
    if (p.importance_answers.pushed() - before != kKvHeads * layer.positions.size()) return {};
    done = layer.step;
    return word<std::uint32_t>(
        m, fmt::format("list {}: who lived in layer 1", list),
        [&p, list = list](Inventory&) { return std::span(p.lists.peek(list)); },
        [](auto w) { std::reverse(w.begin(), w.end()); });
  };
}

// A job is about to be taken up: the names that it chooses among change their order.
template <class Link>
Find names_of(Link Inventory::*link) {
  return [link](MachineModel& m) -> std::optional<Word> {
    Inventory& p = m.parts();
    if (!(p.*link).can_pop(m.now())) return {};
    const TopkJob& job = (p.*link).peek();
    if (job.names == kEveryItem || job.kept == kEveryItem) return {};
    const ListRef list = job.names;
    return word<std::uint32_t>(
        m, fmt::format("list {}: names of a choice", list),
        [&p, list](Inventory&) { return std::span(p.lists.peek(list)); },
        [](auto w) { std::reverse(w.begin(), w.end()); });
  };
}

// The smallest item of a choice was just written, and is not loaded yet: it becomes one of the largest.
Find ranking_items(Candidates what) {
  return [what, job = std::optional<TopkJob>(), at = std::size_t{0}](MachineModel& m) mutable -> std::optional<Word> {
    Inventory& p = m.parts();
    if (p.cascade_jobs.can_pop(m.now()) && p.cascade_jobs.peek().what == what) {
      job = p.cascade_jobs.peek();
      const auto& earned = what == Candidates::heads ? p.importance_memory.heads() : p.importance_memory.tokens();
      const auto of = [&](std::size_t i) { return earned[job->names == kEveryItem ? i : p.lists.peek(job->names)[i]]; };
      at = 0;  // the newest token, the last, is protected
      for (std::size_t i = 1; i + (what == Candidates::tokens) < job->job.n; ++i)
        if (of(i) < of(at)) at = i;
    }
    if (!job || p.ranking_items.written(job->items) <= at) return {};
    const ItemsRef place = job->items;
    job.reset();
    return word<std::uint64_t>(
        m, fmt::format("list {} item {}", place, at),
        [&p, place, at = at, answered = p.cascade_answers.pushed()](Inventory&) {
          if (p.cascade_answers.pushed() != answered) return std::span<const std::uint64_t>();  // given back
          return std::span(p.ranking_items.read(place, at, 0), 1);
        },
        [](auto w) { w[0] = (std::uint64_t{1} << 47); });
  };
}

// All of layer 0 has been added up, and the cascade has not asked yet: the least becomes large.
Find importance_memory(bool of_heads) {
  return [of_heads, done = false](MachineModel& m) mutable -> std::optional<Word> {
    Inventory& p = m.parts();
    const bool complete =
        of_heads ? p.magnitudes.pushed() == kHeads * kPrompt && p.magnitudes.drained()
                 : p.importance_answers.pushed() == kKvHeads * kPrompt && p.importance_answers.can_pop(m.now());
    if (!complete || done) return {};
    done = true;
    const auto words = [&p, of_heads]() -> const std::vector<std::uint64_t>& {
      return of_heads ? p.importance_memory.heads() : p.importance_memory.tokens();
    };
    // The newest token of the prompt is protected.
    const auto last = words().begin() + (of_heads ? kHeads : kPrompt - 1);
    const auto at = static_cast<std::size_t>(std::min_element(words().begin(), last) - words().begin());
    return word<std::uint64_t>(
        m, fmt::format("{} {}", of_heads ? "query head" : "token", at),
        [words, at](Inventory&) { return std::span(&words()[at], 1); }, [](auto w) { w[0] += std::uint64_t{1} << 44; });
  };
}

// A head's columns were sorted, and the search has not come to the last: it takes each slot of it for another one of a
// large code.
Find sorted_keys() {
  return [seen = std::uint64_t{0}](MachineModel& m) mutable -> std::optional<Word> {
    const Greedy& greedy = m.parts().greedy;
    if (greedy.sorts() == seen) return {};
    seen = greedy.sorts();
    const int half = greedy.job().half, last = m.parts().sizes.head_dim - 1;
    const std::size_t n = greedy.job().keys;
    return word<SortedKeys::Element>(
        m, fmt::format("half {} column {}", half, last),
        [half, last, n](Inventory& parts) {
          const SortedKeys& sorted = parts.sorted_keys;
          return std::span(sorted.column(half, last), n);
        },
        [n](std::span<SortedKeys::Element> w) {
          for (std::size_t i = 0; i < n; ++i) w[i] = {2047, static_cast<std::uint32_t>(i)};
        });
  };
}

// A search is over: its first candidate becomes a key that it left out.
Find candidate_lists() {
  return [seen = std::vector<std::uint8_t>()](MachineModel& m) mutable -> std::optional<Word> {
    const Inventory& p = m.parts();
    const CandidateLists& lists = p.candidate_lists;
    const auto rows = static_cast<std::size_t>(p.sizes.group);
    seen.resize(p.groups.size() * rows);
    std::optional<Word> found;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const std::size_t store = i / rows, row = i % rows, n = lists.count(store, row);
      const bool ready = lists.asked(store) && lists.ready(store, row, m.now());
      if (ready && !seen[i] && !found && n < p.groups[store].slots) {
        const std::uint32_t* slots = lists.peek(store, row);
        std::uint32_t other = 0;
        while (std::find(slots, slots + n, other) != slots + n) ++other;
        found = group_word<std::uint32_t>(
            m, store, fmt::format("row {} candidate 0", row),
            [&lists, store, row](Inventory&) { return std::span(lists.peek(store, row), 1); },
            [other](auto w) { w[0] = other; });
      }
      seen[i] = ready;
    }
    return found;
  };
}

std::vector<Strike> strikes() {
  const std::vector<std::string> plain = {}, scales = {"v_scale=token"}, refetch = {"k_digits=6,4", "threshold=1"},
                                 values = {"local_value=0.3", "local_value_resident=prune"},
                                 select = {"k_digits=4,4", "select=count", "select_keep=0.4"},
                                 compensated = {"k_digits=4,4", "select=count", "select_keep=0.4", "rest=true",
                                                "compensate=true"},
                                 pool = {"arrays=shared", "buffers=pool", "qk.brick_bits=4"},
                                 pooled_crude = {"arrays=shared", "buffers=pool",    "qk.brick_bits=4", "k_digits=4,4",
                                                 "select=count",  "select_keep=0.4", "first_q_bits=8",  "rest=true"},
                                 tokens = {"tokens.start=0.6", "tokens.end=0.4"},
                                 listed_values = {"tokens.start=0.6", "tokens.end=0.4", "local_value=0.3"},
                                 heads = {"heads.start=0.5", "heads.end=0.5"},
                                 search = {"candidates=0.5", "greedy.columns=1"};
  const auto keys = +[](Inventory& p) -> KvBuffer& { return p.keys; };
  const auto v = +[](Inventory& p) -> KvBuffer& { return p.values; };
  return {
      {"key_buffer", "K, to qk", true, plain, [=] { return vectors(keys); }},
      {"key_buffer", "K's second digit, to qk", true, refetch, [=] { return vectors(keys); }},
      {"value_buffer", "V, to pv", true, plain, [=] { return vectors(v); }},
      {"value_buffer", "V, to pv", false, values, [=] { return vectors(v); }},
      {"key_buffer", "K in the pool, to qk", true, pool, [=] { return vectors(keys); }},
      {"key_buffer", "K's first digit in the pool, to qk and the converter", true, pooled_crude,
       [=] { return vectors(keys); }},
      {"value_buffer", "V in the pool, to pv", true, pool, [=] { return vectors(v); }},
      {"value_scales", "V's scale, to pv", true, scales, value_scales},
      {"value_sums", "the sum of V, to pv", true, compensated, value_sums, 20},
      {"group_table", "the mean of what was left out, to pv", true, compensated, left_out_mean, 20},
      {"query_registers", "a query, to qk", false, plain, queries},
      {"sorted_keys", "the last column, to greedy", false, search, sorted_keys, 4},
      {"candidate_lists", "the first, to qk and pv", false, search, candidate_lists, 40},
      {"group_table", "a group, to softmax", true, plain, group_table},
      {"group_table", "when a row may be read, to importance and pv", true, plain, readable, 20},
      {"group_table", "how many slots are left, to the controller", true, select, slots_left, 20},
      {"group_table", "a verdict, to progressive", true, refetch, verdict, 20},
      {"head_constants", "to_log2, to softmax", true, plain,
       [] { return head_constants([](golden::Descriptor& d) { ++d.to_log2.shift; }); }},
      {"head_constants", "to_out, to pv", true, plain,
       [] { return head_constants([](golden::Descriptor& d) { ++d.to_out.shift; }); }},
      {"head_constants", "out16, to pv", true, plain,
       [] { return head_constants([](golden::Descriptor& d) { d.out16 /= 2; }); }},
      {"scores", "a row's smallest, to its exponential", true, plain, [] { return scores(false); }},
      {"scores", "a row's smallest, to the second pass", true, refetch, [] { return scores(true); }},
      {"exponentials", "a row's largest, to its division", true, plain, exponentials},
      {"probabilities", "a probability, to pv", true, plain, probabilities},
      {"selection_scores", "the largest, to topk (values)", true, values, selection_scores},
      {"selection_scores", "the largest, to topk (survivors)", true, select, selection_scores},
      {"selection_scores", "a sum, to importance", true, plain, probability_sums},
      {"kept_flags", "values, to pv", true, values, kept_flags},
      {"kept_flags", "survivors, to softmax", true, select, kept_flags, 20},
      {"origins", "to importance", true, plain, origins},
      {"origins", "to pv and importance", false, scales, origins},
      {"lists", "tokens whose K is fetched", true, tokens, [] { return lists(Stream::key); }},
      {"lists", "queries that are fetched", true, tokens, [] { return lists(Stream::query); }, 8},
      {"lists", "tokens whose V is wanted", true, values, [] { return lists(Stream::value); }, 8},
      {"lists", "survivors whose records are fetched", true, select, [] { return lists(Stream::record); }},
      {"lists", "names that the cascade keeps, to the controller", true, tokens, [] { return cascade_list(false); }, 8},
      {"lists", "names that the cascade kept, to the fetcher", true, tokens, [] { return cascade_list(true); }, 8},
      {"lists", "who lived, to the next choice", true, tokens, ended_list, 3},
      {"lists", "names of a choice, to cascade and cascade_topk", true, tokens,
       [] { return names_of(&Inventory::cascade_jobs); }, 4},
      {"lists", "names of values, to topk", true, listed_values, [] { return names_of(&Inventory::topk_jobs); }, 8},
      {"ranking_items", "tokens, to cascade_topk", true, tokens, [] { return ranking_items(Candidates::tokens); }, 8},
      {"ranking_items", "heads, to cascade_topk", true, heads, [] { return ranking_items(Candidates::heads); }, 4},
      {"importance_memory", "tokens, to the cascade", true, tokens, [] { return importance_memory(false); }, 1},
      {"importance_memory", "heads, to the cascade", true, heads, [] { return importance_memory(true); }, 1},
  };
}

RunOptions options(const Strike& s, int seed) {
  RunOptions o;
  o.machine = "tiny", o.policy = "dense", o.set = s.set;
  o.trace = fmt::format("synthetic:layers={},heads={},kv_heads={},head_dim=32,tokens={},prompt={},causal={},seed={}",
                        s.most == 1 ? 2 : kLayers, kHeads, kKvHeads, kTokens, s.causal ? kPrompt : kTokens,
                        s.causal ? 1 : 0, seed);
  if (s.most == 1) o.steps = {0, 0};
  return o;
}

// --- the check ------------------------------------------------------------------------------------------------------

// Blocks that a memory's header names as its readers.
std::set<std::string> readers(const MemoryBase& memory) {
  std::set<std::string> names;
  std::string list = memory.info().read_by;
  for (std::size_t comma; (comma = list.find(", ")) != std::string::npos; list.erase(0, comma + 2))
    names.insert(list.substr(0, comma));
  names.insert(list);
  return names;
}
std::set<std::string> readers(const Inventory& parts, const std::string& memory) {
  for (const MemoryBase* m : parts.all.memories)
    if (memory == m->name()) return readers(*m);
  return {};
}

// Overwrites the word that `find` finds after `skip` others. `copies`: whoever reads the memory gets the word as it
// was.
class Injector {
 public:
  using Copies = std::function<bool(const Inventory&, const char* block)>;
  Injector(const char* memory, Find find, int skip, Copies copies)
      : memory_(memory), find_(std::move(find)), skip_(skip), copies_(std::move(copies)) {}

  void strike(MachineModel& m) {
    if (word_) return;
    std::optional<Word> word = find_(m);
    if (!word || skip_-- > 0) return;
    const std::span<std::uint8_t> at = word->bytes(m.parts());
    right_.assign(at.begin(), at.end());
    std::copy(word->wrong.begin(), word->wrong.end(), at.begin());
    word_ = std::move(word), cycle_ = m.now();
  }
  void tick(MachineModel& m, Block& block, Cycle now) {
    const bool copy = word_ && copies_ && copies_(m.parts(), block.name()) && replace(m, word_->wrong, right_);
    block.tick(now);
    if (copy) replace(m, right_, word_->wrong);
  }
  bool struck() const { return word_.has_value(); }
  std::string where() const { return fmt::format("{}: {}, overwritten in cycle {}", memory_, word_->where, cycle_); }

 private:
  // False when something else lies there by now.
  bool replace(MachineModel& m, const std::vector<std::uint8_t>& is, const std::vector<std::uint8_t>& to) {
    const std::span<std::uint8_t> at = word_->bytes(m.parts());
    if (at.size() != is.size() || !std::equal(is.begin(), is.end(), at.begin())) return false;
    std::copy(to.begin(), to.end(), at.begin());
    return true;
  }

  const char* memory_;
  Find find_;
  int skip_;
  Copies copies_;
  std::optional<Word> word_;
  std::vector<std::uint8_t> right_;
  Cycle cycle_ = 0;
};

Outcome run(const Bench& bench, Injector& injector, Bench::Run run) {
  run.watch = [&](MachineModel& m) { injector.strike(m); };
  run.tick = [&](MachineModel& m, Block& block, Cycle now) { injector.tick(m, block, now); };
  return bench.run(std::move(run));
}

// The first thing that followed, as far as it is not read out of the struck memory itself: empty, if none did. What
// observers peek at (probabilities, survivors) is left out.
std::string followed(const Outcome& before, const Outcome& after, bool importances) {
  if (!after.broken.empty()) return after.broken;
  if (after.layers.size() != before.layers.size()) return "another number of layers";
  for (std::size_t i = 0; i < before.layers.size(); ++i) {
    const LayerEnd &a = before.layers[i], &b = after.layers[i];
    const std::string at = fmt::format("step {} layer {}: ", a.step, a.layer);
    if (a.positions != b.positions) return at + "query positions";
    for (std::size_t kv = 0; kv < a.heads.size(); ++kv) {
      if (a.heads[kv].live != b.heads[kv].live) return at + fmt::format("KV head {}: live tokens", kv);
      if (a.heads[kv].heads != b.heads[kv].heads) return at + fmt::format("KV head {}: live query heads", kv);
    }
    if (importances && a.importance != b.importance) return at + "importance of tokens";
    if (importances && a.head_importance != b.head_importance) return at + "importance of heads";
    if (a.counts.accesses.stream_bursts != b.counts.accesses.stream_bursts) return at + "bursts";
  }
  if (before.image != after.image)
    return fmt::format(
        "byte {} of the image",
        std::mismatch(before.image.begin(), before.image.end(), after.image.begin()).first - before.image.begin());
  return before.cycles != after.cycles ? "cycles" : std::string();
}

// Who has a private copy of the word: nobody, all readers that the memory's header names, or all of them but one.
enum class Copies : std::uint8_t { none, all, all_but };

// Empty: what the machine did next followed the word. Otherwise, which word nobody minded.
std::string unheard(const Bench& bench, const Outcome& before, const Strike& s, int skip, Copies copies,
                    const std::string& reader = {}, std::string* what = nullptr) {
  Injector injector(s.memory, s.find(), skip, [&](const Inventory& parts, const char* block) {
    return copies != Copies::none && block != reader && readers(parts, s.memory).count(block);
  });
  Bench::Run r;
  r.check = false;
  const Outcome after = run(bench, injector, std::move(r));
  if (!injector.struck()) return fmt::format("{}: {}: never in flight", s.memory, s.what);
  const std::string first = followed(before, after, std::string(s.memory) != "importance_memory");
  if (what) *what = injector.where() + ": " + first;
  return first.empty() ? injector.where() + ", and nothing followed" : std::string();
}

Outcome undisturbed(const Bench& bench) {
  Bench::Run r;
  r.check = false;
  return bench.run(std::move(r));
}

TEST(InFlight, EveryMemoryIsRead) {
  std::set<std::string> struck;
  int tried = 0;
  for (const Strike& s : strikes()) {
    struck.insert(s.memory);
    for (int trial = 0; trial < 6; ++trial) {
      const Bench bench(options(s, 5 + trial));
      const Outcome before = undisturbed(bench);
      ASSERT_EQ(before.broken, "") << s.memory;
      std::string what;
      EXPECT_EQ(unheard(bench, before, s, trial * trial % s.most, Copies::none, {}, &what), "")
          << s.what << "\n"
          << command_of(options(s, 5 + trial));
      if (trial == 0) fmt::print("{} ({})\n", what, s.what);
      ++tried;
    }
  }
  fmt::print("{} words overwritten in flight, and the machine followed each\n", tried);
  // A memory that is new wants a strike here.
  const Bench bench(options(strikes()[0], 5));
  Bench::Run r;
  r.check = false;
  bool asked = false;
  r.watch = [&](MachineModel& m) {
    if (asked) return;
    asked = true;
    for (const MemoryBase* memory : m.parts().all.memories)
      EXPECT_EQ(struck.count(memory->name()), 1u) << memory->name();
    EXPECT_EQ(struck.size(), m.parts().all.memories.size());
  };
  bench.run(std::move(r));
  EXPECT_TRUE(asked);
}

TEST(InFlight, PlantedPrivateCopiesAreCaught) {
  int caught = 0;
  for (const Strike& s : strikes()) {
    const Bench bench(options(s, 5));
    const Outcome before = undisturbed(bench);
    std::string what;
    const std::string message = unheard(bench, before, s, 4 % s.most, Copies::all, {}, &what);
    EXPECT_EQ(message.find(s.memory), 0u) << s.what;
    EXPECT_NE(message.find("and nothing followed"), std::string::npos) << s.what << ": " << what;
    fmt::print("{}\n", message);
    ++caught;
  }
  fmt::print("{} private copies caught\n", caught);
}

// One reader at a time sees the overwritten word, the others the word as it was: each reader that a header names looks
// into the memory itself.
TEST(InFlight, EveryReaderReads) {
  std::set<std::pair<std::string, std::string>> named, heard;
  for (const Strike& s : strikes()) {
    const Bench bench(options(s, 5));
    const Outcome before = undisturbed(bench);
    Bench::Run r;
    r.check = false;
    std::set<std::string> all;
    r.watch = [&](MachineModel& m) { all = readers(m.parts(), s.memory); };
    bench.run(std::move(r));
    for (const std::string& reader : all) {
      named.emplace(s.memory, reader);
      for (int trial = 0; trial < 3 && !heard.count({s.memory, reader}); ++trial)
        if (unheard(bench, before, s, 4 * (trial + 1) % s.most, Copies::all_but, reader).empty())
          heard.emplace(s.memory, reader);
    }
  }
  for (const auto& [memory, reader] : named)
    EXPECT_TRUE(heard.count({memory, reader})) << memory << " is read by " << reader << ", but it follows nothing";
  fmt::print("{} readers of memories, {} of them follow what lies there\n", named.size(), heard.size());
}

// --- lists of tokens ------------------------------------------------------------------------------------------------

// An entry of the second layer's list is overwritten before the fetcher takes it up: K, V and V's scale of that slot
// are those of the token that the list now names, to the bit. A fetcher and a converter that have the list from
// elsewhere are caught.
TEST(InFlight, AddressesFollowTheList) {
  std::uint64_t compared = 0;
  for (const char* step : {"the prompt", "a decode step"}) {
    const bool prompt = std::string(step) == "the prompt";
    const Strike s{"lists",
                   "tokens whose K is fetched",
                   true,
                   {"v_scale=token", "tokens.start=0.6", "tokens.end=0.6"},
                   [] { return lists(Stream::key); },
                   1};
    RunOptions o = options(s, 11);
    o.steps = prompt ? IndexRange{0, 0} : IndexRange{1, 1};
    const Bench bench(o);
    const Prepared& p = bench.prepared();
    // As if the token in the middle of layer 1's list were a copy of the next one, in all KV heads, which share it.
    const std::vector<std::uint32_t> live = undisturbed(bench).layers.at(1).heads.at(0).live;
    ASSERT_LT(live.size() + 4, static_cast<std::size_t>(p.shape.tokens_in(prompt ? 0 : 1)));
    const std::size_t t = live[live.size() / 2], next = live[live.size() / 2 + 1],
                      D = static_cast<std::size_t>(p.shape.head_dim);
    golden::Quantized moved = *p.model;
    for (int kv = 0; kv < p.shape.kv_heads; ++kv) {
      golden::HeadCodes& c = moved.codes(1, kv);
      for (auto* codes : {&c.k, &c.k_digit[0], &c.v}) std::copy_n(&(*codes)[next * D], D, &(*codes)[t * D]);
      c.v16[t] = c.v16[next];
    }

    const auto against = [&](const golden::Quantized* golden, bool elsewhere) {
      Injector injector("lists", s.find(), 0, [elsewhere](const Inventory&, const std::string& block) {
        return elsewhere && (block == "fetcher" || block == "converter");
      });
      Bench::Run r;
      r.golden = golden;
      Outcome out = run(bench, injector, std::move(r));
      EXPECT_TRUE(injector.struck());
      EXPECT_EQ(out.broken, "");
      return out.compared;
    };
    // Importances and bursts differ by right: the list names a token twice.
    const Comparison follows = against(&moved, false);
    // In the prompt the list's tokens are the queries too: the token has none of its own any more, and no output.
    EXPECT_EQ(follows.different(CompareKind::outputs), prompt ? std::uint64_t{kHeads} * D : 0u);
    EXPECT_EQ(follows.first_difference().find(fmt::format("position {} ", t)) != std::string::npos, prompt)
        << follows.first_difference();
    EXPECT_EQ(follows.different(CompareKind::probabilities), 0u) << follows.first_difference();
    compared += follows.compared(CompareKind::outputs) + follows.compared(CompareKind::probabilities);
    EXPECT_GT(against(p.model.get(), false).different(CompareKind::outputs), 0u);

    const Comparison planted = against(&moved, true);
    EXPECT_GT(planted.different(CompareKind::outputs), 0u);
    EXPECT_NE(planted.first_difference().find("layer 1 head"), std::string::npos) << planted.first_difference();
    fmt::print("in {} a fetcher that skips the list's memory is caught: {}\n", step, planted.first_difference());
  }
  EXPECT_GT(compared, 4'000u);
  fmt::print("{} outputs and probabilities equal to golden's on the tokens that the lists name\n", compared);
}

}  // namespace
}  // namespace winnow::test
