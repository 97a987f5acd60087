#pragma once
// Which commands a channel's banks may take now: the running state of the constraint table.
//
// ready(c, now) is the mask of banks to which no constraint forbids `c` in cycle `now`; next(c) then is a
// cycle before which that mask cannot grow. State only of timing: open rows are the controller's business.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/hbm2/command_table.h"
#include "models/prim/fifo.h"

namespace winnow::hbm2 {

class Timers {
 public:
  explicit Timers(std::shared_ptr<const CommandTable> table) : table_(std::move(table)) {
    for (const WindowRule& rule : table_->windows) {
      const int nodes[kLevels] = {1, table_->pseudo_channels, table_->groups, table_->banks};
      const auto n = static_cast<std::size_t>(nodes[static_cast<std::size_t>(rule.level)]);
      windows_.push_back({rule, std::vector<std::int64_t>(n * static_cast<std::size_t>(rule.window)),
                          std::vector<std::uint32_t>(n)});
      windowed_ |= 1u << static_cast<unsigned>(rule.preceding);
    }
  }

  std::uint32_t ready(Command c, Cycle now) {
    PerCommand& p = commands_[static_cast<std::size_t>(c)];
    if (static_cast<std::int64_t>(now) >= p.next) renew(p, static_cast<std::int64_t>(now));
    return p.ready;
  }
  Cycle next(Command c) const { return static_cast<Cycle>(commands_[static_cast<std::size_t>(c)].next); }

  // First cycle in which every bank of a pseudo-channel may take `c` (PREA, REF).
  Cycle all_ready(Command c, int pseudo) const {
    const PerCommand& p = commands_[static_cast<std::size_t>(c)];
    std::int64_t t = 0;
    for (int l = pseudo << table_->group_bits; l < (pseudo + 1) << table_->group_bits; ++l) t = std::max(t, p.lane[l]);
    for (std::uint32_t m = p.waiting & table_->banks_of(pseudo); m != 0; m &= m - 1)
      t = std::max(t, p.bank[static_cast<std::size_t>(std::countr_zero(m))]);
    return static_cast<Cycle>(t);
  }

  // Command c was issued in cycle `now`; PREA and REF name any bank of their pseudo-channel.
  void issued(Command c, int bank, Cycle now) {
    const auto t = static_cast<std::int64_t>(now);
    const auto i = static_cast<std::size_t>(c);
    for (const LaneDelay& d : table_->lanes[i][static_cast<std::size_t>(table_->lane_of(bank))]) {
      PerCommand& p = commands_[static_cast<std::size_t>(d.following)];
      for (std::size_t l = 0; l < kLanes; ++l) p.lane[l] = p.lane[l] < t + d.cycles[l] ? t + d.cycles[l] : p.lane[l];
      p.next = t;
    }
    const bool all = c == Command::precharge_all || c == Command::refresh;
    for (const BankDelay& d : table_->bank[i]) {
      if (!all) {
        delay_bank(d, bank, t);
      } else {
        const int pseudo = table_->pseudo_of(bank);
        for (std::uint32_t m = table_->banks_of(pseudo); m != 0; m &= m - 1) delay_bank(d, std::countr_zero(m), t);
      }
    }
    if (windowed_ >> i & 1) [[unlikely]] count(c, bank, t);
  }

 private:
  static constexpr std::int64_t kNever = INT64_MAX / 2;
  struct PerCommand {
    alignas(32) std::array<std::int64_t, kLanes> lane{};
    std::int64_t next = 0;                             // ready stays as it is before this cycle
    std::uint32_t ready = 0, waiting = 0;              // waiting: banks held by a constraint of their own
    std::array<std::int64_t, kMaxBanks> bank{};        // of waiting banks
  };
  struct History {
    WindowRule rule;
    std::vector<std::int64_t> last;    // nodes * window, a ring a node
    std::vector<std::uint32_t> count;  // commands so far, a node
  };

  void delay_bank(const BankDelay& d, int bank, std::int64_t now) {
    PerCommand& p = commands_[static_cast<std::size_t>(d.following)];
    const std::uint32_t b = std::uint32_t{1} << bank;
    const std::int64_t t = now + d.cycles, old = p.waiting & b ? p.bank[static_cast<std::size_t>(bank)] : 0;
    if (t <= now || t <= old) return;
    p.bank[static_cast<std::size_t>(bank)] = t;
    p.waiting |= b;
    p.ready &= ~b;
    p.next = std::min(p.next, t);
  }

  void renew(PerCommand& p, std::int64_t now) const {
    std::int64_t next = kNever;
    std::uint32_t lanes = 0;
    for (std::size_t l = 0; l < kLanes; ++l) {
      const bool held = p.lane[l] > now;
      lanes |= static_cast<std::uint32_t>(!held) << l;
      const std::int64_t t = held ? p.lane[l] : kNever;
      next = next < t ? next : t;
    }
    for (std::uint32_t m = p.waiting; m != 0; m &= m - 1) {
      const std::int64_t t = p.bank[static_cast<std::size_t>(std::countr_zero(m))];
      if (t <= now) p.waiting &= ~(m & -m);
      else next = std::min(next, t);
    }
    p.ready = table_->banks_of_lanes[lanes] & ~p.waiting;
    p.next = next;
  }

  void count(Command c, int bank, std::int64_t now) {
    for (History& h : windows_) {
      if (h.rule.preceding != c) continue;
      const int nodes[kLevels] = {0, table_->pseudo_of(bank), table_->lane_of(bank), bank};
      const auto level = static_cast<std::size_t>(h.rule.level);
      const auto node = static_cast<std::size_t>(nodes[level]), w = static_cast<std::size_t>(h.rule.window);
      h.last[node * w + h.count[node] % w] = now;
      if (++h.count[node] < w) continue;
      const std::int64_t cycles = h.last[node * w + h.count[node] % w] + h.rule.cycles - now;
      if (cycles <= 0) continue;
      if (h.rule.level == Level::bank) {
        delay_bank({h.rule.following, cycles}, bank, now);
        continue;
      }
      PerCommand& p = commands_[static_cast<std::size_t>(h.rule.following)];
      const int shift = level == 0 ? 3 : level == 1 ? table_->group_bits : 0;
      for (int l = nodes[level] << shift; l < (nodes[level] + 1) << shift; ++l)
        p.lane[static_cast<std::size_t>(l)] = std::max(p.lane[static_cast<std::size_t>(l)], now + cycles);
      p.next = now;
    }
  }

  std::shared_ptr<const CommandTable> table_;
  std::array<PerCommand, kCommands> commands_;
  std::vector<History> windows_;
  std::uint32_t windowed_ = 0;  // a bit a command that some window counts
};

}  // namespace winnow::hbm2
