#pragma once
// Requests waiting in a controller, in order of arrival, with what FR-FCFS asks of each bank at hand: its
// oldest request, its oldest row hit, its oldest request to another row. No allocation after construction.
#include <array>
#include <cstdint>
#include <vector>

#include "models/prim/fifo.h"

namespace winnow::dram {

struct QueuedRequest {
  std::uint64_t address = 0, order = 0;  // order: of acceptance, over both queues
  Cycle arrive = 0;
  std::uint32_t tag = 0, row = 0;
  std::int16_t previous = -1, next = -1;  // same bank, by age
  std::uint16_t column = 0;
  std::uint8_t bank = 0;
  bool write = false, counted = false;  // counted: its first command was issued
};

class RequestQueue {
 public:
  static constexpr int kNone = -1;

  RequestQueue(std::size_t depth, int banks) : slots_(depth), banks_(static_cast<std::size_t>(banks)), depth_(depth) {
    free_.reserve(depth);
    for (std::size_t i = depth; i-- > 0;) free_.push_back(static_cast<std::int16_t>(i));
  }

  std::size_t size() const { return depth_ - free_.size(); }
  bool full() const { return free_.empty(); }
  QueuedRequest& operator[](int slot) { return slots_[static_cast<std::size_t>(slot)]; }
  const QueuedRequest& operator[](int slot) const { return slots_[static_cast<std::size_t>(slot)]; }

  int oldest(int bank) const { return banks_[static_cast<std::size_t>(bank)].head; }
  int oldest_hit(int bank) const { return banks_[static_cast<std::size_t>(bank)].hit; }      // bank open
  int oldest_other(int bank) const { return banks_[static_cast<std::size_t>(bank)].other; }  // bank open

  // Appends an entry for the caller to fill; `open` and `open_row` are the bank's state.
  QueuedRequest& push(int bank, std::uint32_t row, bool open, std::uint32_t open_row) {
    const std::int16_t s = free_.back();
    free_.pop_back();
    PerBank& b = banks_[static_cast<std::size_t>(bank)];
    QueuedRequest& q = slots_[static_cast<std::size_t>(s)];
    q.previous = b.tail;
    q.next = kNone;
    if (b.tail != kNone)
      slots_[static_cast<std::size_t>(b.tail)].next = s;
    else
      b.head = s;
    b.tail = s;
    if (open) {
      std::int16_t& first = row == open_row ? b.hit : b.other;
      if (first == kNone) first = s;
    }
    return q;
  }

  void remove(int slot, bool open, std::uint32_t open_row) {
    QueuedRequest& q = slots_[static_cast<std::size_t>(slot)];
    PerBank& b = banks_[q.bank];
    if (open) {
      if (b.hit == slot)
        b.hit = find(q.next, open_row, true);
      else if (b.other == slot)
        b.other = find(q.next, open_row, false);
    }
    if (q.previous != kNone)
      slots_[static_cast<std::size_t>(q.previous)].next = q.next;
    else
      b.head = q.next;
    if (q.next != kNone)
      slots_[static_cast<std::size_t>(q.next)].previous = q.previous;
    else
      b.tail = q.previous;
    free_.push_back(static_cast<std::int16_t>(slot));
  }

  // The bank opened this row.
  void opened(int bank, std::uint32_t row) {
    PerBank& b = banks_[static_cast<std::size_t>(bank)];
    b.hit = find(b.head, row, true);
    b.other = find(b.head, row, false);
  }
  void closed(int bank) {
    PerBank& b = banks_[static_cast<std::size_t>(bank)];
    b.hit = b.other = kNone;
  }

  bool holds(int bank, std::uint32_t row, std::uint32_t column) const {
    for (int s = oldest(bank); s != kNone; s = slots_[static_cast<std::size_t>(s)].next) {
      const QueuedRequest& q = slots_[static_cast<std::size_t>(s)];
      if (q.row == row && q.column == column) return true;
    }
    return false;
  }

  // Kept by the controller, a bit or an entry a bank: banks with a row hit, banks of which a request wants ACT or
  // PRE, and the age of the request that would get the command.
  std::uint32_t hit_banks = 0, row_banks = 0;
  std::array<std::uint64_t, 32> hit_order{}, row_order{};

 private:
  struct PerBank {
    std::int16_t head = kNone, tail = kNone, hit = kNone, other = kNone;
  };
  std::int16_t find(int slot, std::uint32_t row, bool same) const {
    while (slot != kNone && (slots_[static_cast<std::size_t>(slot)].row == row) != same)
      slot = slots_[static_cast<std::size_t>(slot)].next;
    return static_cast<std::int16_t>(slot);
  }

  std::vector<QueuedRequest> slots_;
  std::vector<PerBank> banks_;
  std::vector<std::int16_t> free_;
  std::size_t depth_;
};

}  // namespace winnow::dram
