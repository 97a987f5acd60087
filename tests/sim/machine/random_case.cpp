#include "tests/sim/machine/random_case.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "models/memories/score_banks.h"
#include "models/prim/limits.h"

namespace winnow::test {
namespace {

template <class T>
void set(RunOptions& o, const char* key, const T& value) {
  o.set.push_back(fmt::format("{}={}", key, value));
}

int power_at_least(int x) { return static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(1, x)))); }

struct Trace {
  int layers, kv_heads, group, head_dim, tokens, prompt;
  bool causal;
};

// Widths of 1..4 digits, at least 2 bits each, 12 in all at most.
std::vector<int> digits(CaseRandom& r, int count) {
  std::vector<int> d;
  int left = 12;
  for (int i = 0; i < count; ++i) {
    const int most = left - 2 * (count - 1 - i);
    d.push_back(r.in(2, std::min(most, 10)));
    left -= d.back();
  }
  return d;
}

double share(CaseRandom& r, int low = 1) { return r.in(low, 20) / 20.0; }

// Returns whether KV heads rank their tokens.
bool random_policy(CaseRandom& r, RunOptions& o) {
  const int kind = r.below(10);
  const int stages = kind < 4 ? r.of({1, 1, 1, 2, 3}) : 0;
  const bool tokens = r.one_in(2);
  if (stages) {
    const bool bound = r.one_in(4), count = r.one_in(2);
    const std::vector<int> widths = digits(r, stages + 1);
    set(o, "k_digits", fmt::format("{}", fmt::join(widths, ",")));
    if (bound) {
      set(o, "select", "bound");
      set(o, "score_threshold", r.of({0.001, 0.01, 0.1, 0.5, 1.0}));
      if (r.one_in(4)) set(o, "select_from", r.in(1, 80));
    }
    if (!bound) set(o, "first_exp", r.of({"exact", "pow2"}));
    // What the machine takes: the first digit twice in a word beside the second, and first digits found by token.
    const bool crude = !bound && stages == 1 && !tokens && 2 * widths[0] + widths[1] <= 12 && r.one_in(2);
    if (crude) set(o, "first_q_bits", r.in(2, 11));
    if (!bound) set(o, "select", count ? "count" : "mass");
    std::vector<double> keep;
    for (int i = 0; i < stages; ++i) keep.push_back(r.one_in(6) ? 1.0 : r.in(1, 99) / 100.0);
    const bool compensates = !tokens && r.one_in(2);
    if (!bound) {
      set(o, "select_keep", fmt::format("{}", fmt::join(keep, ",")));
      set(o, "compensate", compensates);
      set(o, "rest", compensates || r.one_in(2));
      if (r.one_in(4)) set(o, "select_from", r.in(1, 80));
    }
  } else if (kind < 8) {
    set(o, "k_digits", fmt::format("{}", fmt::join(digits(r, 2), ",")));
    set(o, "threshold", r.one_in(5) ? r.of({0.0001, 1.0}) : r.in(1, 60) / 100.0);
  } else {
    set(o, "k_digits", r.in(2, 12));
  }
  set(o, "msb", r.of({"midpoint", "truncate", "round"}));
  set(o, "k_scale", r.of({"tensor", "channel"}));
  set(o, "v_bits", r.in(2, 12));
  set(o, "v_scale", r.of({"tensor", "token"}));
  set(o, "out_scale", r.of({"reference", "value"}));
  const bool per_head = r.one_in(3), by_place = per_head && r.one_in(2);
  bool ranks = false;
  if (tokens) {
    const double start = by_place ? 0 : share(r), end = by_place ? 0 : share(r, 0);
    set(o, "tokens.start", start), set(o, "tokens.end", end);
    if (r.one_in(2)) set(o, "tokens.free", r.of({0.0, 0.1, 0.5}));
    const bool some = per_head && (start < 1 || end < 1);
    if (some && r.one_in(3)) set(o, "shards", r.in(1, 5)), set(o, "shard_block", r.in(1, 9));
    if (some && r.one_in(3)) set(o, "full_heads", r.of({0.1, 0.5, 1.0}));
    ranks = some && (start > 0 || end > 0);
  }
  if (r.one_in(2)) set(o, "heads.start", share(r)), set(o, "heads.end", share(r, 0));
  if (!stages && r.one_in(2))
    set(o, "local_value", r.one_in(4) ? 0.001 : share(r)), set(o, "renormalise", r.one_in(2)),
        set(o, "local_value_resident", r.one_in(2) ? "prune" : "skip");
  set(o, "scope", per_head ? "kv_head" : "shared");
  if (!per_head) set(o, "permanent", r.one_in(4));
  set(o, "importance", per_head ? r.of({"sum", "decay"}) : r.of({"sum", "decay", "normalised"}));
  set(o, "decay_shift", r.in(1, 8));
  set(o, "protect_first", r.one_in(2) ? 0 : r.in(1, 8));
  set(o, "protect_newest", r.one_in(2) ? 1 : r.in(0, 40));
  if (r.one_in(4)) set(o, "protect_newest_share", r.in(1, 60) / 100.0);
  return ranks;
}

void random_machine(CaseRandom& r, RunOptions& o, const Trace& t) {
  // Half the arrays are as wide as a head, so that they bound the time; a few are wider than the sentence.
  const int head = power_at_least(t.head_dim);  // multipliers are a power of two, a head need not be
  const int heads = r.one_in(2) ? 1 : std::min(4096 / head, 1 << r.below(r.one_in(4) ? 7 : 4));
  const int multipliers = heads == 64 && head != t.head_dim ? head * 32 : head * heads;
  const int banks = multipliers / t.head_dim;
  const bool tight = r.one_in(3);  // buffers that hold this sentence and nothing more
  const auto sram = [&](const char* block) {
    const int head_dim = r.one_in(2) ? head : std::min(multipliers, 8 << r.below(5));
    const int sram_banks = multipliers / head_dim;
    int tokens = (t.tokens + banks - 1) / banks * sram_banks + (tight ? 0 : r.below(64));
    tokens = std::max(8, (tokens + sram_banks - 1) / sram_banks * sram_banks);
    tokens = (tokens + sram_banks - 1) / sram_banks * sram_banks;
    set(o, fmt::format("{}.multipliers", block).c_str(), multipliers);
    set(o, fmt::format("{}.sram.tokens", block).c_str(), tokens);
    set(o, fmt::format("{}.sram.head_dim", block).c_str(), head_dim);
  };
  sram("qk"), sram("pv");
  set(o, "heads_in_flight", r.one_in(3) ? 1 : r.one_in(2) ? 2 : r.in(3, 8));
  set(o, "qk.brick_bits", r.of({12, 12, 6, 4, 3})), set(o, "pv.brick_bits", r.of({12, 12, 6, 4, 2}));
  set(o, "arrays", 2 * multipliers / t.head_dim > kMaxRow || r.one_in(2) ? "separate" : "shared");
  const bool shared =
      std::any_of(o.set.begin(), o.set.end(), [](const std::string& s) { return s == "arrays=shared"; });
  set(o, "buffers", shared && r.one_in(2) ? "pool" : "halves");
  set(o, "load_chunk", r.one_in(2) ? 0 : 32 * r.in(1, 4));
  set(o, "converter.array_widths", r.in(1, 4));
  const int score_stores = tight ? 1 : r.in(1, 8);
  const int channels = 1 << r.below(4);
  set(o, "hbm2.channels", channels);
  set(o, "hbm2.interleave_bytes", r.one_in(2) ? 32 : 32 << r.below(7));
  set(o, "hbm2.mapping", r.of({"M1", "M2"}));
  set(o, "hbm2.read_queue", r.one_in(2) ? 64 : r.in(2, 40));
  set(o, "hbm2.write_queue", r.one_in(2) ? 32 : r.in(2, 40));
  set(o, "hbm2.return_queue", r.one_in(2) ? 16 : r.in(2, 20));
  set(o, "hbm2.refresh_phase", r.one_in(2) ? 0 : r.below(3900));
  const int lanes = std::min(32, channels << r.below(4));
  set(o, "fetcher.lanes", lanes);
  set(o, "fetcher.address_fifo", r.one_in(2) ? 64 : r.in(2, 20));
  set(o, "fetcher.data_fifo", r.one_in(2) ? 64 : r.in(2, 20));
  for (const char* key : {"qk.read_latency", "qk.multiply_latency", "qk.tree_latency", "pv.read_latency",
                          "pv.multiply_latency", "pv.tree_latency", "softmax.dequantize_latency", "softmax.exp_latency",
                          "softmax.accumulate_latency", "softmax.divide_latency", "softmax.requantize_latency",
                          "softmax.reciprocal_interval", "softmax.rest_latency", "softmax.rest_interval"})
    if (r.one_in(2)) set(o, key, r.one_in(3) ? 1 : r.in(1, 40));
  set(o, "pv.output_vectors", r.one_in(2) ? 2 : r.in(2, 12));
  set(o, "softmax.reciprocal_latency", 1);  // a part of divide_latency
  const int width = 1 << r.below(std::bit_width(static_cast<unsigned>(std::min(multipliers / 8, 32))));
  set(o, "softmax.width", width);
  const int first_width = r.one_in(2) ? 0 : width << r.below(3);
  set(o, "softmax.first_width", first_width);
  const auto words = static_cast<int>(score_words(t.group, t.tokens, std::max(width, first_width)));
  set(o, "score_store_entries", std::max(8, words * score_stores));
  set(o, "softmax.row_fifo", std::max(2, (t.tokens + width - 1) / width + (tight ? 0 : r.below(100))));
  const int parallelism = 2 << r.below(5);
  set(o, "topk.parallelism", parallelism);
  set(o, "topk.fifo",
      std::max(2, power_at_least((std::max(t.tokens, t.kv_heads * t.group) + parallelism - 1) / parallelism)
                      << (tight ? 0 : r.below(3))));
  set(o, "topk.pivot", r.of({"random", "sampled"}));
  set(o, "topk.prefilter", r.of({"none", "bracket"}));
}

// Whether a case sets a key, or, of `key=value`, sets it to that.
bool asks(const RunOptions& o, const std::string& key) {
  return std::any_of(o.set.begin(), o.set.end(), [&](const std::string& s) { return s.rfind(key, 0) == 0; });
}

}  // namespace

// Options of lists that KV heads rank, again of draws of their own.
void random_lists(CaseRandom& r, RunOptions& o) {
  if (r.one_in(2)) set(o, "full_every", r.in(2, 4)), set(o, "importance", "sum");
  // A block wider than the cascade's rows, too.
  if (r.one_in(2))
    set(o, "importance_block", 1 << r.in(1, 6)), set(o, "shards", 0), set(o, "protect_newest", r.in(1, 20));
}

// The rivals' rules, where the policy leaves room for them; draws of their own, so that the rest of a case stays as it
// was. A search takes whole keys, all tokens and all values.
void random_rival(CaseRandom& r, RunOptions& o) {
  if (asks(o, "select=") || r.one_in(2)) return;
  const bool searches = r.one_in(2), lazy = r.one_in(2);
  if (searches) {
    set(o, "candidates", r.of({0.01, 0.125, 0.25, 0.5, 0.9}));
    set(o, "k_digits", r.in(2, 12)), set(o, "threshold", 0);
    set(o, "greedy.columns", r.in(1, 40)), set(o, "greedy.scan", 1 << r.below(7));
    set(o, "greedy.latency", r.in(1, 12));
  }
  if (searches || lazy)
    set(o, "tokens.start", 1), set(o, "tokens.end", 1), set(o, "local_value", 1), set(o, "renormalise", false),
        set(o, "shards", 0), set(o, "full_heads", 0), set(o, "full_every", 0), set(o, "importance_block", 1);
  set(o, "lazy_softmax", lazy);
  if (r.one_in(2)) set(o, "value_threshold", r.of({0.001, 0.01, 0.1, 0.5, 1.0}));
  if (r.one_in(2)) set(o, "score_threshold", r.of({0.01, 0.05, 0.1, 0.5, 1.0}));
}

// A page stage, where the policy leaves room for one.
void random_pages(CaseRandom& r, RunOptions& o) {
  if (!r.one_in(3) || asks(o, "candidates=") || asks(o, "lazy_softmax=true") || asks(o, "value_threshold=")) return;
  if (asks(o, "first_q_bits=")) return;
  const bool bounds = r.one_in(2);
  set(o, "pages", 2 << r.below(4));
  set(o, "page_key", bounds ? "bounds" : r.of({"mean", "landmark"}));
  set(o, "page_bits", bounds ? r.in(2, 6) : r.in(2, 12));
  set(o, "page_keep", r.of({0.01, 0.25, 0.5, 0.75, 0.99}));
  set(o, "tokens.start", 1), set(o, "tokens.end", 1), set(o, "shards", 0), set(o, "full_heads", 0),
      set(o, "full_every", 0), set(o, "importance_block", 1);
  set(o, "tokens.free", r.of({0.0, 0.3}));
  if (asks(o, "compensate=")) set(o, "compensate", false);
  if (r.one_in(2)) set(o, "protect_first", 0), set(o, "protect_newest", 0), set(o, "protect_newest_share", 0);
}

// Another rule of a row, where the policy leaves room for it: an anchor, or a sigmoid.
void random_variant(CaseRandom& r, RunOptions& o) {
  if (!r.one_in(3)) return;
  if (!asks(o, "select=")) {
    if (asks(o, "candidates=") || asks(o, "lazy_softmax=true") || asks(o, "value_threshold=") ||
        asks(o, "score_threshold="))
      return;
    if (asks(o, "pages=") || asks(o, "renormalise=true")) return;
    set(o, "weights", "sigmoid");
  } else if (!asks(o, "pages=") && !asks(o, "first_") && !asks(o, "compensate=true")) {
    set(o, "select", "anchor"), set(o, "select_keep", "none"), set(o, "rest", false);
    set(o, "k_digits", fmt::format("{},{}", r.in(2, 6), r.in(2, 6))), set(o, "msb", "midpoint");
    set(o, "score_threshold", r.of({0.000006, 0.001, 0.1, 0.5, 1.0}));
    set(o, "tokens.start", 1), set(o, "tokens.end", 1), set(o, "shards", 0), set(o, "full_heads", 0),
        set(o, "full_every", 0), set(o, "importance_block", 1);
    set(o, "protect_newest", r.in(1, 9));
  }
}

// Tokens left out by place become one, in the place of whatever else a case would do.
void random_merge(CaseRandom& r, RunOptions& o) {
  if (!r.one_in(8)) return;
  for (const char* key :
       {"select=", "pages=", "candidates=", "lazy_softmax=true", "value_threshold=", "score_threshold=", "weights="})
    if (asks(o, key)) return;
  set(o, "scope", "kv_head"), set(o, "permanent", false), set(o, "importance", "sum");
  set(o, "tokens.start", 0), set(o, "tokens.end", 0), set(o, "tokens.free", 0);
  set(o, "heads.start", 1), set(o, "heads.end", 1);
  set(o, "local_value", 1), set(o, "renormalise", false), set(o, "threshold", 0), set(o, "k_digits", r.in(2, 12));
  set(o, "shards", 0), set(o, "full_every", 0), set(o, "importance_block", 1), set(o, "merge", true),
      set(o, "full_heads", r.of({0.0, 0.5}));
}

// What goes by tensors of the trace, where the policy leaves room for it.
void random_tensor_rule(CaseRandom& r, RunOptions& o, bool cascades_heads) {
  if (!r.one_in(3)) return;
  if (r.one_in(2)) set(o, "head_weights", !cascades_heads && r.one_in(2) ? "route" : "gate");
  for (const char* key : {"pages=", "candidates=", "lazy_softmax=true", "compensate=true", "select=anchor",
                          "merge=", "full_every=", "importance_block=", "first_q_bits="})
    if (asks(o, key)) return;
  if (!r.one_in(2)) return;
  set(o, "scope", "kv_head"), set(o, "permanent", false), set(o, "importance", "sum");
  set(o, "tokens.start", 0), set(o, "tokens.end", 0), set(o, "tokens.free", 0);
  set(o, "shards", 0), set(o, "full_every", 0), set(o, "importance_block", 1), set(o, "protect_newest", r.in(1, 9));
  set(o, "token_mask", r.of({"none", "trace", "cluster"}));
  set(o, "full_heads", r.of({0.3, 0.6})), set(o, "full_heads_by", r.of({"scores", "distances"}));
}

RunOptions random_case(std::uint64_t seed, bool may_batch) {
  CaseRandom r(seed);
  Trace t;
  t.layers = r.in(1, 3), t.kv_heads = r.in(1, 4), t.group = r.one_in(6) ? r.in(5, 9) : r.in(1, 4),
  t.head_dim = 8 << r.below(4);
  if (r.one_in(20)) t.head_dim = r.of({128, 256});
  if (r.one_in(4)) t.head_dim = 8 * r.in(1, 16);
  t.causal = !r.one_in(4);
  t.tokens = r.one_in(8) ? r.in(1, 4) : r.in(1, r.one_in(5) ? 150 : 50);
  const int generated = t.causal ? std::min(t.tokens - 1, r.one_in(4) ? 0 : r.in(1, 6)) : 0;
  t.prompt = t.tokens - generated;

  RunOptions o;
  o.machine = "tiny", o.policy = "dense";
  o.trace =
      fmt::format("synthetic:layers={},heads={},kv_heads={},head_dim={},tokens={},prompt={},causal={},seed={}",
                  t.layers, t.kv_heads * t.group, t.kv_heads, t.head_dim, t.tokens, t.prompt, t.causal ? 1 : 0, seed);
  o.seed = seed + 1;
  const bool ranks = random_policy(r, o);
  random_machine(r, o, t);
  CaseRandom lists(seed + 2'000'003);
  if (ranks) random_lists(lists, o);
  CaseRandom rival(seed + 1'000'003);
  random_rival(rival, o);
  CaseRandom pages(seed + 2'000'003);
  random_pages(pages, o);
  CaseRandom variant(seed + 3'000'003);
  random_variant(variant, o);
  CaseRandom merge(seed + 4'000'003);
  random_merge(merge, o);
  CaseRandom tensor(seed + 5'000'003);
  random_tensor_rule(tensor, o, asks(o, "heads.start=") && !asks(o, "merge="));
  if (r.one_in(3)) o.layers.first = r.below(t.layers), o.layers.last = r.in(o.layers.first, t.layers - 1);
  if (r.one_in(3)) o.steps.first = r.below(generated + 1), o.steps.last = r.in(o.steps.first, generated);
  if (may_batch && generated && r.one_in(3)) {
    o.batch = r.in(2, 5), o.batch_stagger = r.below(1 + (generated - 1) / (o.batch - 1));
    o.steps = {};
    set(o, "importance.tokens", 1 << 18);
  }
  return o;
}

Seeds seeds_to_run(std::uint64_t last) {
  Seeds s{1, last};
  if (const char* full = std::getenv("WINNOW_FULL"); full && *full == '1') s.last = 20000;
  if (const char* said = std::getenv("WINNOW_SEEDS")) {
    unsigned long long a = 0, b = 0;
    if (std::sscanf(said, "%llu-%llu", &a, &b) != 2) throw std::runtime_error("WINNOW_SEEDS: must be first-last");
    s = {a, b};
  }
  fmt::print("seeds {}-{}\n", s.first, s.last);
  return s;
}

}  // namespace winnow::test
