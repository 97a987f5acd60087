// The plan of decisions and the cascade's rules, each against the policy's own words: presets by hand, schedules of
// random policies against plain loops over the definitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <random>

#include "golden/error.h"
#include "golden/policies/schedule.h"

namespace winnow::golden {
namespace {

Shape shape_of(int layers, int heads, int kv_heads, int tokens, int prompt, bool causal) {
  return {layers, heads, kv_heads, 16, tokens, prompt, causal, 0.25};
}

TEST(Decisions, OfThePresets) {
  const Shape shape = shape_of(4, 12, 3, 64, 32, true);
  Decisions d = decisions_of(make_policy("dense"), shape);
  EXPECT_EQ(d.digits.count, 1);
  EXPECT_EQ(d.digits.width[0], 12);
  EXPECT_EQ(d.v_bits, 12);
  EXPECT_FALSE(d.decides() || d.selects() || d.prunes_values(false) || d.prunes_tokens || d.prunes_heads);
  EXPECT_EQ(d.score_bits, 18);  // four query heads a KV head
  EXPECT_EQ(d.decay_shift, 0);

  d = decisions_of(make_policy("spatten"), shape);
  EXPECT_EQ(d.digits.count, 2);
  EXPECT_EQ(d.digits.below(0), 4);
  EXPECT_TRUE(d.decides() && d.prunes_values(false) && d.prunes_tokens && d.prunes_heads);
  EXPECT_EQ(d.theta16, 6554u);
  EXPECT_EQ(d.kept_values(100), 30);
  EXPECT_EQ(d.kept_values(1), 1);
  EXPECT_FALSE(d.renormalise || d.normalised || d.per_kv_head || d.token_scales || d.channel_scales);

  d = decisions_of(make_policy("spatten-protected"), shape);
  EXPECT_TRUE(d.renormalise && d.prunes_tokens);
  EXPECT_FALSE(d.prunes_heads);
  EXPECT_EQ(d.decay_shift, 5);

  d = decisions_of(make_policy("select"), shape);
  EXPECT_TRUE(d.selects() && d.rest && d.token_scales && d.channel_scales);
  EXPECT_FALSE(d.decides() || d.largest || d.prunes_values(false));
  ASSERT_EQ(d.stages, 1);
  EXPECT_TRUE(d.stage[0].by_mass);
  EXPECT_EQ(d.stage[0].mu16, 63570u);  // 0.97
  EXPECT_EQ(d.msb, MsbRule::round);
  EXPECT_FALSE(d.crude_query() || d.first_pow2 || d.compensates);

  d = decisions_of(make_policy("winnow"), shape);
  EXPECT_TRUE(d.selects() && d.rest && d.token_scales && d.channel_scales);
  EXPECT_TRUE(d.crude_query() && d.first_pow2 && d.compensates);
  EXPECT_EQ(d.first_q_bits, 8);
  EXPECT_EQ(d.digits.below(0), 4);
  EXPECT_EQ(d.v_bits, 6);
  EXPECT_EQ(d.stage[0].mu16, 62259u);  // 0.95
  EXPECT_FALSE(d.searches() || d.drops_zeros() || d.lazy);
  EXPECT_TRUE(d.accumulates());

  d = decisions_of(make_policy("a3"), shape);
  EXPECT_TRUE(d.searches() && d.drops_zeros());
  EXPECT_FALSE(d.accumulates() || d.lazy || d.prunes_tokens || d.prunes_values(false));
  EXPECT_TRUE(d.searches(false, true) && d.searches(true, false)) << "decode, encoder";
  EXPECT_FALSE(d.searches(true, true)) << "each query of a decoder's prompt sees other keys";
  EXPECT_EQ(d.iterations(101), 50);
  EXPECT_EQ(d.iterations(1), 1);
  EXPECT_EQ(d.score_span, 17702u);  // log2(20) = 4.32193 octaves
  EXPECT_EQ(d.skip16, 0u);

  d = decisions_of(make_policy("mnnfast"), shape);
  EXPECT_TRUE(d.lazy && d.drops_zeros() && d.accumulates());
  EXPECT_FALSE(d.searches() || d.prunes_values(false));
  EXPECT_EQ(d.skip16, 655u);  // 0.01: 655.36
  EXPECT_EQ(d.score_span, kNoSpan);
}

// The rivals' rules beside the others: what contradicts itself is refused, and says what.
TEST(Decisions, RivalsThatContradictThemselves) {
  const auto refused = [](const char* of, auto change) {
    Policy p = make_policy(of);
    change(p);
    const auto bad = find_violation(p);
    return bad ? bad->key : std::string();
  };
  EXPECT_EQ(refused("a3", [](Policy&) {}), "");
  EXPECT_EQ(refused("mnnfast", [](Policy& p) { p.k_digits = {8, 4}, p.threshold = 0.1; }), "");
  EXPECT_EQ(refused("spatten", [](Policy& p) { p.value_threshold = 0.01, p.score_threshold = 0.1; }), "");
  EXPECT_EQ(refused("select", [](Policy& p) { p.value_threshold = 0.01; }), "value_threshold");
  EXPECT_EQ(refused("select", [](Policy& p) { p.score_threshold = 0.01; }), "score_threshold");
  EXPECT_EQ(refused("select", [](Policy& p) { p.lazy_softmax = true; }), "lazy_softmax");
  EXPECT_EQ(refused("spatten", [](Policy& p) { p.lazy_softmax = true; }), "lazy_softmax");
  EXPECT_EQ(refused("mnnfast", [](Policy& p) { p.tokens = {0.5, 0.5}; }), "lazy_softmax");
  EXPECT_EQ(refused("a3", [](Policy& p) { p.k_digits = {8, 4}, p.threshold = 0.1; }), "k_digits");
  EXPECT_EQ(refused("a3", [](Policy& p) { p.local_value = 0.5; }), "local_value");
  EXPECT_EQ(refused("a3", [](Policy& p) { p.tokens = {0.5, 0.5}; }), "candidates");
  EXPECT_EQ(refused("a3", [](Policy& p) { p.candidates = 0; }), "candidates");
  EXPECT_EQ(refused("a3", [](Policy& p) { p.score_threshold = 1.5; }), "score_threshold");
}

TEST(Decisions, FullStepsThatContradictThemselves) {
  const auto refused = [](const char* of, auto change) {
    Policy p = make_policy(of);
    change(p);
    const auto bad = find_violation(p);
    return bad ? bad->key : std::string();
  };
  EXPECT_EQ(refused("recycled", [](Policy&) {}), "");
  EXPECT_EQ(refused("h2o", [](Policy& p) { p.full_every = 2; }), "");
  EXPECT_EQ(refused("recycled", [](Policy& p) { p.full_every = 1; }), "full_every");
  EXPECT_EQ(refused("recycled", [](Policy& p) { p.tokens = {}; }), "full_every");
  EXPECT_EQ(refused("sink-window", [](Policy& p) { p.full_every = 8; }), "full_every");
  EXPECT_EQ(refused("spatten", [](Policy& p) { p.full_every = 8; }), "full_every");
  EXPECT_EQ(refused("recycled", [](Policy& p) { p.importance = ImportanceRule::decay; }), "importance");
}

TEST(Decisions, BlocksThatContradictThemselves) {
  const auto refused = [](const char* of, auto change) {
    Policy p = make_policy(of);
    change(p);
    const auto bad = find_violation(p);
    return bad ? bad->key : std::string();
  };
  EXPECT_EQ(refused("sparse-d", [](Policy&) {}), "");
  EXPECT_EQ(refused("h2o", [](Policy& p) { p.importance_block = 64; }), "");
  EXPECT_EQ(refused("h2o", [](Policy& p) { p.importance_block = 12; }), "importance_block");
  EXPECT_EQ(refused("h2o", [](Policy& p) { p.importance_block = 0; }), "importance_block");
  EXPECT_EQ(refused("spatten", [](Policy& p) { p.importance_block = 8; }), "importance_block");
  EXPECT_EQ(refused("sink-window", [](Policy& p) { p.importance_block = 8; }), "importance_block");
  EXPECT_EQ(refused("h2o", [](Policy& p) { p.tokens = {}, p.importance_block = 8; }), "importance_block");
  EXPECT_EQ(refused("h2o", [](Policy& p) { p.shards = 2, p.importance_block = 8; }), "shards");
  EXPECT_EQ(refused("recycled", [](Policy& p) { p.protect_newest = 0, p.importance_block = 8; }), "protect_newest");
  EXPECT_EQ(refused("h2o", [](Policy& p) { p.protect_newest = 0, p.importance_block = 8; }), "");
}

TEST(Decisions, OfWhatPresetsLeaveOut) {
  const Shape shape = shape_of(4, 2, 2, 64, 32, true);
  Policy p = make_policy("select");
  p.select = SelectRule::count, p.k_digits = {2, 2, 4}, p.select_keep = {0.5, 0.29};
  Decisions d = decisions_of(p, shape);
  EXPECT_TRUE(d.largest);
  EXPECT_FALSE(d.stage[0].by_mass || d.stage[1].by_mass);
  EXPECT_EQ(d.stage[0].count(7), 4);     // rounded up
  EXPECT_EQ(d.stage[1].count(100), 29);  // not 30: 0.29 * 100 is a little above 29
  EXPECT_EQ(d.score_bits, 16);           // one query head a KV head
  p = make_policy("spatten");
  p.scope = ImportanceScope::kv_head, p.importance = ImportanceRule::decay, p.decay_shift = 3, p.local_value = 1;
  p.renormalise = true;
  d = decisions_of(p, shape);
  EXPECT_TRUE(d.per_kv_head);
  EXPECT_EQ(d.decay_shift, 3);
  EXPECT_FALSE(d.renormalise) << "nothing is left out of a sum of all values";
  EXPECT_EQ(decayed(1000, d.decay_shift), 875u);
  EXPECT_EQ(decayed(1000, 0), 1000u);
  p.importance = ImportanceRule::normalised, p.scope = ImportanceScope::shared;
  d = decisions_of(p, shape);
  EXPECT_EQ(d.decay_shift, 0) << "decay_shift counts for decay alone";
  EXPECT_TRUE(d.normalised);
  p.v_bits = 8, p.threshold = 0;
  EXPECT_THROW(decisions_of(p, shape), Error) << "two digits and nothing that fetches the second";
}

// Counts are those of the decimal share, in exact fractions: every share of four decimals, every n up to 8,192.
TEST(Shares, CountAsDecimalsDo) {
  std::uint64_t compared = 0, wrong = 0;
  for (std::uint32_t share = 1; share <= 10'000; ++share) {
    const std::uint32_t down = share_of_floor(share / 10'000.0), up = share_of_ceil(share / 10'000.0);
    for (std::uint32_t n = 1; n <= 8192; ++n) {
      const std::uint32_t floor = share * n / 10'000, ceil = (share * n + 9'999) / 10'000;
      wrong += kept_count(down, static_cast<int>(n)) != static_cast<int>(floor ? floor : 1);
      wrong += selected_count(up, static_cast<int>(n)) != static_cast<int>(ceil);
      compared += 2;
    }
  }
  std::printf("[ compared ] %llu counts\n", static_cast<unsigned long long>(compared));
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(compared, 2u * 10'000 * 8192);
  // The ends of the range that the argument names, and a share that 16 bits would count wrongly.
  EXPECT_EQ(kept_count(share_of_floor(0.29), 100), 29);
  EXPECT_EQ(selected_count(share_of_ceil(0.29), 100), 29);
  EXPECT_EQ(kept_count(share_of_floor(0.9999), 26'843), 26'843 * 9'999 / 10'000);
  EXPECT_EQ(kept_count(0, 7), 1);
  EXPECT_EQ(kept_count(kShareAll, 7), 7);
  EXPECT_EQ(kept_count(share_of_floor(0.1001), 999), 99);  // 99.9999
  EXPECT_EQ((static_cast<std::uint64_t>(std::ceil(0.1001 * 65536)) * 999) >> 16, 100u) << "sixteen bits count wrongly";
}

// A schedule's shares against the same line in exact fractions.
TEST(Shares, OfASchedule) {
  int compared = 0;
  for (int layers = 1; layers <= 48; ++layers)
    for (int start = 5; start <= 100; start += 5)
      for (int end = 0; end <= 100; end += 5) {
        const std::vector<std::uint32_t> shares = kept_shares({start / 100.0, end / 100.0}, 0.15, layers);
        ASSERT_EQ(shares.size(), static_cast<std::size_t>(layers));
        const int free = (15 * layers + 99) / 100, span = layers - 1 - free;
        for (int layer = 0; layer < layers; ++layer)
          for (int n : {1, 7, 64, 160, 384, 512, 1024}) {
            const long numerator = layer < free ? 100
                                   : span <= 0  ? start
                                                : start * span + (end - start) * (layer - free);
            const long denominator = layer < free || span <= 0 ? 100 : 100 * span;
            const long exact = std::max(1L, numerator * n / denominator);
            ASSERT_EQ(kept_count(shares[static_cast<std::size_t>(layer)], n), exact)
                << start << ".." << end << " layer " << layer << " of " << layers << ", n " << n;
            ++compared;
          }
      }
  std::printf("[ compared ] %d counts\n", compared);
  EXPECT_GT(compared, 1'000'000);
}

// Who lives, who competes and who is protected, over random policies, as the parameters' texts say it.
TEST(Schedule, AgainstTheDefinitions) {
  std::mt19937 random(5);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  int compared = 0, cut = 0, sheltered = 0;
  for (int round = 0; round < 3000; ++round) {
    const int prompt = 1 + below(40), steps = 1 + below(6);
    const bool causal = below(3) > 0;
    const Shape shape =
        shape_of(1 + below(12), 6, below(2) ? 3 : 1, causal ? prompt + steps - 1 : prompt, prompt, causal);
    Policy p;
    p.tokens = {0.05 * (1 + below(20)), 0.05 * (1 + below(20))};
    p.heads = {0.05 * (1 + below(20)), 0.05 * (1 + below(20))};
    p.protect_first = below(6), p.protect_newest = below(50);
    p.permanent = below(2), p.importance = static_cast<ImportanceRule>(below(3));
    p.scope = !p.permanent && p.importance != ImportanceRule::normalised && below(2) ? ImportanceScope::kv_head
                                                                                     : ImportanceScope::shared;
    validate(p);
    const bool per_head = p.scope == ImportanceScope::kv_head;
    const Schedule s{shape, p};
    std::vector<std::uint32_t> tokens, heads;
    for (int step = 0; step < shape.steps(); ++step) {
      const int n = shape.tokens_in(step);
      const std::size_t before = tokens.size();
      const std::size_t heads_before = heads.size();
      s.begin_step(step, tokens, heads);
      if (step > 0 && p.permanent) {
        ASSERT_EQ(tokens.size(), before + 1);
        ASSERT_EQ(tokens.back(), static_cast<std::uint32_t>(n - 1));
        ASSERT_EQ(heads.size(), heads_before);
      } else {
        ASSERT_EQ(tokens.size(), static_cast<std::size_t>(n));
        ASSERT_EQ(heads.size(), 6u);
      }
      for (int layer = 0; layer < shape.layers; ++layer) {
        const TokenChoice c = s.tokens(step, layer);
        const auto share = [&](const KeepSchedule& k, int free_percent) {
          const int free = (free_percent * shape.layers + 99) / 100;
          if (layer < free) return 1.0;
          const int span = shape.layers - 1 - free;
          return span == 0 ? k.start : k.start + (k.end - k.start) * (layer - free) / span;
        };
        const auto is_protected = [&](int t) { return t < p.protect_first || (causal && t >= n - p.protect_newest); };
        int protects = 0;
        for (int t = 0; t < n; ++t) {
          ASSERT_EQ(c.is_protected(static_cast<std::uint32_t>(t)), is_protected(t)) << t << " of " << n;
          protects += is_protected(t);
        }
        const bool chooses = per_head ? step > 0 : layer > 0;
        const double asked = share(p.tokens, 15) * n;
        if (!chooses) {
          ASSERT_EQ(c.keep, static_cast<std::uint32_t>(n));
        } else {
          const int kept = std::max(1, static_cast<int>(std::floor(asked + 1e-9)));
          ASSERT_GE(static_cast<int>(c.keep), protects);
          // Never fewer than the schedule says nor than it protects, and no more than both ask for.
          ASSERT_EQ(static_cast<int>(c.keep),
                    std::max(kept, std::min(n, p.protect_first + (causal ? p.protect_newest : 0))));
          cut += static_cast<int>(c.keep)<n, sheltered += static_cast<int>(c.keep)> kept;
        }
        const int kept_heads =
            layer == 0 ? 6 : std::max(1, static_cast<int>(std::floor(share(p.heads, 30) * 6 + 1e-9)));
        ASSERT_EQ(s.heads(layer), static_cast<std::uint32_t>(kept_heads));
        ++compared;
        if (!per_head && c.keep < tokens.size()) tokens.resize(c.keep);
        if (s.heads(layer) < heads.size()) heads.resize(s.heads(layer));
      }
    }
  }
  std::printf("%d layers compared, %d cut, %d of them held by protection\n", compared, cut, sheltered);
  EXPECT_GT(cut, 1000);
  EXPECT_GT(sheltered, 100);
}

TEST(Schedule, WhatTheEngineCompares) {
  TokenChoice c;
  c.first_end = 2, c.newest_from = 10;
  EXPECT_EQ(c.item(1, 5, 0), kProtectedItem);
  EXPECT_EQ(c.item(10, 5, 0), kProtectedItem);
  EXPECT_EQ(c.item(2, 5, 0), 5u);
  EXPECT_EQ(c.item(9, ~std::uint64_t{0}, 0), kProtectedItem - 1) << "an importance never equals a protection";
  c.normalised = true;
  EXPECT_EQ(c.item(5, 1000, 0), 0u) << "never seen, nothing earned";
  EXPECT_EQ(c.item(5, 1000, 3), 1000u * 256 / 3);

  // A prompt of five: the first token is seen by five rows of a decoder, the last by one; by all of an encoder's.
  EXPECT_EQ(rows_seen(0, 5, true, true), 5u);
  EXPECT_EQ(rows_seen(4, 5, true, true), 1u);
  EXPECT_EQ(rows_seen(4, 5, true, false), 5u);
  EXPECT_EQ(rows_seen(4, 5, false, true), 1u);

  const std::vector<std::uint32_t> from = {1, 4, 7};
  const std::vector<std::uint64_t> importance = {0, 10, 20, 30, 40, 50, 60, 70}, chances(8, 1);
  TokenChoice plain;
  EXPECT_EQ(token_items(plain, from, importance.data(), chances.data()), (std::vector<std::uint64_t>{10, 40, 70}));
  EXPECT_EQ(head_items({0, 2}, importance), (std::vector<std::uint64_t>{0, 20}));
  std::vector<std::uint32_t> list = from;
  keep_places(list, {0, 2});
  EXPECT_EQ(list, (std::vector<std::uint32_t>{1, 7}));
  EXPECT_EQ(head_bits({0, 3, 4, 7}, 4, 0), 0b1001u);
  EXPECT_EQ(head_bits({0, 3, 4, 7}, 4, 1), 0b1001u);
  EXPECT_EQ(head_bits({4}, 4, 0), 0u);
}

// Where the next layer's plan may be made before this one has ended, the machine loads ahead.
TEST(Schedule, WhatWaitsForTheLayerBefore) {
  const Shape shape = shape_of(4, 4, 2, 20, 10, true);
  Policy p;
  const auto waits = [&](int layer) { return Schedule{shape, p}.needs_previous(2, layer); };
  EXPECT_FALSE(waits(0) || waits(1));
  p.tokens = {0.5, 0.5};
  EXPECT_FALSE(waits(0));
  EXPECT_TRUE(waits(1));
  p.permanent = true;
  EXPECT_TRUE(waits(0)) << "the step begins with what the last one left";
  p.permanent = false, p.scope = ImportanceScope::kv_head;
  EXPECT_TRUE(waits(0)) << "a step's lists are chosen on what all steps before have earned";
  EXPECT_FALSE(waits(1));
  p.heads = {0.5, 0.5};
  EXPECT_TRUE(waits(1));
  // Full steps 1, 4, 7: the step behind one waits for what it earns, the others find it there, and a full one asks for
  // nothing.
  p.heads = {}, p.full_every = 3;
  const auto begins = [&](int step) { return Schedule{shape, p}.needs_previous(step, 0); };
  EXPECT_FALSE(begins(1) || begins(3) || begins(4) || begins(6));
  EXPECT_TRUE(begins(2) && begins(5));
  EXPECT_FALSE((Schedule{shape, p}.needs_prompt()));
}

TEST(Formats, Sizes) {
  EXPECT_EQ(packed_bytes(64, 12), 96u);
  EXPECT_EQ(bursts_of(0), 0u);
  EXPECT_EQ(bursts_of(1), 1u);
  EXPECT_EQ(bursts_of(32), 1u);
  EXPECT_EQ(whole_bursts(33), 64u);
  for (int group = 1; group <= kMaxGroup; ++group) {
    const std::uint64_t most = std::uint64_t{65535} * static_cast<unsigned>(group);
    EXPECT_LE(most >> selection_score_bits(group), 0u) << group;
    EXPECT_EQ(selection_score_bits(group), kProbabilityBits + bit_length(static_cast<unsigned>(group - 1))) << group;
  }
}

}  // namespace
}  // namespace winnow::golden
