#pragma once
// How a Trace that owns its values is put together (traces/synthetic.cpp, tests).
#include <string>
#include <vector>

#include "traces/trace.h"

namespace winnow {

struct TraceBuilder {
  TraceMeta meta;
  std::string name;
  std::vector<std::int32_t> token_ids;  // [tokens]
  golden::HeadTensors head_tensors;
  std::vector<std::vector<float>> tensors;  // [3 * layer + which]: [heads or KV heads][tokens][D]

  // Checks the shape's rules and the sizes; throws Error.
  Trace build() &&;
};

// The rules among the numbers of a trace's metadata; `name` begins the error.
void check_trace_meta(const std::string& name, const TraceMeta& meta);

}  // namespace winnow
