#pragma once
// What the top-k engine is built with (Config), asked for (Job) and counts (Stats). RTL: rtl/topk/topk_pkg.sv.
#include <array>
#include <cstdint>

#include "models/links/topk_jobs.h"
#include "models/topk/ranges.h"

namespace winnow::topk {

constexpr unsigned kMaxLanes = kParallelismMax;

// One row of P items (or indices); lanes from the row's count on hold nothing of meaning.
using Row = std::array<std::uint64_t, kMaxLanes>;

// How a pass gets its pivot. The result never depends on it, only the number of cycles does.
//   random   an item of the head row of the FIFO, lane from an LFSR
//   sampled  of up to 32 items sampled as they leave the zero eliminator, the one at rank target / n
enum class PivotRule : std::uint8_t { random, sampled };

// How the boundary is looked for; the result is the same.
//   none     quick-select alone, the paper's engine: one job at a time
//   bracket  counts of the items' octaves bracket it, counts in the bracket find it; jobs overlap
enum class Prefilter : std::uint8_t { none, bracket };

struct Config {
  // Ranges: models/topk/ranges.h.
  unsigned parallelism = 16;              // P: items a cycle
  unsigned fifo_depth = 64;               // rows of P items in each FIFO; n <= P * depth
  unsigned item_bits = kItemBitsDefault;  // width of an unsigned item
  PivotRule pivot = PivotRule::sampled;
  std::uint64_t seed = 1;  // of the LFSR
  Prefilter prefilter = Prefilter::none;

  unsigned capacity() const { return parallelism * fifo_depth; }
  unsigned index_bits() const;  // ceil(log2(capacity))
  unsigned sum_bits() const { return item_bits + index_bits(); }
};

// Throws winnow::Error naming parameter, value and rule. `where` starts the message.
void check(const Config& config, const char* where = "topk");

void check(const Job& job, const Config& config, const char* where = "topk");

struct Stats {
  std::uint64_t jobs = 0;
  std::uint64_t items = 0;  // loaded
  std::uint64_t kept = 0;
  std::uint64_t passes = 0;         // of quick-select, or of the window
  std::uint64_t divisions = 0;      // mass rule, more than one equal at the boundary
  std::uint64_t load_cycles = 0;    // header, rows, their way through the pipeline; with load_stalls
  std::uint64_t load_stalls = 0;    // of these: no row was offered
  std::uint64_t select_cycles = 0;  // passes and divisions; bracket: a list is between load and filter, in work
  std::uint64_t filter_cycles = 0;  // first row read to last row taken; with filter_stalls
  std::uint64_t filter_stalls = 0;  // of these: an output row waited
  std::uint64_t idle_cycles = 0;    // no job offered
};

}  // namespace winnow::topk
