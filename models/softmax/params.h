#pragma once
// Sizes of the softmax pipeline: its section of the machine's YAML. Defaults are the paper's (IV.F: parallelism 8,
// FIFO depth 128); the latencies are its authors' timing model's.
#include "models/prim/params.h"

namespace winnow {

struct SoftmaxParams {
  int width = 8;       // scores a cycle
  int row_fifo = 128;  // entries, each `width` values
  int dequantize_latency = 7, exp_latency = 21, accumulate_latency = 23, divide_latency = 29, requantize_latency = 7;
  int reciprocal_latency = 17, reciprocal_interval = 1;  // of divide_latency; a row's reciprocal every so many cycles
  int rest_latency = 9;                                  // three products of three cycles
  int rows = 32;                                         // between two stages
  int first_width = 0;                                   // of a selection's first pass; 0: as width
  int rest_interval = 9;                                 // all three through one multiplier

  int widest() const { return first_width ? first_width : width; }

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("width", p.width, "", param::power(1, 256), "scores a cycle");
    v("first_width", p.first_width, "", param::range(0, 256),
      "scores a cycle of a first pass of powers of two, and slots of compaction; a power of two; 0: softmax.width");
    v("row_fifo", p.row_fifo, "entries", param::range(2, 1 << 16), "of softmax.width values, a row in flight");
    v("dequantize_latency", p.dequantize_latency, "cycles", param::latency(), "");
    v("exp_latency", p.exp_latency, "cycles", param::latency(), "");
    v("accumulate_latency", p.accumulate_latency, "cycles", param::latency(), "");
    v("divide_latency", p.divide_latency, "cycles", param::latency(), "");
    v("requantize_latency", p.requantize_latency, "cycles", param::latency(), "");
    v("reciprocal_latency", p.reciprocal_latency, "cycles", param::latency(), "part of softmax.divide_latency");
    v("reciprocal_interval", p.reciprocal_interval, "cycles", param::latency(), "between two rows' reciprocals");
    v("rest_latency", p.rest_latency, "cycles", param::latency(), "rescaling what a selection left out of a row");
    v("rest_interval", p.rest_interval, "cycles", param::latency(), "between two rows' rescalings");
    v("rows", p.rows, "rows", param::range(2, 1 << 10), "between two stages; at least those of all heads in flight");
  }
};

}  // namespace winnow
