// Rules that say who is a candidate by place, importance and head, and selection by bounds: each by hand, then what
// must hold of every row.
#include <array>
#include <numeric>

#include "golden/cascade.h"
#include "golden/error.h"
#include "golden/walk.h"
#include "tests/golden/cases.h"

namespace winnow::golden::test {
namespace {

using Tokens = std::vector<std::uint32_t>;

Tokens range(std::uint32_t first, std::uint32_t end) {
  Tokens t(end - first);
  std::iota(t.begin(), t.end(), first);
  return t;
}
Tokens operator+(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
// Two layers of two KV heads; the first generated token is the n-th.
Shape shape_of(int n) {
  Shape s{2, 4, 2, 16, n, n - 1, true, 0.25};
  HeadTensors t;
  t.scores = {0.1f, 0.9f, 0.5f, 0.1f};
  s.tensors = std::make_shared<const HeadTensors>(t);
  return s;
}
Cascade at_step_1(const Policy& p, const Shape& s) {
  Cascade c(s, p);
  c.begin_step(0);
  c.begin_step(1);
  return c;
}

TEST(SinkWindow, ByHand) {
  Compared compared;
  const Policy p = make_policy("sink-window");
  // A quarter of 41 is 10: 31..40.
  const Cascade c = at_step_1(p, shape_of(41));
  for (int layer = 0; layer < 2; ++layer)
    for (int kv = 0; kv < 2; ++kv) {
      EXPECT_EQ(c.live(layer, kv), range(0, 4) + range(31, 41));
      compared.add(14);
    }
  // Where sinks and window meet, everything stays: of 5 tokens the first four and the last.
  EXPECT_EQ(at_step_1(p, shape_of(5)).live(0, 0), range(0, 5));
  EXPECT_EQ(at_step_1(p, shape_of(2)).live(0, 0), range(0, 2));
  // The paper's window is a count.
  Policy counts = p;
  counts.protect_newest = 6, counts.protect_newest_share = 0;
  EXPECT_EQ(at_step_1(counts, shape_of(41)).live(1, 1), range(0, 4) + range(35, 41));
  EXPECT_EQ(c.importance().size(), 41u) << "nobody is ranked: no importance a head";
  compared.add(4);
}

TEST(H2O, ByHand) {
  Compared compared;
  const Policy p = make_policy("h2o");
  const Shape s = shape_of(21);  // 4 of 21 stay, of them the newest 2: 19 and 20
  Cascade c(s, p);
  c.begin_step(0);
  // Layer 0, head 0: tokens 3 and 7 have earned most; head 1: nobody has, and of equals the first stay.
  c.add_token(0, 0, 3, 50), c.add_token(0, 0, 7, 60), c.add_token(0, 0, 11, 49), c.add_token(0, 0, 19, 900);
  c.add_token(1, 1, 12, 5);
  c.begin_step(1);
  EXPECT_EQ(c.live(0, 0), (Tokens{3, 7, 19, 20}));
  EXPECT_EQ(c.live(0, 1), (Tokens{0, 1, 19, 20}));
  EXPECT_EQ(c.live(1, 0), (Tokens{0, 1, 19, 20}));
  EXPECT_EQ(c.live(1, 1), (Tokens{0, 12, 19, 20}));
  compared.add(16);
  EXPECT_EQ(at_step_1(p, shape_of(2)).live(0, 0), Tokens{1}) << "one of two: the newest";
}

TEST(Recycled, ByHand) {
  Compared compared;
  Policy p = make_policy("recycled");
  p.full_every = 3;
  Shape s = shape_of(26);
  s.prompt = 20;  // step 1 has 21 tokens, step 6 has 26
  Cascade c(s, p);
  c.begin_step(0);
  EXPECT_FALSE(c.earns());
  c.begin_step(1);
  EXPECT_TRUE(c.earns());
  EXPECT_EQ(c.live(0, 0), range(0, 21));
  // A fifth of 21 is 4. In head 0 of layer 0 tokens 3, 7, 9 and 20 have most; in the others nobody has any.
  c.add_token(0, 0, 3, 50), c.add_token(0, 0, 7, 60), c.add_token(0, 0, 9, 50), c.add_token(0, 0, 11, 49),
      c.add_token(0, 0, 20, 70);
  c.begin_step(2);
  EXPECT_FALSE(c.earns());
  EXPECT_EQ(c.live(0, 0), (Tokens{3, 7, 9, 20, 21}));
  EXPECT_EQ(c.live(1, 1), (Tokens{0, 1, 2, 3, 21}));
  c.begin_step(3);
  EXPECT_EQ(c.live(0, 0), (Tokens{3, 7, 9, 20, 21, 22})) << "the same, and both that came since";
  // Step 4 is full again: what was earned is forgotten, and of 24 tokens 4 stay.
  c.begin_step(4);
  EXPECT_TRUE(c.earns());
  EXPECT_EQ(c.live(0, 0), range(0, 24));
  EXPECT_EQ(std::accumulate(c.importance().begin(), c.importance().end(), std::uint64_t{0}), 0u);
  c.add_token(0, 0, 12, 1);
  c.begin_step(5);
  EXPECT_EQ(c.live(0, 0), (Tokens{0, 1, 2, 12, 24}));
  c.begin_step(6);
  EXPECT_EQ(c.live(0, 0), (Tokens{0, 1, 2, 12, 24, 25}));
  compared.add(21 + 5 + 5 + 6 + 24 + 5 + 6 + 4 + 1);
  // One token: the prompt's; its first step sees both.
  Shape one = shape_of(4);
  one.prompt = 1;
  Cascade short_one(one, p);
  short_one.begin_step(0), short_one.begin_step(1);
  EXPECT_EQ(short_one.live(0, 0), range(0, 2));
  short_one.begin_step(2);
  EXPECT_EQ(short_one.live(0, 0), (Tokens{0, 2})) << "a fifth of two is one, of equals the first, and who came since";
  compared.add(4);
}

TEST(SparseD, ByHand) {
  Compared compared;
  Policy p = make_policy("sparse-d");
  p.importance_block = 4, p.protect_first = 1;
  Shape s = shape_of(46);
  s.prompt = 40;  // step 1 has 41 tokens: blocks 0 to 9, and block 10 with token 40
  Cascade c(s, p);
  c.begin_step(0), c.begin_step(1);
  EXPECT_EQ(c.live(0, 0), range(0, 41));
  // Block 3 has 30 and 40, block 5 the largest single one, block 7 as much as block 5, block 10 is not full and new.
  c.add_token(0, 0, 12, 30), c.add_token(0, 0, 15, 40), c.add_token(0, 0, 20, 50), c.add_token(0, 0, 28, 49),
      c.add_token(0, 0, 31, 1);
  c.begin_step(2);
  // 30 % of 41 is 12, and one came since: 13. Protected are block 0 for its first token and block 10 for 41: 6. In the
  // 7 left there is room for one block: the third.
  EXPECT_EQ(c.live(0, 0), range(0, 4) + range(12, 16) + range(40, 42));
  // Nobody has earned anything: of equals the first.
  EXPECT_EQ(c.live(1, 0), range(0, 8) + range(40, 42));
  // With room for two, blocks 5 and 7 are equal, and the first stays, whole.
  p.tokens = {0.4, 0.4};
  Cascade more(s, p);
  more.begin_step(0), more.begin_step(1);
  more.add_token(0, 0, 12, 30), more.add_token(0, 0, 15, 40), more.add_token(0, 0, 20, 50),
      more.add_token(0, 0, 28, 49), more.add_token(0, 0, 31, 1);
  more.begin_step(2);  // 16 and one
  EXPECT_EQ(more.live(0, 0), range(0, 4) + range(12, 16) + range(20, 24) + range(40, 42));
  // Step 5 has tokens 41 to 44 since, in blocks 10 and 11.
  for (int step = 3; step <= 5; ++step) more.begin_step(step);
  EXPECT_EQ(more.live(0, 0), range(0, 4) + range(12, 16) + range(20, 24) + range(40, 45));
  compared.add(41 + 10 + 10 + 14 + 17);
}

TEST(DuoAttention, ByHand) {
  Compared compared;
  const Policy p = make_policy("duo-attention");
  // Scores 0.1, 0.9 | 0.5, 0.1: the second head of layer 0 and the first of layer 1 are full. An eighth of 81 is 10.
  const Cascade c = at_step_1(p, shape_of(81));
  const Tokens streaming = range(0, 16) + range(71, 81), all = range(0, 81);
  EXPECT_EQ(c.live(0, 0), streaming);
  EXPECT_EQ(c.live(0, 1), all);
  EXPECT_EQ(c.live(1, 0), all);
  EXPECT_EQ(c.live(1, 1), streaming);
  compared.add(4 * 26 + 110);
  // Of equals the first: at three quarters head 0 of layer 0 comes before head 1 of layer 1.
  Policy more = p;
  more.full_heads = 0.75;
  EXPECT_EQ(at_step_1(more, shape_of(81)).live(0, 0), all);
  EXPECT_EQ(at_step_1(more, shape_of(81)).live(1, 1), streaming);
  Shape lacks = shape_of(81);
  lacks.tensors = std::make_shared<const HeadTensors>();
  EXPECT_THROW(decisions_of(p, lacks), Error);
}

// Of ten tokens the first and the newest two stay; seven, 1 to 7, are one more.
TEST(RazorAttention, ByHand) {
  Compared compared;
  Values values;
  values.shape = {1, 1, 1, 8, 10, 9, true, std::log(2.0) / 4096};
  std::vector<float> q(80), k(80), v(80);
  for (std::size_t t = 0; t < 10; ++t) {
    q[t * 8] = 64, q[t * 8 + 7] = 2047 / 1.125f;
    k[t * 8] = t == 0 ? 128.0f : 64.0f;                // one octave below token 0; the mean too
    v[t * 8] = t == 0 ? 0.0f : static_cast<float>(t);  // the mean of 1 to 7 is 4
  }
  k[6] = 2047, v[6] = 2047;
  values.q.push_back(q), values.k.push_back(k), values.v.push_back(v);
  Policy p = make_policy("razor-attention");
  p.protect_first = 1, p.full_heads = 0, p.protect_newest = 2, p.protect_newest_share = 0;
  const FloatSource source = values.source();
  const Reference reference(source);
  const Quantized model(source, reference, p);
  const Schedule schedule{values.shape, p};
  EXPECT_EQ(schedule.merged(1, 0, 0), 7u);
  EXPECT_EQ(schedule.merged_token(1), 11u);
  EXPECT_EQ(schedule.merged(0, 0, 0), 0u) << "the prompt sees all";
  const HeadCodes& c = model.head(0, 0);
  EXPECT_EQ(c.k[11 * 8], 64);
  EXPECT_EQ(c.v[11 * 8], 4);
  // Exponentials 2^20 and 2^19 for token 0 and each of 8 and 9; the merged one's counts seven times: in all
  // 2^20 + 9 * 2^19, of which it has 7/11, as the seven would.
  Attention attention(model);
  GroupRow row;
  const Tokens live = {0, 8, 9, 11};
  attention.run(0, 0, 9, live.data(), 4, 1, false, row, 7);
  EXPECT_EQ(row.denominator[0], (std::uint64_t{1} << 20) + 9 * (std::uint64_t{1} << 19));
  EXPECT_NEAR(row.p[0], 65536 * 2 / 11.0, 1);
  EXPECT_NEAR(row.p[1], 65536 / 11.0, 1);
  EXPECT_NEAR(row.p[3], 65536 * 7 / 11.0, 1);
  compared.add(9);
  Policy bad = p;
  bad.tokens = {0.5, 0.5};
  EXPECT_EQ(find_violation(bad)->key, "tokens.start");
  bad = p, bad.scope = ImportanceScope::shared, bad.full_heads = 0;
  EXPECT_EQ(find_violation(bad)->key, "scope");
  Shape long_one = values.shape;
  long_one.tokens = 5000, long_one.prompt = 4999;
  EXPECT_THROW(decisions_of(p, long_one), Error);
}

TEST(S2, ByHand) {
  Compared compared;
  const Policy p = make_policy("s2");
  // Blocks of 16 in turn to four shards: head 0 has blocks 0 and 4, head 1 blocks 1 and 5. An eighth of 100 is 12.
  const Cascade c = at_step_1(p, shape_of(100));
  EXPECT_EQ(c.live(0, 0), range(0, 16) + range(64, 80) + range(88, 100));
  EXPECT_EQ(c.live(1, 1), range(16, 32) + range(80, 100));
  compared.add(44 + 36);
}

// Distances 0.5, 1 | 1, 0.25: a third of four heads is two, the farthest of each layer. The others keep a quarter of
// 40, of which the first four and the newest five are sure, and what earned most.
TEST(TaskKv, ByHand) {
  Compared compared;
  const Policy p = make_policy("task-kv");
  Shape s = shape_of(40);
  HeadTensors t = *s.tensors;
  t.distances = {0.5f, 1.0f, 1.0f, 0.25f};
  s.tensors = std::make_shared<const HeadTensors>(t);
  Cascade c(s, p);
  c.begin_step(0);
  c.add_token(0, 0, 20, 7), c.add_token(1, 1, 30, 7), c.add_token(0, 1, 10, 9);
  c.begin_step(1);
  EXPECT_EQ(c.live(0, 0), range(0, 4) + Tokens{20} + range(35, 40));
  EXPECT_EQ(c.live(0, 1), range(0, 40));
  EXPECT_EQ(c.live(1, 0), range(0, 40));
  EXPECT_EQ(c.live(1, 1), range(0, 4) + Tokens{30} + range(35, 40));
  compared.add(100);
  // By scores, 0.1, 0.9 | 0.5, 0.1, the same heads; by equal distances the first of all.
  t.distances = {1, 1, 1, 1};
  s.tensors = std::make_shared<const HeadTensors>(t);
  EXPECT_EQ(at_step_1(p, s).live(0, 0), range(0, 40));
  EXPECT_EQ(at_step_1(p, s).live(1, 0).size(), 10u);
  t.distances.clear();
  s.tensors = std::make_shared<const HeadTensors>(t);
  try {
    decisions_of(p, s);
    ADD_FAILURE() << "no distances";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "policy task-kv: full_heads: the trace has no head_distances: must have 4");
  }
  compared.add(4);
}

// Two layers of two KV heads, twelve tokens, of which two are generated.
TEST(Masked, ByHand) {
  Compared compared;
  Policy p = make_policy("masked");
  Shape s{2, 4, 2, 16, 12, 10, true, 0.25};
  HeadTensors t;
  t.mask.assign(2 * 2 * 2 * 12, 0);
  const auto sees = [&t](int layer, int kv, int step, Tokens tokens) {
    for (const std::uint32_t token : tokens)
      t.mask[static_cast<std::size_t>(((layer * 2 + kv) * 2 + step - 1) * 12) + token] = 1;
  };
  sees(0, 0, 1, {2, 5}), sees(0, 1, 1, range(0, 12)), sees(1, 0, 1, {10}), sees(1, 1, 2, {0, 10});
  s.tensors = std::make_shared<const HeadTensors>(t);
  Cascade c = at_step_1(p, s);
  EXPECT_EQ(c.live(0, 0), (Tokens{2, 5, 10}));
  EXPECT_EQ(c.live(0, 1), range(0, 11)) << "what is not there yet is not seen";
  EXPECT_EQ(c.live(1, 0), Tokens{10});
  EXPECT_EQ(c.live(1, 1), Tokens{10}) << "a mask that keeps none keeps the query's own token";
  c.begin_step(2);
  EXPECT_EQ(c.live(0, 0), Tokens{11});
  EXPECT_EQ(c.live(1, 1), (Tokens{0, 10, 11}));
  // The prompt sees all.
  c.begin_step(0);
  EXPECT_EQ(c.live(1, 1), range(0, 10));
  compared.add(30);
  for (const std::size_t entries : {std::size_t{0}, t.mask.size() - 1}) {
    HeadTensors lacks;
    lacks.mask.assign(entries, 1);
    Shape wrong = s;
    wrong.tensors = std::make_shared<const HeadTensors>(lacks);
    EXPECT_THROW(decisions_of(p, wrong), Error);
    compared.add();
  }
  p.protect_newest = 0;
  EXPECT_EQ(find_violation(p)->key, "protect_newest");
  p = make_policy("masked"), p.tokens = {0.5, 0.5};
  EXPECT_EQ(find_violation(p)->key, "tokens.start");
  p = make_policy("masked"), p.scope = ImportanceScope::shared;
  EXPECT_EQ(find_violation(p)->key, "scope");
  p = make_policy("masked"), p.shards = 2;
  EXPECT_EQ(find_violation(p)->key, "shards");
  p = make_policy("razor-attention"), p.token_mask = TokenMask::trace;
  EXPECT_EQ(find_violation(p)->key, "token_mask");
  compared.add(5);
}

TEST(Routing, ByHand) {
  Compared compared;
  const Policy p = make_policy("routing");
  Shape s{1, 2, 2, 16, 8, 7, true, 0.25};
  HeadTensors t;
  t.clusters = {0, 1, 2, 0, 1, 2, 0, 1, 5, 5, 5, 5, 5, 5, 5, 5};
  s.tensors = std::make_shared<const HeadTensors>(t);
  const Cascade c = at_step_1(p, s);
  EXPECT_EQ(c.live(0, 0), (Tokens{1, 4, 7}));
  EXPECT_EQ(c.live(0, 1), range(0, 8)) << "one cluster is everybody";
  compared.add(11);
  t.clusters.back() = 6;  // of nobody else
  s.tensors = std::make_shared<const HeadTensors>(t);
  EXPECT_EQ(at_step_1(p, s).live(0, 1), Tokens{7});
  s.tensors = std::make_shared<const HeadTensors>();
  EXPECT_THROW(decisions_of(p, s), Error);
  compared.add(2);
}

// Three query heads with gates 1, a half and none: outputs of the same row at 1, a half and 0.
TEST(HeadWeights, GateByHand) {
  Compared compared;
  Values values;
  values.shape = {1, 3, 1, 8, 3, 2, true, 0.25};
  HeadTensors t;
  t.weights = {1, 1, 1, 0.5f, 0.5f, 0.5f, 1, 1, 0};
  values.shape.tensors = std::make_shared<const HeadTensors>(t);
  std::vector<float> q(24, 1), k(24, 1), v(24);
  for (std::size_t i = 0; i < 24; ++i) v[i] = static_cast<float>(i % 8 < 4 ? 2000 : -1000);
  values.q.assign(3, q), values.k.assign(1, k), values.v.assign(1, v);
  Policy p = make_policy("dense");
  p.head_weights = HeadWeights::gate;
  const FloatSource source = values.source();
  const Reference reference(source);
  const Quantized model(source, reference, p);
  EXPECT_EQ(model.head(0, 0).head_weight,
            (std::vector<std::uint16_t>{65535, 32768, 65535, 65535, 32768, 65535, 65535, 32768, 0}));
  const Layout layout(values.shape, p, 64);
  EXPECT_EQ(layout.query(0, 0).item_bytes, 8 * 12 / 8 + 2u);
  Walk walk(model, layout, &reference);
  LayerResult r;
  while (walk.next(r) && walk.step() < values.shape.steps()) {
  }
  for (std::size_t d = 0; d < 8; ++d) {
    EXPECT_LE(std::abs(2 * r.out[8 + d] - r.out[d]), 1) << "a half, rounded";
    EXPECT_EQ(r.out[16 + d], 0);
    compared.add(2);
  }
  EXPECT_EQ(r.heads[0], 7u) << "a gate leaves no head out";
  EXPECT_LT(r.error.difference, 1e-3 * r.error.reference) << "the float reference is gated too";
  compared.add(11);
}

// A router's step: of two KV heads the first has one query head left, the second none; its K and V are not read.
TEST(HeadWeights, RouteByHand) {
  Compared compared;
  Random random(3);
  Shape shape{1, 4, 2, 8, 6, 5, true, 0.3};
  HeadTensors t;
  t.weights.assign(4 * 6, 0.75f);
  for (const std::size_t head : {1, 2, 3}) t.weights[head * 6 + 5] = 0;
  shape.tensors = std::make_shared<const HeadTensors>(t);
  const Values values = random_values(shape, random, 1);
  const FloatSource source = values.source();
  const Reference reference(source);
  const Policy p = make_policy("moh");
  const Quantized model(source, reference, p);
  const Layout layout(shape, p, 64);
  Walk walk(model, layout, nullptr);
  LayerResult r;
  ASSERT_TRUE(walk.next(r));
  EXPECT_EQ(r.heads, (std::vector<std::uint32_t>{3, 3})) << "a prompt runs all heads";
  ASSERT_TRUE(walk.next(r));
  EXPECT_EQ(r.heads, (std::vector<std::uint32_t>{1, 0}));
  for (std::size_t i = 8; i < 32; ++i) EXPECT_EQ(r.out[i], 0);
  EXPECT_EQ(r.accesses.useful[static_cast<std::size_t>(Kind::key_msb)], 6u * 8 * 12 / 8) << "of one KV head";
  EXPECT_EQ(r.accesses.useful[static_cast<std::size_t>(Kind::query)], 8u * 12 / 8 + 2) << "of one query head";
  compared.add(30);
  t.weights[5] = 0;
  Shape none = shape;
  none.tensors = std::make_shared<const HeadTensors>(t);
  try {
    decisions_of(p, none);
    ADD_FAILURE() << "nobody runs";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "policy moh: head_weights: layer 0, token 5: all heads have weight 0: one at least must be above");
  }
  Policy both = p;
  both.heads = {1, 0.5};
  EXPECT_EQ(find_violation(both)->key, "heads.start");
  compared.add(2);
}

// The budget is kept and protection holds, of every rule by place, at every length; nobody is named twice.
TEST(Places, BudgetsAndProtection) {
  Compared compared(100000);
  for (const char* name : {"sink-window", "h2o", "duo-attention", "razor-attention", "s2", "recycled", "sparse-d"}) {
    const Policy p = make_policy(name);
    // The first step that chooses.
    const int step = p.full_every ? 2 : 1;
    for (int n = 1 + step; n <= 200; ++n) {
      Shape s = shape_of(n);
      s.prompt = n - step;
      Cascade c = at_step_1(p, s);
      if (step == 2) c.begin_step(2);
      const Schedule schedule{s, p};
      for (int layer = 0; layer < 2; ++layer)
        for (int kv = 0; kv < 2; ++kv) {
          const Tokens& live = c.live(layer, kv);
          const TokenChoice choice = schedule.tokens(step, layer, kv);
          ASSERT_EQ(live.size(), std::min<std::size_t>(choice.keep, static_cast<std::size_t>(n))) << name << ' ' << n;
          ASSERT_TRUE(std::is_sorted(live.begin(), live.end()));
          ASSERT_EQ(std::adjacent_find(live.begin(), live.end()), live.end());
          ASSERT_EQ(live.back(), static_cast<std::uint32_t>(n - 1)) << "the newest token stays";
          for (std::uint32_t t = 0; t < static_cast<std::uint32_t>(n); ++t)
            if (choice.is_protected(t)) {
              ASSERT_TRUE(std::binary_search(live.begin(), live.end(), t)) << name << ' ' << n << ' ' << t;
            }
          // Blocks are whole, but for the newest, and no more of them than the share has room for.
          const auto block = static_cast<std::uint32_t>(p.importance_block);
          for (std::uint32_t t : live)
            for (std::uint32_t u = t / block * block;
                 u < std::min(t / block * block + block, static_cast<std::uint32_t>(n)); ++u)
              ASSERT_TRUE(std::binary_search(live.begin(), live.end(), u)) << name << ' ' << n << ' ' << t;
          compared.add(2 * live.size());
        }
    }
  }
}

// D 8, one head, as in test_hand.cpp: a score of 1 is 2^-12 octaves. Of each token's K and V dimension 0.
Values three_tokens(const std::array<float, 3>& k0, const std::array<float, 3>& v0) {
  Values values;
  values.shape = {1, 1, 1, 8, 3, 3, false, std::log(2.0) / 4096};
  std::vector<float> q(24), k(24), v(24);
  for (std::size_t t = 0; t < 3; ++t) {
    q[t * 8] = 64, q[t * 8 + 7] = 2047, q[t * 8 + 5] = -2047;
    k[t * 8] = k0[t], v[t * 8] = v0[t];
  }
  k[6] = 2047;
  values.q.push_back(q), values.k.push_back(k), values.v.push_back(v);
  return values;
}

// |q| adds up to 64 + 2 * 2047 = 4158. Behind the
// first digit of 8 bits four are unread: they move two scores by at most 4158 * 15 = 62,370. A thousandth is 40,819
// below. So who is more than 40,819 + 62,370 + 1 = 103,190 below the largest is dropped.
TEST(EarlyExit, ByHand) {
  Compared compared;
  // K 2047, 432 and 415 read as 2032, 432 and 400: 64 * 1600 = 102,400 below, and 64 * 1632 = 104,448.
  const Values values = three_tokens({2047, 432, 415}, {2047, 2047, 2047});
  Policy p = make_policy("early-exit");
  p.k_digits = {8, 4}, p.k_scale = KeyScale::tensor, p.msb = MsbRule::truncate;
  const FloatSource source = values.source();
  const Reference reference(source);
  const Quantized model(source, reference, p);
  Attention attention(model);
  GroupRow row;
  const Tokens live = {0, 1, 2};
  attention.run(0, 0, 0, live.data(), 3, 1, false, row);
  EXPECT_EQ(row.stages, 1);
  EXPECT_EQ(row.survivors[0], (Tokens{0, 1}));
  // Read whole, 432 is 64 * 1615 = 103,360 below: more than a thousandth, so its weight is 0.
  EXPECT_EQ(row.p, (std::vector<std::uint16_t>{65535, 0, 0}));
  EXPECT_EQ(row.denominator[0], std::uint64_t{kExpOne});
  compared.add(7);
  // All equal: nobody can be told from the largest. One token: it is the largest.
  const Tokens same = {1, 1, 1};
  attention.run(0, 0, 0, same.data(), 3, 1, false, row);
  EXPECT_EQ(row.survivors[0], (Tokens{0, 1, 2}));
  attention.run(0, 0, 0, same.data(), 1, 1, false, row);
  EXPECT_EQ(row.survivors[0], Tokens{0});
  compared.add(4);
}

// The keys of EarlyExit's case: the first digit reads 2032, 432 and 400, which is 102,400 and 104,448 below the first.
// 2^-25 is a margin of 25 octaves, 102,400: token 1 just stays.
TEST(Anchor, ByHand) {
  Compared compared;
  const Values values = three_tokens({2047, 432, 415}, {2047, 2047, 2047});
  const auto survivors = [&](int first, int newest, double threshold) {
    Policy p = make_policy("anchor");
    p.k_digits = {8, 4}, p.k_scale = KeyScale::tensor, p.msb = MsbRule::truncate;
    p.protect_first = first, p.protect_newest = newest, p.score_threshold = threshold;
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, p);
    Attention attention(model);
    GroupRow row;
    const Tokens live = {0, 1, 2};
    attention.run(0, 0, 2, live.data(), 3, 1, false, row);
    compared.add(row.survivors[0].size());
    return row.survivors[0];
  };
  const double margin = std::exp2(-25.0);
  EXPECT_EQ(survivors(1, 0, margin), (Tokens{0, 1}));
  EXPECT_EQ(survivors(1, 0, margin * 1.001), Tokens{0});
  EXPECT_EQ(survivors(1, 1, margin), (Tokens{0, 1, 2})) << "the newest stays in any case";
  // The anchor is what the newest token scores: everybody is above it.
  EXPECT_EQ(survivors(0, 1, 1), (Tokens{0, 1, 2}));
}

// Three tokens so far: a score of s octaves weighs 2^s / (2^s + 3). K 64, 0 and 128 are one octave, none, two:
// 2 / 5, 1 / 4, 4 / 7. No weight of a row is divided by another.
TEST(Sigmoid, ByHand) {
  Compared compared;
  const Values values = three_tokens({64, 0, 128}, {0, 0, 2047});
  Policy p = make_policy("sigmoid");
  p.k_digits = {12}, p.threshold = 0;
  const FloatSource source = values.source();
  const Reference reference(source);
  const Quantized model(source, reference, p);
  Attention attention(model);
  GroupRow row;
  const Tokens live = {0, 1, 2};
  attention.run(0, 0, 2, live.data(), 3, 1, true, row);
  EXPECT_NEAR(row.p[0], 65536 * 0.4, 5);
  EXPECT_NEAR(row.p[1], 65536 * 0.25, 5);
  EXPECT_NEAR(row.p[2], 65536 * 4 / 7.0, 5);
  EXPECT_EQ(row.denominator[0], row.p[2]) << "the largest";
  // The output is V of token 2 times its weight, whatever the others weigh: one code of out is one of V.
  EXPECT_NEAR(row.out[0], 2047 * 4 / 7.0, 1);
  // Alone it weighs the same.
  const Tokens alone = {2};
  GroupRow one;
  attention.run(0, 0, 2, alone.data(), 1, 1, true, one);
  EXPECT_EQ(one.p[0], row.p[2]);
  EXPECT_EQ(one.out[0], row.out[0]);
  compared.add(7);
}

// What was dropped could not matter: probabilities, denominators and outputs are those of the row that is read whole,
// bit for bit, whatever digits, rounding, scales and threshold.
TEST(EarlyExit, LosesNothing) {
  Compared compared(500000);
  Random random(77);
  std::uint64_t dropped = 0, seen = 0;
  for (int i = 0; i < 3500; ++i) {
    Shape shape = random_shape(random);
    fewer_layers(shape, 1);
    Case c = random_case(random);
    while (!c.policy.by_bounds()) c = random_case(random);
    const Values values = random_values(shape, random, random.of<double>({0, 2, 6}));
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, c.policy);
    Attention attention(model);
    GroupRow row, whole;
    Tokens live(static_cast<std::size_t>(shape.tokens));
    std::iota(live.begin(), live.end(), 0u);
    const auto all = (1u << shape.group()) - 1;
    const int kv = random.between(0, shape.kv_heads - 1);
    SCOPED_TRACE(describe(c, shape));
    attention.run(0, kv, shape.tokens - 1, live.data(), shape.tokens, all, false, row);
    attention.run(0, kv, shape.tokens - 1, live.data(), shape.tokens, all, true, whole);
    ASSERT_EQ(row.p, whole.p);
    ASSERT_EQ(row.denominator, whole.denominator);
    ASSERT_EQ(row.out, whole.out);
    compared.add(row.p.size() + row.denominator.size() + row.out.size());
    seen += live.size(), dropped += live.size() - row.survivors[row.stages - 1].size();
  }
  std::printf("%llu of %llu tokens dropped\n", static_cast<unsigned long long>(dropped),
              static_cast<unsigned long long>(seen));
  EXPECT_GT(dropped, seen / 50);
}

// A policy that acts in generation steps would do nothing where there are none.
TEST(Rules, ThatWouldDoNothingAreRefused) {
  Shape encoder = shape_of(20);
  encoder.prompt = 20, encoder.causal = false;
  int refused = 0;
  for (const auto& entry : policies()) {
    const Policy p = entry.make();
    if (!p.pages_tokens() && (p.scope != ImportanceScope::kv_head || p.tokens.off())) {
      EXPECT_NO_THROW(require_effect(p, encoder)) << entry.name;
    } else {
      EXPECT_THROW(require_effect(p, encoder), Error) << entry.name;
      // Of one generation step, the first that sees all tokens is the only one.
      Shape decoder = shape_of(20);
      if (p.full_every) {
        EXPECT_THROW(require_effect(p, decoder), Error) << entry.name;
        decoder.prompt = 18;
      }
      EXPECT_NO_THROW(require_effect(p, decoder)) << entry.name;
      ++refused;
    }
  }
  EXPECT_GE(refused, 6);
}

}  // namespace
}  // namespace winnow::golden::test
