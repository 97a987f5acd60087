#pragma once
// Slots that a greedy search left of each query head's keys, of the groups in flight. A group that was not searched for
// has none, and its blocks go over all its slots.
//
// In:   greedy, a word of slots a cycle, ascending. The controller says when a group begins.
// Out:  Q x K and P x V, each through a read port of its own, a run of a row's slots a cycle.
// Rate: `greedy.scan` slots a port and cycle. A second access of a port in a cycle throws std::logic_error.
// State: the slots; how many of a row, and whether its search is over, which its readers see from the next cycle on.
// Paper: A3 (HPCA 2020), "candidates"; docs/rivals.md.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "models/memories/group_table.h"
#include "models/prim/memory.h"
#include "models/prim/sizes.h"

namespace winnow {

class CandidateLists : public MemoryBase {
 public:
  enum class Port : std::uint8_t { qk, pv, greedy };

  explicit CandidateLists(const Sizes& s)
      : MemoryBase({"candidate_lists", "candidate lists", "controller, greedy", "qk, pv"}),
        scan_(s.greedy_columns ? s.greedy_scan : 0),
        group_(static_cast<std::size_t>(s.group)),
        longest_(static_cast<std::size_t>(s.longest)),
        words_(scan_ ? static_cast<std::uint64_t>(s.halves) * static_cast<std::uint64_t>(s.score_entries) : 0),
        asked_(static_cast<std::size_t>(s.stores)),
        rows_(asked_.size() * group_),
        slots_(scan_ ? rows_.size() * longest_ : 0) {}

  // Controller: a group begins in that store, whose heads are searched for or not.
  void begin(std::size_t store, bool searched) {
    asked_[store] = searched;
    for (std::size_t row = 0; row < group_; ++row) rows_[store * group_ + row] = {};
  }
  bool asked(std::size_t store) const { return asked_[store]; }

  // Greedy: `slots` go behind those of the row; none may be left out of order.
  void append(std::size_t store, std::size_t row, const std::vector<std::uint32_t>& slots, Cycle now) {
    use(Port::greedy, now);
    Row& r = rows_[store * group_ + row];
    for (const std::uint32_t slot : slots) slots_[(store * group_ + row) * longest_ + r.count++] = slot;
    words_written_ += !slots.empty();
  }
  void finish(std::size_t store, std::size_t row, Cycle now) { rows_[store * group_ + row].ready.raise(now); }

  bool ready(std::size_t store, std::size_t row, Cycle now) const { return rows_[store * group_ + row].ready.up(now); }
  std::uint32_t count(std::size_t store, std::size_t row) const { return rows_[store * group_ + row].count; }
  const std::uint32_t* read(std::size_t store, std::size_t row, std::uint32_t from, Port port, Cycle now) const {
    use(port, now);
    ++words_read_;
    return peek(store, row) + from;
  }
  // Without a port, uncounted.
  const std::uint32_t* peek(std::size_t store, std::size_t row) const {
    return &slots_[(store * group_ + row) * longest_];
  }

  bool there() const override { return scan_ > 0; }
  MemoryShape shape() const override { return {words_, 16, 1, 2, 1, scan_}; }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  struct Row {
    std::uint32_t count = 0;
    Flag ready;
  };
  void use(Port port, Cycle now) const {
    Cycle& last = used_[static_cast<std::size_t>(port)];
    if (last == now) throw std::logic_error("candidate lists: second access of a port in one cycle");
    last = now;
  }

  int scan_;
  std::size_t group_, longest_;
  std::uint64_t words_;
  std::vector<std::uint8_t> asked_;
  std::vector<Row> rows_;
  std::vector<std::uint32_t> slots_;
  mutable Cycle used_[3] = {kNever, kNever, kNever};
};

}  // namespace winnow
