#pragma once
// The controller's contract (models/dram/channel.h) written the plain way: lists in order of arrival, every request's
// command derived anew each cycle, every line of the constraint table held against the history of commands. Slow and
// short; the fast controller must issue the same commands in the same cycles.
#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "models/dram/channel.h"

namespace winnow::dram::test {

class NaiveChannel {
 public:
  NaiveChannel(const Spec& spec, const ControllerPreset& preset, const std::string& mapping)
      : spec_(spec),
        preset_(preset),
        map_(spec, mapping, preset.pseudo_channels),
        next_refresh_(spec.cycles("REFI") - 1) {
    for (const Constraint& k : spec.constraints)
      for (const Command p : k.preceding)
        for (const Command f : k.following)
          rules_.push_back({k.level, p, f, k.window,
                            spec.evaluate(k.latency) + spec.bus_cycles[static_cast<std::size_t>(p)] -
                                spec.bus_cycles[static_cast<std::size_t>(f)]});
  }

  bool accept(Cycle now, std::uint64_t local, bool write) {
    const Place p = map_(local);
    Request r{local,
              write,
              now,
              p.bank / (spec_.bank_groups * spec_.banks),
              p.bank / spec_.banks % spec_.bank_groups,
              p.bank % spec_.banks,
              p.row,
              p.column,
              false};
    const bool queued = std::any_of(writes_.begin(), writes_.end(), [&](const Request& w) { return w.local == local; });
    if (queued && !write) {
      returns_.push_back(now);
      return true;
    }
    if (queued) {
      ++writes_done;
      return true;
    }
    auto& q = write ? writes_ : reads_;
    if (q.size() >= static_cast<std::size_t>(write ? preset_.write_queue : preset_.read_queue)) return false;
    q.push_back(r);
    return true;
  }

  void tick(Cycle now) {
    for (; !returns_.empty() && returns_.front() <= now; returns_.pop_front()) ++reads_returned;
    if (static_cast<int>(now) == next_refresh_) {
      for (int p = 0; p < preset_.pseudo_channels; ++p) refreshes_.push_back(p);
      next_refresh_ += spec_.cycles("REFI");
    }
    for (const bool row_bus : {false, true}) {
      if (!row_bus && serve(active_, row_bus, now)) continue;
      if (!refreshes_.empty()) {
        if (row_bus) refresh(now);
        continue;
      }
      if (!write_mode_) {
        write_mode_ = writes_.size() * 1000 > static_cast<std::size_t>(preset_.high_watermark * preset_.write_queue) ||
                      reads_.empty();
      } else {
        write_mode_ = !(writes_.size() * 1000 < static_cast<std::size_t>(preset_.low_watermark * preset_.write_queue) &&
                        !reads_.empty());
      }
      serve(write_mode_ ? writes_ : reads_, row_bus, now);
    }
  }

  std::vector<IssuedCommand> commands;
  std::uint64_t reads_returned = 0, writes_done = 0;

 private:
  struct Request {
    std::uint64_t local;
    bool write;
    Cycle arrive;
    int pseudo, group, bank;
    std::uint32_t row, column;
    bool active;
  };
  struct Rule {
    Level level;
    Command preceding, following;
    int window, wait;  // from first cycle to first cycle
  };
  using BankKey = std::tuple<int, int, int>;
  static BankKey key(const Request& r) { return {r.pseudo, r.group, r.bank}; }

  Command command_of(const Request& r) const {
    const auto open = open_.find(key(r));
    if (open == open_.end()) return Command::activate;
    if (open->second != r.row) return Command::precharge;
    return r.write ? Command::write : Command::read;
  }

  bool legal(Command c, int pseudo, int group, int bank, Cycle now) const {
    const auto f = static_cast<std::size_t>(c);
    const bool all = c == Command::precharge_all || c == Command::refresh;
    std::vector<int> seen(rules_.size());  // how many matching commands, newest first
    for (auto h = commands.rbegin(); h != commands.rend() && h->cycle + 400 > now; ++h) {
      const auto p = static_cast<std::size_t>(h->command);
      if (spec_.on_row_bus[p] == spec_.on_row_bus[f] && now < h->cycle + static_cast<Cycle>(spec_.bus_cycles[p]))
        return false;
      const bool wide = all || h->command == Command::precharge_all || h->command == Command::refresh;
      for (std::size_t i = 0; i < rules_.size(); ++i) {
        const Rule& k = rules_[i];
        if (k.preceding != h->command || k.following != c) continue;
        if (k.level >= Level::pseudo_channel && h->pseudo_channel != pseudo) continue;
        if (k.level >= Level::bank_group && !wide && h->bank_group != group) continue;
        if (k.level >= Level::bank && !wide && h->bank != bank) continue;
        if (++seen[i] == k.window && static_cast<std::int64_t>(now) < static_cast<std::int64_t>(h->cycle) + k.wait)
          return false;
      }
    }
    return true;
  }

  void issue(Command c, int pseudo, int group, int bank, std::uint32_t row, std::uint32_t column, Cycle now) {
    commands.push_back({now, c, static_cast<std::uint8_t>(pseudo), static_cast<std::uint8_t>(group),
                        static_cast<std::uint8_t>(bank), row, column});
  }

  bool held_open(int pseudo, std::optional<BankKey> bank) const {
    return std::any_of(active_.begin(), active_.end(),
                       [&](const Request& a) { return bank ? key(a) == *bank : a.pseudo == pseudo; });
  }

  bool serve(std::list<Request>& q, bool row_bus, Cycle now) {
    std::map<BankKey, Cycle> hit;  // oldest row hit of each bank
    for (const Request& r : q)
      if (const auto open = open_.find(key(r)); open != open_.end() && open->second == r.row) {
        Cycle& oldest = hit.try_emplace(key(r), r.arrive).first->second;
        oldest = std::min(oldest, r.arrive);
      }
    auto best = q.end();
    for (auto r = q.begin(); r != q.end(); ++r) {
      const Command c = command_of(*r);
      if (spec_.on_row_bus[static_cast<std::size_t>(c)] != row_bus) continue;
      if (c == Command::precharge) {
        if (held_open(r->pseudo, key(*r))) continue;
        if (preset_.row_hit_guard && hit.count(key(*r)) && hit[key(*r)] <= r->arrive) continue;
      }
      if (!legal(c, r->pseudo, r->group, r->bank, now)) continue;
      if (best == q.end() || r->arrive < best->arrive) best = r;
    }
    if (best == q.end()) return false;
    const Command c = command_of(*best);
    const std::uint32_t row = c == Command::precharge ? open_.at(key(*best)) : best->row;
    const bool column = c == Command::read || c == Command::write;
    issue(c, best->pseudo, best->group, best->bank, row, column ? best->column : 0, now);
    if (c == Command::precharge) {
      open_.erase(key(*best));
    } else if (c == Command::activate) {
      open_[key(*best)] = best->row;
      active_.push_back(*best);
      q.erase(best);
    } else {
      if (best->write)
        ++writes_done;
      else
        returns_.push_back(now + static_cast<Cycle>(spec_.cycles("CL") + spec_.cycles("BL")));
      q.erase(best);
    }
    return true;
  }

  void refresh(Cycle now) {
    const int p = refreshes_.front();
    std::vector<BankKey> open;
    for (const auto& [bank, row] : open_)
      if (std::get<0>(bank) == p) open.push_back(bank);
    if (!open.empty()) {
      if (!legal(Command::precharge_all, p, 0, 0, now) || held_open(p, std::nullopt)) return;
      issue(Command::precharge_all, p, 0, 0, 0, 0, now);
      for (const BankKey& b : open) open_.erase(b);
    } else if (legal(Command::refresh, p, 0, 0, now)) {
      issue(Command::refresh, p, 0, 0, 0, 0, now);
      refreshes_.pop_front();
    }
  }

  const Spec& spec_;
  ControllerPreset preset_;
  AddressMap map_;
  std::vector<Rule> rules_;
  int next_refresh_;
  bool write_mode_ = false;
  std::list<Request> reads_, writes_, active_;
  std::deque<int> refreshes_;
  std::deque<Cycle> returns_;
  std::map<BankKey, std::uint32_t> open_;
};

}  // namespace winnow::dram::test
