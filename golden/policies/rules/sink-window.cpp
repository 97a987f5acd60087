#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Attention sinks and a window. The paper's window is a count, of 1,020 or 2,044 tokens; here it is a share, so that it
// prunes at any length (`protect_newest_share: 0`, `protect_newest: 1020` for the paper's). Its keys have the positions
// of the cache; ours keep those of the text, which a trace holds.
Policy make() {
  Policy p;
  p.name = "sink-window";
  p.tokens = {0, 0};
  p.tokens_free = 0;
  p.protect_first = 4;
  p.protect_newest_share = 0.25;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry sink_window() {
  return {
      "sink-window", Family::places, "the first four tokens and the newest quarter, in all heads alike",
      "Xiao et al., \"Efficient Streaming Language Models with Attention Sinks\", ICLR 2024 (arXiv 2309.17453), 3.2",
      make};
}

}  // namespace winnow::golden::rules
