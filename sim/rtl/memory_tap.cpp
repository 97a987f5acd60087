#include "sim/rtl/memory_tap.h"

#include <memory>
#include <stdexcept>

namespace winnow::rtl {
namespace {

// A word of one value.
struct Score {
  std::uint32_t score = 0;
  template <class V>
  void fields(V&& v) {
    v("score", score, golden::selection_score_bits(kMaxGroup));
  }
};
struct RankingItem {
  bool written = false;
  std::uint64_t item = 0;
  template <class V>
  void fields(V&& v) {
    v("written", written, 1), v("item", item, golden::kImportanceBits);
  }
};
struct ListEntry {
  std::uint32_t entry = 0;
  template <class V>
  void fields(V&& v) {
    v("entry", entry, 17);
  }
};

constexpr std::uint32_t kSlotMask = (1u << kSlotBits) - 1;
std::uint32_t place_of(std::uint32_t address) { return address >> kSlotBits; }
std::uint32_t slot_of(std::uint32_t address) { return address & kSlotMask; }

template <class Word>
bool show(Word word, Bits& into) {
  pack(word, into);
  return true;
}
template <class Word>
Word word_of(const Bits& bits) {
  Word word;
  unpack(bits, word);
  return word;
}

template <class Event>
WriteTap tap(const char* name, Heard<Event>& heard) {
  const auto all = std::make_shared<std::vector<Event>>();
  return {name,
          fields_as_bits<Event>(),
          [all, &heard] { all->clear(), heard.by(all.get()); },
          [&heard] { heard.by(nullptr); },
          [all] { return all->size(); },
          [all](std::size_t i, Bits& into) { pack((*all)[i], into); }};
}

}  // namespace

std::vector<MemoryTap> memory_taps(Inventory& parts) {
  const auto slots = static_cast<std::uint32_t>(parts.sizes.longest);
  const auto stores = static_cast<std::uint32_t>(parts.groups.size());
  std::vector<MemoryTap> taps;
  taps.push_back({parts.groups.name(),
                  fields_as_bits<GroupEntry>(),
                  0,
                  [&, stores](std::uint32_t at, Cycle, Bits& into) {
                    if (at >= stores) return false;
                    pack(parts.groups[at], into);
                    return true;
                  },
                  {},
                  stores,
                  1,
                  [&](std::uint32_t at, const Bits& from) { unpack(from, parts.groups[at]); },
                  [] {}});
  taps.push_back({parts.selection_scores.name(),
                  fields_as_bits<Score>(),
                  kSlotBits,
                  [&, stores, slots](std::uint32_t at, Cycle, Bits& into) {
                    if (place_of(at) >= stores || slot_of(at) >= slots) return false;
                    return show(Score{parts.selection_scores.peek(place_of(at))[slot_of(at)]}, into);
                  },
                  {},
                  stores,
                  slots,
                  [&](std::uint32_t at, const Bits& from) {
                    parts.selection_scores.poke(place_of(at))[slot_of(at)] = word_of<Score>(from).score;
                  },
                  [] {}});
  constexpr std::uint32_t kPlaces = 4;
  taps.push_back({parts.ranking_items.name(), fields_as_bits<RankingItem>(), kSlotBits,
                  [&](std::uint32_t at, Cycle now, Bits& into) {
                    const auto place = static_cast<ItemsRef>(place_of(at));
                    const std::uint64_t* item = parts.ranking_items.peek(place, slot_of(at));
                    return item &&
                           show(RankingItem{parts.ranking_items.there(place, slot_of(at) + 1, now), *item}, into);
                  },
                  [&](bool on) { parts.ranking_items.hold_reader(on); }, kPlaces, slots,
                  [&](std::uint32_t at, const Bits& from) {
                    const auto word = word_of<RankingItem>(from);
                    parts.ranking_items.poke(static_cast<ItemsRef>(place_of(at)), slot_of(at), word.item, word.written);
                  },
                  [&, slots] {
                    for (std::uint32_t p = 0; p < kPlaces; ++p) {
                      const ItemsRef place = parts.ranking_items.take(std::vector<std::uint64_t>(slots));
                      for (std::uint32_t i = 0; i < slots; ++i) parts.ranking_items.reveal(place, 0);
                    }
                  }});
  // The first half to read names from, the second to write.
  taps.push_back({parts.lists.name(),
                  fields_as_bits<ListEntry>(),
                  kSlotBits,
                  [&](std::uint32_t at, Cycle, Bits& into) {
                    const std::uint32_t place = place_of(at);
                    if (place >= parts.lists.places()) return false;
                    const auto& list = parts.lists.peek(static_cast<ListRef>(place));
                    return slot_of(at) < list.size() && show(ListEntry{list[slot_of(at)]}, into);
                  },
                  {},
                  kPlaces,
                  slots,
                  [&](std::uint32_t at, const Bits& from) {
                    parts.lists.poke(static_cast<ListRef>(place_of(at)))[slot_of(at)] = word_of<ListEntry>(from).entry;
                  },
                  [&, slots] {
                    for (std::uint32_t p = 0; p < 2 * kPlaces; ++p)
                      parts.lists.take(std::vector<std::uint32_t>(p < kPlaces ? slots : 0));
                  }});
  return taps;
}

std::vector<WriteTap> write_taps(Inventory& parts) {
  return {tap("selection_scores_claim", parts.selection_scores.claims), tap("kept_flags_clear", parts.kept.clears),
          tap("kept_flags_set", parts.kept.sets), tap("lists_clear", parts.lists.clears),
          tap("lists_append", parts.lists.appends)};
}

}  // namespace winnow::rtl
