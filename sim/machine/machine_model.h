#pragma once
// The machine at work: the inventory's parts, cycle by cycle, and what happens between layers. Untimed as a whole:
// tick() runs every block once; run_systemc() gives each block an SC_METHOD instead. Both give the same cycles.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "golden/access.h"
#include "sim/machine/inventory.h"
#include "sim/machine/recorder.h"
#include "sim/machine/time_shares.h"

namespace winnow {

// What the machine counted of one layer.
struct LayerCounts {
  Cycle last_write = 0;
  golden::Accesses accesses;
  std::uint64_t qk_products = 0, pv_products = 0;
};

// Throws Error `policy: key: value: rule` for a policy that golden and the CUDA kernels compute and the machine cannot
// serve. Called by the machine, and before an engine of it is asked to run beside others.
void require_served(const Machine& machine, const golden::Decisions& decisions);

class MachineModel {
 public:
  using MakeSource = Inventory::MakeSource;
  // Called when a layer's last output is written and its importance complete, before the next opens.
  using OnLayer = std::function<void(const LayerPlan&, const std::vector<GroupRecord>&, const LayerCounts&)>;

  MachineModel(const Machine& machine, Workpiece piece, const MakeSource& make_source, OnLayer on_layer);

  // Before the blocks of a cycle: closes a finished layer; false when the run is over. Throws std::logic_error when
  // no read or write was sent for very long.
  bool begin_cycle();
  // How long that is; the default is far above refreshes, drains and the longest row.
  void set_stuck_limit(Cycle cycles) { stuck_limit_ = cycles; }
  Cycle now() const { return now_; }
  // All blocks once, in any order.
  void tick() {
    for (Block* block : blocks_) block->tick(now_);
  }
  // From now on `other` is ticked instead of the block, and does that itself; it must outlive the machine.
  void stand_in(Block& block, Block& other);
  // The blocks to tick.
  const std::vector<Block*>& blocks() const { return blocks_; }
  // The controller is ticked in every cycle, not only when it can do something: slower, and the same in every figure.
  // Before the first cycle.
  void without_short_cuts();

  Inventory& parts() { return parts_; }
  const Inventory& parts() const { return parts_; }
  // Statistics of blocks and memories, each under its own name; utilisation is the busy share of `cycles`.
  void report(StatSink& sink, Cycle cycles) const;
  // Where the time went, of the cycles before this one.
  TimeShares time_shares() const { return time_.shares(); }

  // Every request is added to `streams` (one a channel, which must outlive the run) until `most` bursts are there.
  void record_requests(std::vector<dram::RequestStream>* streams, std::uint64_t most) {
    parts_.hbm2.memory().record(streams);
    record_most_ = most;
  }
  Cycle first_request() const { return first_request_; }
  Cycle last_write() const { return last_write_; }

 private:
  void require_layer_written() const;
  LayerCounts count_layer();

  Inventory parts_;
  int group_;
  Recorder recorder_;
  LazyController lazy_controller_;
  TimeObserver time_;
  std::vector<Block*> blocks_;

  OnLayer on_layer_;
  Cycle now_ = 0, first_request_ = 0, last_write_ = 0, last_moved_ = 0, stuck_limit_ = 4'000'000;
  std::uint64_t writes_seen_ = 0, reads_seen_ = 0;
  std::uint64_t out_bytes_ = 0, written_ = 0;  // of the layers that have ended
  bool requested_ = false;
  std::uint64_t record_most_ = ~std::uint64_t{0};
};

}  // namespace winnow
