#pragma once
// Which commands a channel's banks may take now: the running state of the constraint table.
//
// ready(c, now) is the mask of banks to which no constraint forbids `c` in cycle `now`; next(c, now) a later
// cycle before which that mask cannot grow. State only of timing: open rows are the controller's business.
//
// Times are kept as 32-bit cycles since `base_`, which moves up long before they could overflow.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "models/dram/command_table.h"
#include "models/prim/fifo.h"

namespace winnow::dram {

class Timers {
 public:
  explicit Timers(std::shared_ptr<const CommandTable> table) : table_(std::move(table)) {
    for (const WindowRule& rule : table_->windows) {
      const int nodes[kLevels] = {1, table_->pseudo_channels, table_->groups, table_->banks};
      const auto n = static_cast<std::size_t>(nodes[static_cast<std::size_t>(rule.level)]);
      windows_.push_back(
          {rule, std::vector<std::int32_t>(n * static_cast<std::size_t>(rule.window)), std::vector<std::uint32_t>(n)});
      windowed_ |= 1u << static_cast<unsigned>(rule.preceding);
    }
  }

  std::uint32_t ready(Command c, Cycle now) {
    PerCommand& p = of(c);
    const std::int32_t t = since_base(now);
    if (t >= p.bank_next) release(p, t);
    return table_->banks_of_lanes[free_lanes(p, t)] & ~p.waiting;
  }

  // After ready(c, now).
  Cycle next(Command c, Cycle now) const {
    const PerCommand& p = of(c);
    const std::int32_t t = since_base(now);
    std::int32_t first = p.bank_next;
    for (int l = 0; l < kLanes; ++l) {
      const std::int32_t later = p.lane[l] > t ? p.lane[l] : kNever;
      first = later < first ? later : first;
    }
    return base_ + static_cast<Cycle>(first);
  }

  // First cycle in which every bank of a pseudo-channel may take `c` (PREA, REF).
  Cycle all_ready(Command c, int pseudo) const {
    const PerCommand& p = of(c);
    std::int32_t t = 0;
    for (int l = pseudo << table_->group_bits; l < (pseudo + 1) << table_->group_bits; ++l)
      t = std::max(t, std::int32_t{p.lane[l]});
    for (std::uint32_t m = p.waiting & table_->banks_of(pseudo); m != 0; m &= m - 1)
      t = std::max(t, p.bank[static_cast<std::size_t>(std::countr_zero(m))]);
    return base_ + static_cast<Cycle>(t);
  }

  // Command C was issued in cycle `now`; PREA and REF name any bank of their pseudo-channel.
  template <Command C>
  void issued(int bank, Cycle now) {
    if (now - base_ > kRebase) [[unlikely]]
      rebase();
    const std::int32_t t = since_base(now);
    constexpr auto i = static_cast<std::size_t>(C);
    for (const LaneDelay& d : table_->lanes[i][static_cast<std::size_t>(table_->lane_of(bank))]) {
      LaneCycles& lane = of(d.following).lane;
      const LaneCycles until = d.cycles + t;
      lane = until > lane ? until : lane;
    }
    for (const BankDelay& d : table_->bank[i]) {
      if constexpr (C == Command::precharge_all || C == Command::refresh) {
        for (std::uint32_t m = table_->banks_of(table_->pseudo_of(bank)); m != 0; m &= m - 1)
          delay_to(of(d.following), std::countr_zero(m), t + d.cycles, t);
      } else {
        delay_to(of(d.following), bank, t + d.cycles, t);
      }
    }
    if (windowed_ >> i & 1) count(C, bank, t);
  }

 private:
  static constexpr std::int32_t kNever = INT32_MAX;
  static constexpr Cycle kRebase = Cycle{1} << 30;
  struct PerCommand {
    LaneCycles lane{};
    std::uint32_t waiting = 0;                   // banks held by a constraint of their own
    std::int32_t bank_next = kNever;             // the first of them is released
    std::array<std::int32_t, kMaxBanks> bank{};  // of waiting banks
  };
  struct History {
    WindowRule rule;
    std::vector<std::int32_t> last;    // nodes * window, a ring a node
    std::vector<std::uint32_t> count;  // commands so far, a node
  };

  PerCommand& of(Command c) { return commands_[static_cast<std::size_t>(c)]; }
  const PerCommand& of(Command c) const { return commands_[static_cast<std::size_t>(c)]; }
  std::int32_t since_base(Cycle now) const { return static_cast<std::int32_t>(now - base_); }

  static std::uint32_t free_lanes(const PerCommand& p, std::int32_t t) {
#ifdef __AVX2__
    const LaneCycles held = p.lane > t;
    return ~static_cast<std::uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(held))) & 0xffu;
#else
    std::uint32_t mask = 0;
    for (int l = 0; l < kLanes; ++l) mask |= static_cast<std::uint32_t>(p.lane[l] <= t) << l;
    return mask;
#endif
  }

  static void delay_to(PerCommand& p, int bank, std::int32_t until, std::int32_t now) {
    const std::uint32_t b = std::uint32_t{1} << bank;
    std::int32_t& held = p.bank[static_cast<std::size_t>(bank)];
    if (until <= now || (p.waiting & b && until <= held)) return;
    held = until;
    p.waiting |= b;
    p.bank_next = std::min(p.bank_next, until);
  }

  static void release(PerCommand& p, std::int32_t now) {
    std::int32_t next = kNever;
    for (std::uint32_t m = p.waiting; m != 0; m &= m - 1) {
      const std::int32_t t = p.bank[static_cast<std::size_t>(std::countr_zero(m))];
      if (t <= now)
        p.waiting &= ~(m & -m);
      else
        next = std::min(next, t);
    }
    p.bank_next = next;
  }

  void count(Command c, int bank, std::int32_t now) {
    for (History& h : windows_) {
      if (h.rule.preceding != c) continue;
      const int nodes[kLevels] = {0, table_->pseudo_of(bank), table_->lane_of(bank), bank};
      const auto level = static_cast<std::size_t>(h.rule.level);
      const auto node = static_cast<std::size_t>(nodes[level]), w = static_cast<std::size_t>(h.rule.window);
      std::int32_t* const ring = &h.last[node * w];
      std::uint32_t& n = h.count[node];
      ring[n % w] = now;
      if (++n < w) continue;
      if (n >= 2 * w) n -= static_cast<std::uint32_t>(w);  // the ring's place and its being full is all that counts
      const std::int32_t until = ring[n % w] + h.rule.cycles;
      PerCommand& p = of(h.rule.following);
      if (h.rule.level == Level::bank) {
        delay_to(p, bank, until, now);
        continue;
      }
      const int shift = level == 0 ? 3 : level == 1 ? table_->group_bits : 0;
      for (int l = nodes[level] << shift; l < (nodes[level] + 1) << shift; ++l)
        if (p.lane[l] < until) p.lane[l] = until;
    }
  }

  // Times older than the new base are past whatever they are: they stop at INT32_MIN / 2.
  void rebase() {
    const auto by = static_cast<std::int32_t>(kRebase);
    base_ += kRebase;
    const auto lower = [&](std::int32_t& t) { t = std::max(t, INT32_MIN / 2 + by) - by; };
    for (PerCommand& p : commands_) {
      for (int l = 0; l < kLanes; ++l) p.lane[l] = std::max(std::int32_t{p.lane[l]}, INT32_MIN / 2 + by) - by;
      for (std::int32_t& t : p.bank) lower(t);
      if (p.bank_next != kNever) lower(p.bank_next);
    }
    for (History& h : windows_)
      for (std::int32_t& t : h.last) lower(t);
  }

  std::shared_ptr<const CommandTable> table_;
  std::array<PerCommand, kCommands> commands_;
  std::vector<History> windows_;
  std::uint32_t windowed_ = 0;  // a bit a command that some window counts
  Cycle base_ = 0;
};

}  // namespace winnow::dram
