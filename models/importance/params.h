#pragma once
// Sizes of the importance block: its section of the machine's YAML. The paper says nothing of them.
#include "models/prim/params.h"

namespace winnow {

struct ImportanceParams {
  int tokens = 1024;     // words of the importance memory: a token each, with scope kv_head of each layer and KV head
  int lane_queue = 4;    // entries: a slot of each row read waits here for its bank
  int bank_queue = 8;    // entries in front of each bank of the importance memory
  int bank_accepts = 2;  // entries that a bank's queue takes a cycle

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("tokens", p.tokens, "words", param::range(8, 1 << 22),
      "of the importance memory: one a token; with scope kv_head one a token, layer and KV head");
    v("lane_queue", p.lane_queue, "entries", param::range(2, 64), "of each of the softmax.width lanes read a cycle");
    v("bank_queue", p.bank_queue, "entries", param::range(2, 64), "in front of each bank, which adds one a cycle");
    v("bank_accepts", p.bank_accepts, "", param::range(1, 8), "entries that the crossbar gives one bank in a cycle");
  }
};

}  // namespace winnow
