#pragma once
// Lists of tokens (or heads): the living of each head, the survivors of each group, what the cascade kept.
//
// In:   the top-k units write what stays, as the filter gives it out; the controller puts a new token behind those that
//       live, and writes a list that nobody chose (where a run begins, or a workload file says who lives).
// Out:  the fetcher's address generator, importance, cascade, the top-k units read entries; the controller an entry,
// the
//       position of a query whose output is to be written.
// State: the entries, and which lists are taken.
// Banks and ports: one list a bank, one writer and one reader each; entries of 17 bits.
// Paper: IV.D, the lists of live tokens that the fetcher works on; where they lie is open there.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "models/prim/memory.h"
#include "models/prim/places.h"
#include "models/prim/refs.h"

namespace winnow {

class Lists : public MemoryBase {
 public:
  // What goes through the write port of a top-k unit.
  struct Append {
    ListRef list = 0;
    std::uint32_t entry = 0;
    template <class V>
    void fields(V&& v) {
      v("list", list, 8), v("entry", entry, 17);
    }
  };
  struct Clear {
    ListRef list = 0;
    template <class V>
    void fields(V&& v) {
      v("list", list, 8);
    }
  };
  Heard<Append> appends;
  Heard<Clear> clears;

  // `slots`: entries that a list holds at most. `places`: lists at once, for the inventory of storage.
  explicit Lists(int slots, int places = 1)
      : MemoryBase({"lists", "lists", "controller, topk, cascade_topk",
                    "controller, fetcher, converter, importance, cascade, topk, cascade_topk"}),
        slots_(static_cast<std::uint64_t>(slots)),
        least_(static_cast<std::size_t>(places)) {}

  ListRef take() {
    const ListRef list = places_.take(kMost, "lists");
    if (list >= lists_.size()) lists_.resize(list + std::size_t{1}), readers_.resize(lists_.size());
    lists_[list].clear(), readers_[list] = 1;
    return list;
  }
  ListRef take(std::vector<std::uint32_t> entries) {
    const ListRef list = take();
    write(list, std::move(entries));
    return list;
  }
  // One more reader of a list; every one of them gives it back.
  ListRef share(ListRef list) {
    if (list != kEveryItem) ++readers_[list];
    return list;
  }
  void give_back(ListRef list) {
    if (list != kEveryItem && --readers_[list] == 0) places_.give_back(list, "lists");
  }

  void write(ListRef list, std::vector<std::uint32_t> entries) {
    words_written_ += entries.size();
    lists_[list] = std::move(entries);
  }
  void append(ListRef list, std::uint32_t entry) {
    ++words_written_, lists_[list].push_back(entry);
    appends({list, entry});
  }
  void clear(ListRef list) {
    lists_[list].clear();
    clears({list});
  }

  // `n` entries through the port, from `from` on.
  const std::uint32_t* read(ListRef list, std::size_t from, std::size_t n) const {
    words_read_ += n;
    return lists_[list].data() + from;
  }
  // Without a port, uncounted.
  const std::vector<std::uint32_t>& peek(ListRef list) const { return lists_[list]; }
  std::uint32_t* poke(ListRef list) { return lists_[list].data(); }
  std::size_t places() const { return lists_.size(); }

  // As far as lists were ever taken at once, and at least the places that were said.
  MemoryShape shape() const override {
    const auto banks = static_cast<int>(std::max(places_.most(), least_));
    return {static_cast<std::uint64_t>(banks) * slots_, 17, banks, 1, 1};
  }
  bool drained() const override { return places_.held() == 0; }

 private:
  static constexpr std::size_t kMost = kEveryItem;
  std::uint64_t slots_;
  std::size_t least_;
  Places places_;
  std::vector<std::vector<std::uint32_t>> lists_;
  std::vector<std::uint32_t> readers_;
};

}  // namespace winnow
