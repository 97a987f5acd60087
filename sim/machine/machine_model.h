#pragma once
// The machine: all blocks and the links between them, sized by one machine description. Untimed as a whole: tick() runs
// every block once; SystemcMachine gives each block an SC_METHOD instead. Both give the same cycles.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "golden/access.h"
#include "models/controller/controller.h"
#include "models/converter/converter.h"
#include "models/fetcher/fetcher.h"
#include "models/hbm2/memory.h"
#include "models/progressive/progressive.h"
#include "models/writeback/writeback.h"
#include "sim/config/machine.h"

namespace winnow {

// What the machine is built for, besides its description.
struct Workpiece {
  golden::Shape shape;
  golden::Decisions decisions;
  std::vector<std::uint8_t> image;  // bytes of the memory
  std::uint64_t seed = 1;
  bool shape_only = false;  // addresses, bursts and cycles without values
  int longest = 0;          // tokens a head holds at most
};

// What the machine counted of one layer.
struct LayerCounts {
  Cycle last_write = 0;
  golden::Accesses accesses;
  std::uint64_t qk_products = 0, pv_products = 0;
};

class MachineModel {
 public:
  using MakeSource = std::function<std::unique_ptr<PlanSource>(Importance&)>;
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
  void tick();

  template <class F>
  void for_each_block(F&& f) {
    f("controller", controller_), f("fetcher", fetcher_), f("hbm2", memory_), f("converter", converter_), f("qk", qk_);
    f("softmax", softmax_), f("progressive", progressive_), f("topk", topk_), f("importance", importance_);
    f("cascade_topk", cascade_topk_), f("pv", pv_), f("writeback", writeback_);
  }

  // After the run: the first link or block that still holds something; empty when all are drained.
  std::string undrained() const;

  // Blocks' own counts, in the order of the pipeline.
  std::vector<const BlockStats*> block_stats() const;
  // Every request is added to `streams` (one a channel, which must outlive the run) until `most` bursts are there.
  void record_requests(std::vector<hbm2::RequestStream>* streams, std::uint64_t most) {
    memory_.record(streams);
    record_most_ = most;
  }
  Cycle first_request() const { return first_request_; }
  Cycle last_write() const { return last_write_; }

  const hbm2::Memory& memory() const { return memory_; }
  const fetcher::Fetcher& fetcher() const { return fetcher_; }
  const converter::Converter& converter() const { return converter_; }
  const Qk& qk() const { return qk_; }
  const Softmax& softmax() const { return softmax_; }
  const Progressive& progressive() const { return progressive_; }
  const Importance& importance() const { return importance_; }
  const TopkUnit& topk() const { return topk_; }
  const TopkUnit& cascade_topk() const { return cascade_topk_; }
  TopkUnit& topk() { return topk_; }
  TopkUnit& cascade_topk() { return cascade_topk_; }
  const Pv& pv() const { return pv_; }
  const writeback::WriteBack& writeback() const { return writeback_; }
  const Controller& controller() const { return controller_; }
  const KvBuffer& key_buffer() const { return keys_; }
  const KvBuffer& value_buffer() const { return values_; }

 private:
  bool layer_written() const;
  LayerCounts count_layer();

  // Sizes, links, stores, blocks: in the order of construction.
  Machine m_;
  golden::Shape shape_;
  golden::Decisions decisions_;
  int group_, longest_, qk_banks_, pv_banks_;
  bool shape_only_;
  std::size_t prompt_stores_;

  std::vector<GroupStore> stores_;
  KvBuffer keys_, values_;
  ScaleStore scales_;
  QueryRegisters queries_;

  Fifo<FetchJob> fetch_jobs_;
  Fifo<WriteBurst> write_bursts_;
  Fifo<QkTask> qk_first_, qk_later_;
  Fifo<HalfReleased> key_released_;
  Pipe<ScoreRow> scores_;
  Fifo<Verdict> verdicts_to_softmax_, verdicts_to_controller_;
  Pipe<RowSum> row_sums_;
  Pipe<GroupDone> groups_done_;
  Fifo<CompactJob> compact_jobs_;
  Fifo<CompactDone> compacted_;
  Fifo<TopkJob> topk_jobs_, cascade_jobs_;
  Fifo<TopkDone> topk_done_, cascade_done_;
  Fifo<ImportanceJob> importance_jobs_;
  Fifo<ImportanceDone> importance_done_;
  Fifo<HeadMagnitude> magnitudes_;
  Fifo<PvJob> pv_jobs_;
  Fifo<StoreReleased> stores_released_;
  Fifo<PvDone> pv_done_;
  Fifo<OutputVector> outputs_;

  hbm2::Memory memory_;
  fetcher::Fetcher fetcher_;
  converter::Converter converter_;
  Qk qk_;
  Softmax softmax_;
  Progressive progressive_;
  Importance importance_;
  TopkUnit topk_, cascade_topk_;
  Pv pv_;
  writeback::WriteBack writeback_;
  std::unique_ptr<PlanSource> source_;
  Controller controller_;

  OnLayer on_layer_;
  Cycle now_ = 0, first_request_ = 0, last_write_ = 0, last_moved_ = 0, stuck_limit_ = 4'000'000;
  std::uint64_t writes_seen_ = 0, reads_seen_ = 0, vectors_closed_ = 0;
  std::uint64_t out_bytes_seen_ = 0, bursts_written_seen_ = 0, qk_products_seen_ = 0, pv_products_seen_ = 0;
  bool requested_ = false;
  std::uint64_t record_most_ = ~std::uint64_t{0};
};

}  // namespace winnow
