#pragma once
// From layers to results: rows of layers.csv, totals of the prompt and of generation, the statistics of result.json.
#include <optional>
#include <string>
#include <vector>

#include "golden/walk.h"
#include "models/dram/stream.h"
#include "sim/engines/comparison.h"
#include "sim/machine/machine_model.h"
#include "sim/results/run_folder.h"
#include "sim/results/statistics.h"
#include "sim/run.h"

namespace winnow {

// What repeats a run.
Manifest manifest_of(const RunOptions& options, Machine machine, golden::Policy policy,
                     const std::string& trace_sha256);

// Columns of layers.csv, and one row of it. `cycles` is empty for the golden engine, which has no time.
std::vector<std::string> layer_columns();
std::vector<std::string> layer_row(const golden::LayerResult& r, std::optional<Cycle> cycles);

// Errors against the float reference (docs/specification/algorithm.md): ||out - float|| / ||float|| of attention's
// output; the figure is the mean over layers, with the worst layer and the rows' 99th percentile beside it.
class Errors {
 public:
  explicit Errors(int layers) : layers_(static_cast<std::size_t>(layers)) {}
  void add(int layer, const golden::ErrorSums& sums);
  // `label`: "output error" and what it is over.
  void report(StatTree& tree, const std::string& key = "output_error", const std::string& label = "output error") const;

 private:
  struct Layer {
    double difference = 0, reference = 0, difference_all = 0, reference_all = 0;
  };
  std::vector<Layer> layers_;
  std::vector<float> rows_;
};

// Sums over layers: of the prompt (or encoder), or of generation.
struct Phase {
  std::uint64_t layers = 0, cycles = 0;
  golden::Accesses accesses;
  std::uint64_t dense_elements = 0;  // of K and V, were nothing pruned
  std::uint64_t row_heads = 0, flat = 0, row_groups = 0, refetched = 0, keys_seen = 0, survivors = 0, values = 0;
  std::uint64_t live_tokens = 0, all_tokens = 0, live_heads = 0, all_heads = 0;
  std::uint64_t kept_elements = 0;  // of K and V, of the tokens and KV heads that live
  TimeShares time;
  Errors errors;

  explicit Phase(int layer_count) : errors(layer_count) {}
  void add(const golden::LayerResult& r, const golden::Shape& shape, Cycle layer_cycles, const TimeShares& spent);
};
// Adds the phase's statistics to `tree`; nothing when it has no layer.
void report(const Phase& phase, bool timed, StatTree& tree);
// What a step of the whole batch takes, and a sequence's share of it: of `sequences` that ran `steps` steps each.
void report_batch(const Phase& phase, int sequences, int steps, StatTree& tree);

// Tokens and heads kept, refetches and cycles by layer, means over the steps of a phase: the table a run prints.
class ByLayer {
 public:
  explicit ByLayer(int layers) : layers_(static_cast<std::size_t>(layers)) {}
  void add(const golden::LayerResult& r, const golden::Shape& shape, Cycle cycles);
  std::string table(bool timed) const;

 private:
  struct Sum {
    std::uint64_t runs = 0, cycles = 0, live_tokens = 0, all_tokens = 0, live_heads = 0, all_heads = 0;
    std::uint64_t groups = 0, refetched = 0, keys = 0, survivors = 0, values = 0;
    golden::ErrorSums error;
  };
  std::vector<Sum> layers_;
};

// Bandwidth that the memory model reaches on each channel's request stream alone, in bytes a second of the slowest.
double attainable_bandwidth(const Machine& machine, const std::vector<dram::RequestStream>& streams);

// Requests kept for the memory-alone figure: 2^22 bursts are 128 MiB of traffic.
inline constexpr std::uint64_t kRecordedBursts = std::uint64_t{1} << 22;

// Time, bandwidth achieved and attainable on the recorded streams, DRAM energy.
void report_memory(const MachineModel& m, const Machine& machine, Cycle cycles,
                   const std::vector<dram::RequestStream>& streams, StatTree& summary);
// One file a channel, `prefix`.chNN: Ramulator's load/store trace.
void dump_requests(const std::string& prefix, const Machine& machine, const std::vector<dram::RequestStream>& streams);

// "block  busy  idle  waits for": shares of the cycles.
std::string utilisation_table(const MachineModel& m, Cycle cycles);

}  // namespace winnow
