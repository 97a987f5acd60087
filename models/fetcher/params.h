#pragma once
// Sizes of the fetcher. Defaults are the paper's (spatten.md, section 3).
#include <cstdint>

namespace winnow::fetcher {

struct Params {
  int lanes = 32;             // address FIFOs and data FIFOs, 1..32, a power of two
  int channels = 16;          // of HBM2, 1..32, a power of two
  int interleave_bytes = 32;  // a power of two, 32..2048
  int address_fifo = 64;      // addresses a lane, 2..4096
  int data_fifo = 64;         // bursts a lane, 2..4096
  int jobs_ahead = 8;         // jobs between address generator and converter, 2..64
};

// Throws winnow::Error naming the parameter, its value and the rule.
void check(const Params& params);

}  // namespace winnow::fetcher
