#pragma once
// Traces without a file: the same seed gives the same values on every machine (integer generator, and only
// +, * and sqrt of IEEE floats).
//
// The values have what makes attention of real models hard and prunable: approximately normal entries,
// a few key channels with a large constant part (outliers), a first token that draws attention and whose
// value is small (sink), and for each query a few tokens that it looks for.
#include <string>

#include "traces/trace.h"

namespace winnow {

struct SyntheticSpec {
  int layers = 2;
  int heads = 4;
  int kv_heads = 4;
  int head_dim = 64;
  int tokens = 64;
  int prompt = 0;  // 0: all tokens
  bool causal = false;
  std::uint64_t seed = 1;
};

// Throws Error when the shape breaks a rule of the trace format.
Trace make_synthetic(const SyntheticSpec& spec);

// "synthetic:layers=2,heads=12,kv_heads=12,head_dim=64,tokens=384,prompt=384,causal=0,seed=1"; keys left out
// take the defaults above (kv_heads: heads). Throws Error on an unknown key or a bad value.
SyntheticSpec parse_synthetic(const std::string& text);
bool is_synthetic(const std::string& text);

}  // namespace winnow
