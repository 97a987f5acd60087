#pragma once
// Sizes of the greedy search for keys: its section of the machine's YAML. SpAtten has none; A3's paper has a scan of 16
// scores a cycle.
#include "models/prim/params.h"

namespace winnow {

struct GreedyParams {
  int columns = 0;  // whose first products are made in a cycle; 0: the machine has no such block
  int scan = 16;    // partial scores looked at in a cycle
  int latency = 4;  // from the last product to the scan

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("columns", p.columns, "", param::range(0, 256), "sorted columns a cycle when a search is set up; 0: no search");
    v("scan", p.scan, "", param::power(1, 64), "partial scores a cycle when candidates are picked out");
    v("latency", p.latency, "cycles", param::latency(), "of a product through choice and addition");
  }
};

}  // namespace winnow
