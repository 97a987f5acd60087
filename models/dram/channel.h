#pragma once
// The controller of one channel (one or two pseudo-channels) and the state of its banks.
//
// In:  accept(): reads and writes of 32 B bursts, up to the preset's `offers` a cycle while queues have room (the
// machine
//      offers 1).
// Out: returns in the order of their RD commands, `read_latency` cycles after it; commands to an optional sink.
// Rate: one column command and one row command a cycle (ACT: every second cycle), shared by the pseudo-channels.
//
// A cycle, in this order:
//   1. a refresh that falls due enters the refresh queue, one entry a pseudo-channel;
//   2. column bus: the oldest ready request among those whose row was opened for them (at most one a bank),
//      else, with no refresh pending, the oldest ready row hit of the queue in use;
//   3. row bus: the refresh queue's head (PREA while rows are open, then REF), else, with none pending, the
//      oldest ready ACT or PRE of the queue in use. An ACT takes its request out of the queue.
// Ready means: no constraint of the table forbids the command now. A row stays open while the request it was
// opened for is unserved, and (row-hit guard) while a hit no younger than the request that wants it closed is
// queued. Writes are served when their queue is fuller than the high watermark or no read is queued, until it
// is below the low one and a read is queued. A read of a queued write is answered at once, a write to a queued
// burst merges with it.
//
// State: queues, per bank the open row, per node of the hierarchy the earliest cycle of each command.
// Waits for: room in the return queue (`may_read`).
// Cost: cycles in which nothing can happen are skipped; wake() says until when.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/dram/address.h"
#include "models/dram/request_queue.h"
#include "models/dram/spec.h"
#include "models/dram/statistics.h"
#include "models/dram/timers.h"
#include "models/prim/fifo.h"

namespace winnow::dram {

// One command on a bus. `bank` is flat; for PREA and REF it is the first bank of the pseudo-channel.
struct IssuedCommand {
  Cycle cycle = 0;
  Command command = Command::activate;
  std::uint8_t pseudo_channel = 0, bank_group = 0, bank = 0;  // bank: inside the group
  std::uint32_t row = 0, column = 0;
};

// Sees every command (tests, traces). Not attached, it costs one branch a command.
struct CommandSink {
  virtual ~CommandSink() = default;
  virtual void command(const IssuedCommand& c) = 0;
};

struct ReturnedRead {
  std::uint64_t address = 0;  // as given to accept()
  std::uint32_t tag = 0;
};

class Channel {
 public:
  // The table may be shared by channels of the same spec; without one the channel makes its own.
  Channel(const Spec& spec, const ControllerPreset& preset, const std::string& mapping, Cycle refresh_phase = 0,
          std::shared_ptr<const CommandTable> table = nullptr);

  // Offers a burst before tick(now); false: its queue is full, offer it again later.
  // `local` is the address inside the channel, `address` comes back with the read.
  bool accept(Cycle now, std::uint64_t local, bool write, std::uint64_t address, std::uint32_t tag);

  // Reads that have returned by cycle `now`: between accept() and tick() of that cycle.
  bool has_return(Cycle now) const { return next_return_ <= now; }
  ReturnedRead pop_return(Cycle now);

  // May be left out while now < wake() and nothing was accepted.
  void tick(Cycle now, bool may_read = true);
  Cycle wake() const { return wake_; }
  Cycle next_return() const { return next_return_; }  // cycle of the oldest read in flight

  bool idle() const { return held() == 0; }
  std::size_t pending_count() const { return static_cast<std::size_t>(pending_tail_ - pending_head_); }
  std::uint64_t writes_done() const { return stats_.writes + stats_.coalesced_writes; }
  std::size_t queued_reads() const { return queues_[0].size(); }
  std::size_t queued_writes() const { return queues_[1].size(); }
  int pseudo_channels() const { return table_->pseudo_channels; }

  Statistics statistics(Cycle now) const;  // cycles before `now`
  void attach(CommandSink* sink) { sink_ = sink; }

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0} >> 1;

  struct Pending {
    Cycle depart = 0, arrive = 0;
    std::uint64_t address = 0;
    std::uint32_t tag = 0;
  };

  std::size_t held() const { return queues_[0].size() + queues_[1].size() + active_count_ + pending_count(); }

  // Each issues at most one command on its bus; if none, lowers `next` to the first cycle in which it could.
  bool issue_active(Cycle now, bool may_read, Cycle& next);
  bool issue_column(Cycle now, bool may_read, Cycle& next);
  bool issue_row(Cycle now, Cycle& next);
  bool issue_refresh(Cycle now, Cycle& next);
  template <Command C>
  void issue(int bank, std::uint32_t row, std::uint32_t column, Cycle now) {
    timers_.issued<C>(bank, now);
    ++command_count(C);
    if (sink_) [[unlikely]]
      show(C, bank, row, column, now);
  }
  void show(Command c, int bank, std::uint32_t row, std::uint32_t column, Cycle now);
  std::uint64_t& command_count(Command c) {
    switch (c) {
      case Command::activate: return stats_.activates;
      case Command::precharge: return stats_.precharges;
      case Command::precharge_all: return stats_.precharge_alls;
      case Command::read: return stats_.reads;
      case Command::write: return stats_.writes;
      case Command::refresh: break;
    }
    return stats_.refreshes;
  }
  void column_command(const QueuedRequest& r, Cycle now);
  void set_mode();
  void open_row(int bank, std::uint32_t row, Cycle now);
  void close_row(int bank);
  void rows_closed(Cycle now);
  void bank_changed(int bank);  // renews what both queues want of it
  void renew(RequestQueue& q, int bank) const;
  void released(Cycle now);
  void push_return(std::uint64_t address, std::uint32_t tag, Cycle arrive, Cycle depart);

  // fixed
  std::shared_ptr<const CommandTable> table_;
  AddressMap map_;
  bool guard_;
  std::size_t high_level_, low_level_;  // write queue above: drain; below: stop
  Cycle read_latency_, refresh_interval_, refresh_cycles_;
  std::uint64_t burst_bytes_;

  // requests
  std::array<RequestQueue, 2> queues_;           // reads, writes
  std::array<QueuedRequest, kMaxBanks> active_;  // in the order of their ACT
  std::size_t active_count_ = 0;
  // Reads in flight, a ring. Each leaves within `read_latency` cycles, and a cycle brings at most one RD and `offers`
  // reads that the write queue answers: `max_pending_` together, and no read is ever refused for want of a place here.
  std::size_t max_pending_;
  std::vector<Pending> pending_;
  std::uint64_t pending_mask_ = 0, pending_head_ = 0, pending_tail_ = 0;
  bool write_mode_ = false;
  int refresh_head_ = 0, refresh_count_ = 0;
  Cycle next_refresh_ = 0, wake_ = 0, next_return_ = kNever;
  std::uint64_t sequence_ = 0;

  // banks, a bit each
  std::uint32_t open_ = 0;
  std::uint32_t active_reads_ = 0, active_writes_ = 0;  // opened for a request that is still unserved
  std::array<std::uint32_t, kMaxBanks> open_row_{};
  Timers timers_;

  // statistics
  Statistics stats_;
  Cycle open_since_ = 0, busy_since_ = 0;
  bool busy_ = false;
  CommandSink* sink_ = nullptr;
};

}  // namespace winnow::dram
