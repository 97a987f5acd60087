#pragma once
// Sizes of the softmax pipeline: its section of the machine's YAML. Defaults are the paper's (IV.F: parallelism 8,
// FIFO depth 128); the latencies are its authors' timing model's.
#include "models/prim/params.h"

namespace winnow {

struct SoftmaxParams {
  int width = 8;       // scores a cycle
  int row_fifo = 128;  // entries, each `width` values
  int dequantize_latency = 7, exp_latency = 21, accumulate_latency = 23, divide_latency = 29, requantize_latency = 7;

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("width", p.width, "", param::power(1, 256), "scores a cycle");
    v("row_fifo", p.row_fifo, "entries", param::range(2, 1 << 16), "of softmax.width values, a row in flight");
    v("dequantize_latency", p.dequantize_latency, "cycles", param::latency(), "");
    v("exp_latency", p.exp_latency, "cycles", param::latency(), "");
    v("accumulate_latency", p.accumulate_latency, "cycles", param::latency(), "");
    v("divide_latency", p.divide_latency, "cycles", param::latency(), "");
    v("requantize_latency", p.requantize_latency, "cycles", param::latency(), "");
  }
};

}  // namespace winnow
