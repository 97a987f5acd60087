#pragma once
// Sizes of the fetcher: its section of the machine's YAML. Defaults are the paper's (IV.D).
#include "models/prim/params.h"

namespace winnow {

struct FetcherParams {
  int lanes = 32;         // address FIFOs, and data FIFOs
  int address_fifo = 64;  // addresses a lane
  int data_fifo = 64;     // bursts a lane

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("lanes", p.lanes, "", param::power(1, 32), "address FIFOs, and data FIFOs");
    v("address_fifo", p.address_fifo, "addresses", param::range(2, 4096), "a lane");
    v("data_fifo", p.data_fifo, "bursts", param::range(2, 4096), "a lane");
  }
};

// How the memory behind it is laid out.
struct MemoryGrid {
  int channels = 16;          // 1..32, a power of two
  int interleave_bytes = 32;  // a power of two, 32..2048
};

// Throws winnow::Error naming the parameter, its value and the rule.
void check(const FetcherParams& params, const MemoryGrid& grid);

}  // namespace winnow
