#include "models/hbm2/channel.h"

#include <algorithm>
#include <bit>

#include "golden/error.h"

namespace winnow::hbm2 {
namespace {

constexpr std::uint64_t bit(int bank) { return std::uint64_t{1} << bank; }
constexpr std::size_t at(Level l) { return static_cast<std::size_t>(l); }
constexpr std::size_t at(Command c) { return static_cast<std::size_t>(c); }
int log2_of(int n) { return std::countr_zero(static_cast<unsigned>(n)); }

}  // namespace

Channel::Channel(const Spec& spec, const ControllerPreset& preset, const std::string& mapping, Cycle refresh_phase)
    : table_(spec),
      map_(spec, mapping, preset.pseudo_channels),
      pseudo_channels_(preset.pseudo_channels),
      banks_total_(preset.pseudo_channels * spec.bank_groups * spec.banks),
      bank_bits_(log2_of(spec.banks)),
      group_bits_(log2_of(spec.bank_groups)),
      guard_(preset.row_hit_guard),
      high_limit_(static_cast<std::size_t>(preset.write_queue) * static_cast<unsigned>(preset.high_watermark)),
      low_limit_(static_cast<std::size_t>(preset.write_queue) * static_cast<unsigned>(preset.low_watermark)),
      read_latency_(spec.cycles("CL") + spec.cycles("BL")),
      refresh_interval_(static_cast<Cycle>(spec.cycles("REFI"))),
      refresh_cycles_(spec.cycles("RFC")),
      burst_bytes_(static_cast<std::uint64_t>(spec.burst_bytes)),
      queues_{RequestQueue(static_cast<std::size_t>(preset.read_queue), banks_total_),
              RequestQueue(static_cast<std::size_t>(preset.write_queue), banks_total_)},
      next_refresh_(refresh_interval_ - 1 + refresh_phase) {
  for (const WindowRule& rule : table_.windows) {
    const int nodes[kLevels] = {1, pseudo_channels_, banks_total_ >> bank_bits_, banks_total_};
    const auto n = static_cast<std::size_t>(nodes[at(rule.level)]);
    windows_.push_back({rule, std::vector<Cycle>(n * static_cast<std::size_t>(rule.window)), std::vector<std::uint32_t>(n)});
  }
}

bool Channel::accept(Cycle now, std::uint64_t local, bool write, std::uint64_t address, std::uint32_t tag) {
  const Place p = map_(local);
  RequestQueue& writes = queues_[1];
  const bool queued_write = writes.size() != 0 && writes.holds(p.bank, p.row, p.column);
  QueuedRequest r;
  r.address = address;
  r.arrive = now;
  r.tag = tag;
  r.row = p.row;
  r.column = p.column;
  r.bank = p.bank;
  r.write = write;
  if (queued_write && !write) {
    if (pending_count() >= kMaxForwarded) return false;
    if (!busy_) busy_ = true, busy_since_ = now;
    ++stats_.forwarded_reads;
    push_return(r, now);
    return true;
  }
  if (queued_write) {
    ++stats_.coalesced_writes;
    return true;
  }
  RequestQueue& q = queues_[write ? 1 : 0];
  if (q.full()) return false;
  r.order = sequence_++;
  q.push(r, open_ & bit(r.bank), open_row_[r.bank]);
  bank_changed(r.bank);
  if (!busy_) busy_ = true, busy_since_ = now;
  wake_ = now;
  return true;
}

void Channel::push_return(const QueuedRequest& r, Cycle depart) {
  if (pending_count() == 0) next_return_ = depart;
  pending_[pending_tail_++ & kPendingMask] = {depart, r.arrive, r.address, r.tag};
}

ReturnedRead Channel::pop_return(Cycle now) {
  const Pending& p = pending_[pending_head_++ & kPendingMask];
  next_return_ = pending_count() ? pending_[pending_head_ & kPendingMask].depart : kNever;
  ++stats_.reads_returned;
  stats_.bytes_read += burst_bytes_;
  stats_.read_latency_cycles += now + 1 - p.arrive;
  released(now);
  return {p.address, p.tag};
}

void Channel::released(Cycle now) {
  if (held() != 0) return;
  busy_ = false;
  stats_.busy_cycles += now + 1 - busy_since_;
}

void Channel::tick(Cycle now, bool may_read) {
  if (now == next_refresh_) {
    refresh_count_ += pseudo_channels_;
    next_refresh_ += refresh_interval_;
  }
  Cycle next = kNever;
  bool issued = active_count_ != 0 && issue_active(now, may_read, next);
  if (!issued && refresh_count_ == 0) {
    set_mode();
    issued = issue_column(now, may_read, next);
  }
  if (refresh_count_ != 0) {
    issued |= issue_refresh(now, next);
  } else {
    set_mode();
    issued |= issue_row(now, next);
  }
  wake_ = issued ? now + 1 : std::min(next, next_refresh_);
}

void Channel::set_mode() {
  const std::size_t level = queues_[1].size() * 1000;
  const bool no_reads = queues_[0].size() == 0;
  write_mode_ = write_mode_ ? !(level < low_limit_ && !no_reads) : level > high_limit_ || no_reads;
}

bool Channel::issue_active(Cycle now, bool may_read, Cycle& next) {
  std::size_t best = active_count_;
  for (std::size_t i = 0; i < active_count_; ++i) {
    const QueuedRequest& r = active_[i];
    const auto t = static_cast<Cycle>(earliest(r.write ? Command::write : Command::read, r.bank));
    if (t > now) {
      next = std::min(next, t);
    } else if (!r.write && !may_read) {
      next = now + 1;
      ++stats_.return_wait_cycles;
    } else if (best == active_count_ || r.arrive < active_[best].arrive) {
      best = i;
    }
  }
  if (best == active_count_) return false;
  const QueuedRequest r = active_[best];
  std::copy(active_.begin() + static_cast<std::ptrdiff_t>(best) + 1,
            active_.begin() + static_cast<std::ptrdiff_t>(active_count_), active_.begin() + static_cast<std::ptrdiff_t>(best));
  --active_count_;
  active_banks_ &= ~bit(r.bank);
  issue(r.write ? Command::write : Command::read, r.bank, r.row, r.column, now);
  bank_changed(r.bank);
  serve(r, now);
  return true;
}

bool Channel::issue_column(Cycle now, bool may_read, Cycle& next) {
  RequestQueue& q = queues_[write_mode_ ? 1 : 0];
  const Command c = write_mode_ ? Command::write : Command::read;
  int best = RequestQueue::kNone;
  std::uint64_t best_order = ~std::uint64_t{0};
  for (std::uint64_t m = q.hit_banks; m != 0; m &= m - 1) {
    const int bank = std::countr_zero(m);
    const auto t = static_cast<Cycle>(earliest(c, bank));
    if (t > now) {
      next = std::min(next, t);
      continue;
    }
    const int s = q.oldest_hit(bank);
    if (q[s].order < best_order) best = s, best_order = q[s].order;
  }
  if (best == RequestQueue::kNone) return false;
  if (!write_mode_ && !may_read) {
    next = now + 1;
    ++stats_.return_wait_cycles;
    return false;
  }
  const QueuedRequest r = q[best];
  if (!r.counted) ++stats_.row_hits;
  q.remove(best, true, open_row_[r.bank]);
  issue(c, r.bank, r.row, r.column, now);
  bank_changed(r.bank);
  serve(r, now);
  return true;
}

bool Channel::issue_row(Cycle now, Cycle& next) {
  RequestQueue& q = queues_[write_mode_ ? 1 : 0];
  int best = RequestQueue::kNone;
  std::uint64_t best_order = ~std::uint64_t{0};
  for (std::uint64_t m = q.row_banks; m != 0; m &= m - 1) {
    const int bank = std::countr_zero(m);
    const bool open = open_ & bit(bank);
    const auto t = static_cast<Cycle>(earliest(open ? Command::precharge : Command::activate, bank));
    if (t > now) {
      next = std::min(next, t);
      continue;
    }
    const int s = open ? q.oldest_other(bank) : q.oldest(bank);
    if (q[s].order < best_order) best = s, best_order = q[s].order;
  }
  if (best == RequestQueue::kNone) return false;
  QueuedRequest& r = q[best];
  const int bank = r.bank;
  if (open_ & bit(bank)) {
    if (!r.counted) ++stats_.row_conflicts;
    r.counted = true;
    issue(Command::precharge, bank, open_row_[static_cast<std::size_t>(bank)], 0, now);
    close_row(bank);
    rows_closed(now);
    bank_changed(bank);
    return true;
  }
  if (!r.counted) ++stats_.row_misses;
  r.counted = true;
  active_[active_count_++] = r;
  active_banks_ |= bit(bank);
  const std::uint32_t row = r.row;
  q.remove(best, false, 0);
  issue(Command::activate, bank, row, 0, now);
  open_row(bank, row, now);
  bank_changed(bank);
  return true;
}

bool Channel::issue_refresh(Cycle now, Cycle& next) {
  const int per_pseudo = bank_bits_ + group_bits_;
  const std::uint64_t mine = (bit(1 << per_pseudo) - 1) << (refresh_head_ << per_pseudo);
  const int first = refresh_head_ << per_pseudo;
  const bool open = open_ & mine;
  const Command c = open ? Command::precharge_all : Command::refresh;
  const auto t = static_cast<Cycle>(earliest_all(c, refresh_head_));
  if (t > now) {
    next = std::min(next, t);
    return false;
  }
  if (open) {
    if (active_banks_ & mine) return false;  // their service wakes us
    issue(c, first, 0, 0, now);
    for (std::uint64_t m = open_ & mine; m != 0; m &= m - 1) {
      const int bank = std::countr_zero(m);
      close_row(bank);
      bank_changed(bank);
    }
    rows_closed(now);
    return true;
  }
  issue(c, first, 0, 0, now);
  stats_.refresh_cycles += static_cast<std::uint64_t>(refresh_cycles_);
  refresh_head_ = (refresh_head_ + 1) % pseudo_channels_;
  --refresh_count_;
  return true;
}

void Channel::issue(Command c, int bank, std::uint32_t row, std::uint32_t column, Cycle now) {
  const auto t = static_cast<std::int64_t>(now);
  const std::size_t i = at(c);
  const int pseudo = pseudo_of(bank), group = group_of(bank);
  const bool all = c == Command::precharge_all || c == Command::refresh;
  if (table_.preceded[at(Level::channel)][i]) channel_node_.delay(table_.delay[at(Level::channel)][i].at, t);
  if (table_.preceded[at(Level::pseudo_channel)][i])
    pseudo_nodes_[static_cast<std::size_t>(pseudo)].delay(table_.delay[at(Level::pseudo_channel)][i].at, t);
  if (table_.preceded[at(Level::bank_group)][i])
    for (int g = group; g < (all ? group + (1 << group_bits_) : group + 1); ++g)
      group_nodes_[static_cast<std::size_t>(g)].delay(table_.delay[at(Level::bank_group)][i].at, t);
  if (table_.preceded[at(Level::bank)][i])
    for (int b = bank; b < (all ? bank + (1 << (bank_bits_ + group_bits_)) : bank + 1); ++b)
      bank_nodes_[static_cast<std::size_t>(b)].delay(table_.delay[at(Level::bank)][i].at, t);
  if (!windows_.empty()) count_window(c, bank, now);
  switch (c) {
    case Command::activate: ++stats_.activates; break;
    case Command::precharge: ++stats_.precharges; break;
    case Command::precharge_all: ++stats_.precharge_alls; break;
    case Command::read: ++stats_.reads; break;
    case Command::write: ++stats_.writes; break;
    case Command::refresh: ++stats_.refreshes; break;
  }
  if (sink_) [[unlikely]] {
    const int in_group = bank & ((1 << bank_bits_) - 1);
    sink_->command({now, c, static_cast<std::uint8_t>(pseudo), static_cast<std::uint8_t>(group & ((1 << group_bits_) - 1)),
                    static_cast<std::uint8_t>(in_group), row, column});
  }
}

void Channel::count_window(Command c, int bank, Cycle now) {
  for (History& h : windows_) {
    if (h.rule.preceding != c) continue;
    const int nodes[kLevels] = {0, pseudo_of(bank), group_of(bank), bank};
    const auto node = static_cast<std::size_t>(nodes[at(h.rule.level)]), w = static_cast<std::size_t>(h.rule.window);
    std::uint32_t& count = h.count[node];
    h.last[node * w + count % w] = now;
    if (++count < w) continue;
    Earliest* const levels[kLevels] = {&channel_node_, &pseudo_nodes_[0], &group_nodes_[0], &bank_nodes_[0]};
    std::int64_t& e = levels[at(h.rule.level)][node].at[at(h.rule.following)];
    e = std::max(e, static_cast<std::int64_t>(h.last[node * w + count % w]) + h.rule.cycles);
  }
}

std::int64_t Channel::earliest_all(Command c, int pseudo) const {
  std::int64_t t = std::max(channel_node_[c], pseudo_nodes_[static_cast<std::size_t>(pseudo)][c]);
  if (table_.followed[at(Level::bank_group)][at(c)])
    for (int g = 0; g < 1 << group_bits_; ++g)
      t = std::max(t, group_nodes_[static_cast<std::size_t>((pseudo << group_bits_) + g)][c]);
  if (table_.followed[at(Level::bank)][at(c)])
    for (int b = 0; b < 1 << (bank_bits_ + group_bits_); ++b)
      t = std::max(t, bank_nodes_[static_cast<std::size_t>((pseudo << (bank_bits_ + group_bits_)) + b)][c]);
  return t;
}

void Channel::serve(const QueuedRequest& r, Cycle now) {
  if (r.write) {
    stats_.bytes_written += burst_bytes_;
    released(now);
  } else {
    push_return(r, now + static_cast<Cycle>(read_latency_));
  }
}

void Channel::open_row(int bank, std::uint32_t row, Cycle now) {
  if (open_ == 0) open_since_ = now;
  open_ |= bit(bank);
  open_row_[static_cast<std::size_t>(bank)] = row;
  for (RequestQueue& q : queues_) q.opened(bank, row);
}

void Channel::close_row(int bank) {
  open_ &= ~bit(bank);
  for (RequestQueue& q : queues_) q.closed(bank);
}

void Channel::rows_closed(Cycle now) {
  if (open_ == 0) stats_.row_open_cycles += now - open_since_;
}

void Channel::bank_changed(int bank) {
  const std::uint64_t b = bit(bank);
  const bool open = open_ & b, held_open = active_banks_ & b;
  for (RequestQueue& q : queues_) {
    bool hit = false, row = false;
    if (open) {
      const int h = q.oldest_hit(bank), o = q.oldest_other(bank);
      hit = h != RequestQueue::kNone;
      row = o != RequestQueue::kNone && !held_open && !(guard_ && hit && q[h].arrive <= q[o].arrive);
    } else {
      row = q.oldest(bank) != RequestQueue::kNone;
    }
    q.hit_banks = hit ? q.hit_banks | b : q.hit_banks & ~b;
    q.row_banks = row ? q.row_banks | b : q.row_banks & ~b;
  }
}

Statistics Channel::statistics(Cycle now) const {
  Statistics s = stats_;
  s.cycles = now;
  if (busy_) s.busy_cycles += now - busy_since_;
  if (open_ != 0) s.row_open_cycles += now - open_since_;
  return s;
}

}  // namespace winnow::hbm2
