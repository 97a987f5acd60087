#include "models/dram/channel.h"

#include <algorithm>
#include <bit>

namespace winnow::dram {
namespace {

constexpr std::uint32_t bit(int bank) { return std::uint32_t{1} << bank; }

// Oldest of the banks in a mask that is not empty.
int oldest_bank(std::uint32_t banks, const std::array<std::uint64_t, kMaxBanks>& order) {
  int best = std::countr_zero(banks);
  for (banks &= banks - 1; banks != 0; banks &= banks - 1) {
    const int b = std::countr_zero(banks);
    if (order[static_cast<std::size_t>(b)] < order[static_cast<std::size_t>(best)]) best = b;
  }
  return best;
}

}  // namespace

Channel::Channel(const Spec& spec, const ControllerPreset& preset, const std::string& mapping, Cycle refresh_phase,
                 std::shared_ptr<const CommandTable> table)
    : table_(table ? std::move(table) : std::make_shared<const CommandTable>(spec, preset.pseudo_channels)),
      map_(spec, mapping, preset.pseudo_channels),
      guard_(preset.row_hit_guard),
      high_level_(static_cast<std::size_t>(preset.write_queue * preset.high_watermark / 1000)),
      low_level_(static_cast<std::size_t>((preset.write_queue * preset.low_watermark + 999) / 1000)),
      read_latency_(static_cast<Cycle>(spec.evaluate(spec.read_latency))),
      refresh_interval_(static_cast<Cycle>(spec.evaluate(spec.refresh_interval))),
      refresh_cycles_(static_cast<Cycle>(spec.evaluate(spec.refresh_cycles))),
      burst_bytes_(static_cast<std::uint64_t>(spec.burst_bytes)),
      queues_{RequestQueue(static_cast<std::size_t>(preset.read_queue), table_->banks),
              RequestQueue(static_cast<std::size_t>(preset.write_queue), table_->banks)},
      max_pending_((read_latency_ + 1) * static_cast<std::size_t>(preset.offers + 1)),
      pending_(std::bit_ceil(max_pending_ + read_latency_ + 1)),
      pending_mask_(pending_.size() - 1),
      next_refresh_(refresh_interval_ - 1 + refresh_phase),
      timers_(table_) {}

bool Channel::accept(Cycle now, std::uint64_t local, bool write, std::uint64_t address, std::uint32_t tag) {
  RequestQueue& writes = queues_[1];
  RequestQueue& q = queues_[write ? 1 : 0];
  if (q.full() && writes.size() == 0) return false;
  const Place p = map_(local);
  if (writes.size() != 0 && writes.holds(p.bank, p.row, p.column)) {
    if (write) {
      ++stats_.coalesced_writes;
      return true;
    }
    if (pending_count() >= max_pending_) return false;  // more than `offers` a cycle
    ++stats_.forwarded_reads;
    push_return(address, tag, now, now);
  } else {
    if (q.full()) return false;
    QueuedRequest& r = q.push(p.bank, p.row, open_ & bit(p.bank), open_row_[p.bank]);
    r.address = address;
    r.order = sequence_++;
    r.arrive = now;
    r.tag = tag;
    r.row = p.row;
    r.column = p.column;
    r.bank = p.bank;
    r.write = write;
    r.counted = false;
    renew(q, p.bank);
    wake_ = now;
  }
  if (!busy_) busy_ = true, busy_since_ = now;
  return true;
}

void Channel::push_return(std::uint64_t address, std::uint32_t tag, Cycle arrive, Cycle depart) {
  if (pending_count() == 0) next_return_ = depart;
  pending_[pending_tail_++ & pending_mask_] = {depart, arrive, address, tag};
}

ReturnedRead Channel::pop_return(Cycle now) {
  const Pending& p = pending_[pending_head_++ & pending_mask_];
  next_return_ = pending_count() ? pending_[pending_head_ & pending_mask_].depart : kNever;
  ++stats_.reads_returned;
  stats_.read_latency_cycles += now + 1 - p.arrive;
  released(now);
  return {p.address, p.tag};
}

void Channel::released(Cycle now) {
  if (pending_count() != 0 || held() != 0) return;
  busy_ = false;
  stats_.busy_cycles += now + 1 - busy_since_;
}

void Channel::tick(Cycle now, bool may_read) {
  if (now == next_refresh_) {
    refresh_count_ += table_->pseudo_channels;
    next_refresh_ += refresh_interval_;
  }
  Cycle next = kNever;
  bool issued = active_count_ != 0 && issue_active(now, may_read, next);
  if (refresh_count_ == 0) [[likely]] {
    if (!issued) {
      set_mode();
      issued = issue_column(now, may_read, next);
    }
    set_mode();
    issued |= issue_row(now, next);
  } else {
    issued |= issue_refresh(now, next);
  }
  wake_ = issued ? now + 1 : std::min(next, next_refresh_);
}

void Channel::set_mode() {
  const std::size_t level = queues_[1].size();
  const bool no_reads = queues_[0].size() == 0;
  write_mode_ = write_mode_ ? level >= low_level_ || no_reads : level > high_level_ || no_reads;
}

bool Channel::issue_active(Cycle now, bool may_read, Cycle& next) {
  const std::uint32_t reads = active_reads_ ? timers_.ready(Command::read, now) & active_reads_ : 0;
  const std::uint32_t writes = active_writes_ ? timers_.ready(Command::write, now) & active_writes_ : 0;
  const std::uint32_t banks = (may_read ? reads : 0) | writes;
  if (banks == 0) {
    if (reads != 0) next = now + 1;
    if (active_reads_) next = std::min(next, timers_.next(Command::read, now));
    if (active_writes_) next = std::min(next, timers_.next(Command::write, now));
    return false;
  }
  std::size_t best = active_count_;
  for (std::size_t i = 0; i < active_count_; ++i)
    if (banks & bit(active_[i].bank) && (best == active_count_ || active_[i].arrive < active_[best].arrive)) best = i;
  const QueuedRequest r = active_[best];
  --active_count_;
  for (std::size_t i = best; i < active_count_; ++i) active_[i] = active_[i + 1];
  active_reads_ &= ~bit(r.bank);
  active_writes_ &= ~bit(r.bank);
  column_command(r, now);
  bank_changed(r.bank);
  if (r.write) released(now);
  return true;
}

bool Channel::issue_column(Cycle now, bool may_read, Cycle& next) {
  RequestQueue& q = queues_[write_mode_ ? 1 : 0];
  if (q.hit_banks == 0) return false;
  const Command c = write_mode_ ? Command::write : Command::read;
  const std::uint32_t banks = timers_.ready(c, now) & q.hit_banks;
  if (banks == 0) {
    next = std::min(next, timers_.next(c, now));
    return false;
  }
  if (!write_mode_ && !may_read) {
    next = now + 1;
    ++stats_.return_wait_cycles;
    return false;
  }
  const int bank = oldest_bank(banks, q.hit_order);
  const int slot = q.oldest_hit(bank);
  const QueuedRequest& r = q[slot];
  if (!r.counted) ++stats_.row_hits;
  column_command(r, now);
  q.remove(slot, true, open_row_[static_cast<std::size_t>(bank)]);
  renew(q, bank);
  if (write_mode_) released(now);
  return true;
}

bool Channel::issue_row(Cycle now, Cycle& next) {
  RequestQueue& q = queues_[write_mode_ ? 1 : 0];
  const std::uint32_t closed = q.row_banks & ~open_, open = q.row_banks & open_;
  if ((closed | open) == 0) return false;
  const std::uint32_t banks = (closed ? timers_.ready(Command::activate, now) & closed : 0) |
                              (open ? timers_.ready(Command::precharge, now) & open : 0);
  if (banks == 0) {
    if (closed) next = std::min(next, timers_.next(Command::activate, now));
    if (open) next = std::min(next, timers_.next(Command::precharge, now));
    return false;
  }
  const int bank = oldest_bank(banks, q.row_order);
  if (open_ & bit(bank)) {
    QueuedRequest& r = q[q.oldest_other(bank)];
    if (!r.counted) ++stats_.row_conflicts;
    r.counted = true;
    issue<Command::precharge>(bank, open_row_[static_cast<std::size_t>(bank)], 0, now);
    close_row(bank);
    rows_closed(now);
    return true;
  }
  const int slot = q.oldest(bank);
  QueuedRequest& r = q[slot];
  if (!r.counted) ++stats_.row_misses;
  r.counted = true;
  active_[active_count_++] = r;
  (r.write ? active_writes_ : active_reads_) |= bit(bank);
  q.remove(slot, false, 0);
  issue<Command::activate>(bank, r.row, 0, now);
  open_row(bank, r.row, now);
  return true;
}

bool Channel::issue_refresh(Cycle now, Cycle& next) {
  const std::uint32_t mine = table_->banks_of(refresh_head_), open = open_ & mine;
  const Command c = open ? Command::precharge_all : Command::refresh;
  const Cycle t = timers_.all_ready(c, refresh_head_);
  if (t > now) {
    next = std::min(next, t);
    return false;
  }
  if (open != 0) {
    if ((active_reads_ | active_writes_) & mine) return false;  // served first; that wakes us
    issue<Command::precharge_all>(table_->first_bank(refresh_head_), 0, 0, now);
    for (std::uint32_t m = open; m != 0; m &= m - 1) close_row(std::countr_zero(m));
    rows_closed(now);
    return true;
  }
  issue<Command::refresh>(table_->first_bank(refresh_head_), 0, 0, now);
  stats_.refresh_cycles += refresh_cycles_;
  refresh_head_ = (refresh_head_ + 1) % table_->pseudo_channels;
  --refresh_count_;
  return true;
}

void Channel::column_command(const QueuedRequest& r, Cycle now) {
  if (r.write) {
    issue<Command::write>(r.bank, r.row, r.column, now);
  } else {
    issue<Command::read>(r.bank, r.row, r.column, now);
    push_return(r.address, r.tag, r.arrive, now + read_latency_);
  }
}

void Channel::show(Command c, int bank, std::uint32_t row, std::uint32_t column, Cycle now) {
  const int group = table_->lane_of(bank) & ((1 << table_->group_bits) - 1),
            in_group = bank & ((1 << table_->bank_bits) - 1);
  sink_->command({now, c, static_cast<std::uint8_t>(table_->pseudo_of(bank)), static_cast<std::uint8_t>(group),
                  static_cast<std::uint8_t>(in_group), row, column});
}

void Channel::open_row(int bank, std::uint32_t row, Cycle now) {
  if (open_ == 0) open_since_ = now;
  open_ |= bit(bank);
  open_row_[static_cast<std::size_t>(bank)] = row;
  for (RequestQueue& q : queues_) q.opened(bank, row);
  bank_changed(bank);
}

void Channel::close_row(int bank) {
  open_ &= ~bit(bank);
  for (RequestQueue& q : queues_) q.closed(bank);
  bank_changed(bank);
}

void Channel::rows_closed(Cycle now) {
  if (open_ == 0) stats_.row_open_cycles += now - open_since_;
}

void Channel::bank_changed(int bank) {
  for (RequestQueue& q : queues_) renew(q, bank);
}

void Channel::renew(RequestQueue& q, int bank) const {
  const std::uint32_t b = bit(bank);
  const auto i = static_cast<std::size_t>(bank);
  q.hit_banks &= ~b;
  q.row_banks &= ~b;
  if (!(open_ & b)) {
    const int s = q.oldest(bank);
    if (s == RequestQueue::kNone) return;
    q.row_banks |= b;
    q.row_order[i] = q[s].order;
    return;
  }
  const int hit = q.oldest_hit(bank), other = q.oldest_other(bank);
  if (hit != RequestQueue::kNone) {
    q.hit_banks |= b;
    q.hit_order[i] = q[hit].order;
  }
  if (other == RequestQueue::kNone || (active_reads_ | active_writes_) & b) return;
  if (guard_ && hit != RequestQueue::kNone && q[hit].arrive <= q[other].arrive) return;
  q.row_banks |= b;
  q.row_order[i] = q[other].order;
}

Statistics Channel::statistics(Cycle now) const {
  Statistics s = stats_;
  s.cycles = now;
  s.bytes_read = s.reads_returned * burst_bytes_;
  s.bytes_written = (s.writes + s.coalesced_writes) * burst_bytes_;
  if (busy_) s.busy_cycles += now - busy_since_;
  if (open_ != 0) s.row_open_cycles += now - open_since_;
  return s;
}

}  // namespace winnow::dram
