// Cases of two or three tokens whose every number can be followed on paper.
//
// Scales are made 1: dimension 7 of a query holds 2047 and dimension 5 -2047 (K is 0 there; in a decoder, whose queries
// have headroom of an eighth, 2047 / 1.125), dimension 6 of K holds its largest code (queries are 0 there). The
// attention scale ln 2 / 4096 makes a score of 1 one unit of 2^-12 octaves. So with 64 in dimension 0 of a query, a K
// of 64 there is a score of 4096: one octave.
#include <cmath>

#include "golden/walk.h"
#include "tests/golden/cases.h"

namespace winnow::golden::test {
namespace {

struct Hand {
  Values values;
  // k0: dimension 0 of each token's K.
  Hand(int layers, int prompt, bool causal, std::vector<float> k0, float k_largest, std::vector<std::vector<float>> v) {
    const auto n = k0.size();
    values.shape = {layers, 1, 1, 8, static_cast<int>(n), prompt, causal, std::log(2.0) / 4096};
    std::vector<float> q(n * 8), k(n * 8), flat_v(n * 8);
    for (std::size_t t = 0; t < n; ++t) {
      q[t * 8] = 64, q[t * 8 + 7] = causal ? 2047 / 1.125f : 2047, q[t * 8 + 5] = -q[t * 8 + 7];
      k[t * 8] = k0[t];
      for (std::size_t d = 0; d < v[t].size(); ++d) flat_v[t * 8 + d] = v[t][d];
    }
    k[6] = k_largest;
    for (int l = 0; l < layers; ++l) values.q.push_back(q), values.k.push_back(k), values.v.push_back(flat_v);
  }
};

using Tokens = std::vector<std::uint32_t>;
using P = std::vector<std::uint16_t>;

// Two tokens, K 64 and 0: scores 4096 and 0, exponentials 2^20 and 2^19, sum 1,572,864.
// reciprocal = floor(2^52 / 1572864) = 2,863,311,530; p = 43690.67 and 21845.33 -> 43691, 21845 (2/3 and 1/3).
// Largest out is 2/3 * 2047, so one code of out is 2/3: to_out = 1.5 * 2^-32.
// Weights: 43691 * 65536 has 32 bits, exponent 20: 43691 / 16 = 2730.7 -> 2731, 21845 / 16 -> 1365.
const std::vector<std::vector<float>> kV = {{2047, 0, 300}, {0, 1500, -300}};

TEST(Hand, DenseEncoder) {
  Compared compared;
  const Hand hand(1, 2, false, {64, 0}, 2047, kV);
  const FloatSource source = hand.values.source();
  const Reference reference(source);
  Policy p;
  p.out_scale = OutScale::reference;
  const Quantized model(source, reference, p);
  ASSERT_EQ(model.head(0, 0).to_log2[0].mantissa, 32768u);
  ASSERT_EQ(model.head(0, 0).to_log2[0].shift, 15);
  ASSERT_EQ(model.head(0, 0).to_out[0].mantissa, 49152u);
  ASSERT_EQ(model.head(0, 0).to_out[0].shift, 47);
  Attention attention(model);
  GroupRow row;
  const Tokens live = {0, 1};
  attention.run(0, 0, 0, live.data(), 2, 1, true, row);
  EXPECT_EQ(row.denominator[0], 1572864u);
  EXPECT_EQ(row.p, (P{43691, 21845}));
  EXPECT_EQ(row.values, live);
  EXPECT_EQ(row.out[0], 2047);  // 2731 * 2047 * 1.5 / 4096 = 2047.3
  EXPECT_EQ(row.out[1], 750);   // 1365 * 1500 * 1.5 / 4096 = 749.8
  EXPECT_EQ(row.out[2], 150);   // (2731 - 1365) * 300 * 1.5 / 4096 = 150.07
  EXPECT_EQ(row.out[3], 0);
  compared.add(12);
}

// The same, V of the larger half only: token 0. Renormalised: 65536 / 43691 = 49151 / 2^15 (cut); times to_out:
// 49152 * 49151 / 2^16 = 36863 (cut), shift 47 + 15 - 16 = 46.
TEST(Hand, LocalValueWithAndWithoutRenormalising) {
  Compared compared;
  const Hand hand(1, 2, false, {64, 0}, 2047, kV);
  const FloatSource source = hand.values.source();
  const Reference reference(source);
  Policy p;
  p.out_scale = OutScale::reference;
  p.local_value = 0.5, p.local_value_resident = ResidentValues::prune;
  for (const bool renormalise : {false, true}) {
    p.renormalise = renormalise;
    const Quantized model(source, reference, p);
    Attention attention(model);
    GroupRow row;
    const Tokens live = {0, 1};
    attention.run(0, 0, 1, live.data(), 2, 1, true, row);
    EXPECT_EQ(row.p, (P{43691, 21845}));  // importance sees what values lost
    EXPECT_EQ(row.values, Tokens{0});
    EXPECT_EQ(row.out[0], 2047);  // 2047.3; renormalised 3070.8, saturated
    EXPECT_EQ(row.out[1], 0);
    EXPECT_EQ(row.out[2], renormalise ? 450 : 300);  // 2731 * 300 * 36863 / 2^26 = 450.05; * 1.5 / 4096 = 300.04
    compared.add(6);
  }
}

// Runs the first query of the two tokens above.
GroupRow first_row(const Policy& policy) {
  const Hand hand(1, 2, false, {64, 0}, 2047, kV);
  const FloatSource source = hand.values.source();
  const Reference reference(source);
  const Quantized model(source, reference, policy);
  Attention attention(model);
  GroupRow row;
  const Tokens live = {0, 1};
  attention.run(0, 0, 0, live.data(), 2, 1, true, row);
  EXPECT_EQ(row.values, live);  // all of V is fetched
  return row;
}

// MNNFast: p is 2/3 and 1/3. Under a threshold of 0.4 (26,214 / 65536) V of token 1 is skipped: 2^19 * 65536 =
// 34,359,738,368 is below 26,214 * 1,572,864 = 41,231,056,896. What is kept keeps its probability.
// At 0.3333 (21,843: 34,356,068,352) it is not below, at 0.33334 (21,846: 34,360,786,944) it is. At 1 the row's largest
// is still there.
TEST(Hand, ValuesUnderAThresholdAreSkipped) {
  Compared compared;
  Policy p;
  p.out_scale = OutScale::reference;
  p.value_threshold = 0.4;
  const GroupRow row = first_row(p);
  EXPECT_EQ(row.denominator[0], 1572864u);
  EXPECT_EQ(row.p, (P{43691, 0}));
  EXPECT_EQ(row.out[0], 2047);  // 2731 * 2047 * 1.5 / 4096 = 2047.3
  EXPECT_EQ(row.out[1], 0);
  EXPECT_EQ(row.out[2], 300);  // 2731 * 300 * 1.5 / 4096 = 300.04
  p.value_threshold = 0.3333;
  EXPECT_EQ(first_row(p).p, (P{43691, 21845}));
  p.value_threshold = 0.33334;
  EXPECT_EQ(first_row(p).p, (P{43691, 0}));
  p.value_threshold = 1;
  EXPECT_EQ(first_row(p).p, (P{43691, 0}));
  compared.add(12);
}

// MNNFast's lazy softmax: weights are the exponentials in 16 bits, 65535 (saturated) and 32768; of 12 bits 4095
// (saturated) and 2048 under exponent 20. One over the sum: 2^36 / 1572864 = 43690 (cut), shift 20 - 4 = 16. Times
// to_out: 49152 * 43690 = 2,147,450,880, 65535 when cut to 16 bits, shift 47 + 16 - 15 = 48.
TEST(Hand, TheSumDividesAtTheEnd) {
  Compared compared;
  Policy p;
  p.out_scale = OutScale::reference;
  p.lazy_softmax = true;
  GroupRow row = first_row(p);
  EXPECT_EQ(row.p, (P{65535, 32768}));
  EXPECT_EQ(row.out[0], 2046);  // 4095 * 2047 * 65535 / 2^28 = 2046.46
  EXPECT_EQ(row.out[1], 750);   // 2048 * 1500 * 65535 / 2^28 = 749.99
  EXPECT_EQ(row.out[2], 150);   // 2047 * 300 * 65535 / 2^28 = 149.92
  p.value_threshold = 0.4;      // the sum is still that of both
  row = first_row(p);
  EXPECT_EQ(row.p, (P{65535, 0}));
  EXPECT_EQ(row.denominator[0], 1572864u);
  EXPECT_EQ(row.out[0], 2046);
  EXPECT_EQ(row.out[1], 0);
  EXPECT_EQ(row.out[2], 300);  // 4095 * 300 * 65535 / 2^28 = 299.92
  compared.add(11);
}

// A3's choice behind the scores: token 1 is one octave, half, below. A threshold of 0.5 keeps it, one of 0.51
// (0.971 octaves, 3978 units) does not, and token 0 then has all of the probability: 65535.
TEST(Hand, ScoresFarBelowTheLargestAreLeftOut) {
  Compared compared;
  Policy p;
  p.out_scale = OutScale::reference;
  p.score_threshold = 0.5;
  EXPECT_EQ(first_row(p).p, (P{43691, 21845}));
  p.score_threshold = 0.51;
  const GroupRow row = first_row(p);
  EXPECT_EQ(row.denominator[0], 1048576u);
  EXPECT_EQ(row.p, (P{65535, 0}));
  EXPECT_EQ(row.out[0], 2047);  // saturates
  EXPECT_EQ(row.out[1], 0);
  EXPECT_EQ(row.out[2], 450);  // 4095 * 300 * 1.5 / 4096 = 449.9
  compared.add(9);
}

// A3's search, one iteration for two keys: the one product that is not 0 is 64 * 64 of token 0.
TEST(Hand, OnlyCandidatesHaveScores) {
  Compared compared;
  Policy p;
  p.out_scale = OutScale::reference;
  p.candidates = 0.5;
  const GroupRow row = first_row(p);
  EXPECT_EQ(row.candidates[0], (Tokens{0}));
  EXPECT_EQ(row.denominator[0], 1048576u);
  EXPECT_EQ(row.p, (P{65535, 0}));
  compared.add(4);
}

// Three tokens, K 64, 72, 8 in digits 8 + 4. MSBs read 64, 64, 0: exponentials 1, 1, 1/2, sum 2,621,440, largest p 0.4.
// LSBs add 8: scores 4096, 4608, 512; 512 below is 1/8 octave, entry 8 of the table: 961,548; 4096 below is 524,288.
// p = 961548, 1048576, 524288 of 2534412: 24864.1, 27114.6, 13557.3.
TEST(Hand, ProgressiveRefetch) {
  Compared compared;
  const Hand hand(1, 2, true, {64, 72, 8}, 2047, {{2047}, {0, 1000}, {0, 0, 500}});
  const FloatSource source = hand.values.source();
  const Reference reference(source);
  Policy p;
  p.out_scale = OutScale::reference;
  p.k_digits = {8, 4};
  const Tokens live = {0, 1, 2};
  for (const double threshold : {0.39, 0.4, 0.41}) {
    p.threshold = threshold;
    const Quantized model(source, reference, p);
    Attention attention(model);
    GroupRow row;
    attention.run(0, 0, 2, live.data(), 3, 1, false, row);
    if (threshold < 0.405) {  // theta16 of 0.4 is 26214, and 2^36 < 26214 * 2621440 does not hold
      EXPECT_FALSE(row.refetched);
      EXPECT_EQ(row.denominator[0], 2621440u);
      EXPECT_EQ(row.p, (P{26214, 26214, 13107}));
    } else {
      EXPECT_TRUE(row.refetched);
      EXPECT_EQ(row.flat, 1);
      EXPECT_EQ(row.denominator[0], 961548u + 1048576 + 524288);
      EXPECT_EQ(row.p, (P{24864, 27115, 13557}));
    }
    // Encoders and prompts read full width at once.
    attention.run(0, 0, 2, live.data(), 3, 1, true, row);
    EXPECT_FALSE(row.refetched);
    EXPECT_EQ(row.p, (P{24864, 27115, 13557}));
    compared.add(7);
  }
}

// Three tokens, K 64, 71, 0 in digits 4 + 4 (largest 127). First digits read 64, 64, 0: p 26214, 26214, 13107.
// Mass 1/2: S = 65535, target = (32768 * 65535 + 65535) >> 16 = 32768; token 0 reaches 26214, token 1 52428: both stay.
// rest = 524288, under a maximum of 4096 + the half-step: 64 (sum of q) * 15 / 2 = 480. The second pass: scores 4096
// and 4544, maximum 4544. d = 4096 + 480 - 4544 = 32: 2^(32/4096) = 2 * 2^-(4064/4096) = 2 * 527143 / 2^20, so rest =
// 527143. Truncated digits have no half-step: d = -448, entry 7 of the table, 972019 / 2^20: rest = 486009. Token 0 is
// 448 below: 972019.
TEST(Hand, SelectionByMassWithRest) {
  Compared compared;
  const Hand hand(1, 2, true, {64, 71, 0}, 127, {{127}, {0, 100}, {0, 0, 50}});
  const FloatSource source = hand.values.source();
  const Reference reference(source);
  Policy p;
  p.out_scale = OutScale::reference;
  p.k_digits = {4, 4}, p.v_bits = 8;
  p.select = SelectRule::mass, p.select_keep = {0.5};
  const Tokens live = {0, 1, 2};
  const auto denominator = [&](MsbRule msb, bool rest) {
    p.msb = msb, p.rest = rest;
    const Quantized model(source, reference, p);
    Attention attention(model);
    GroupRow row;
    attention.run(0, 0, 2, live.data(), 3, 1, false, row);
    EXPECT_EQ(row.stages, 1);
    EXPECT_EQ(row.survivors[0], (Tokens{0, 1}));
    EXPECT_EQ(row.values, (Tokens{0, 1}));
    EXPECT_EQ(row.p[2], 0);
    // 65536 * 2^20 / denominator, rounded
    EXPECT_EQ(row.p[1],
              static_cast<int>(std::floor(65536.0 * 1048576 / static_cast<double>(row.denominator[0]) + 0.5)));
    compared.add(5);
    return row.denominator[0];
  };
  EXPECT_EQ(denominator(MsbRule::midpoint, false), 972019u + 1048576);
  EXPECT_EQ(denominator(MsbRule::truncate, false), 972019u + 1048576);
  EXPECT_EQ(denominator(MsbRule::midpoint, true), 972019u + 1048576 + 527143);
  EXPECT_EQ(denominator(MsbRule::truncate, true), 972019u + 1048576 + 486009);
  // By count, a third: ceil(0.34 * 3) = 2 of three; ceil(0.33 * 3) = 1, the first of equals.
  p.select = SelectRule::count, p.rest = false;
  for (const double keep : {0.33, 0.34}) {
    p.select_keep = {keep};
    const Quantized model(source, reference, p);
    Attention attention(model);
    GroupRow row;
    attention.run(0, 0, 2, live.data(), 3, 1, false, row);
    EXPECT_EQ(row.survivors[0], keep < 0.335 ? Tokens{0} : (Tokens{0, 1}));
    compared.add();
  }
}

// Two layers, three tokens, K 64, 64, 0: every query gives p 26214, 26214, 13107, three queries 78642, 78642, 39321.
// Layer 0 is free (the first ceil(0.15 * 2) = 1); layer 1 keeps floor(0.67 * 3) = 2: tokens 0 and 1, p 1/2 each.
TEST(Hand, CascadeOfTokens) {
  Compared compared;
  const Hand hand(2, 3, false, {64, 64, 0}, 2047, {{2047}, {0, 1000}, {0, 0, 500}});
  const FloatSource source = hand.values.source();
  const Reference reference(source);
  Policy p;
  p.out_scale = OutScale::reference;
  p.tokens = {0.67, 0.67};
  const Quantized model(source, reference, p);
  const Layout layout(hand.values.shape, p, 32);
  Walk walk(model, layout, &reference);
  LayerResult r;
  ASSERT_TRUE(walk.next(r));
  EXPECT_EQ(r.live[0], (Tokens{0, 1, 2}));
  EXPECT_EQ(r.importance, (std::vector<std::uint64_t>{78642, 78642, 39321}));
  EXPECT_EQ(r.next_live, (Tokens{0, 1}));
  // 3 tokens * 8 * 12 bit = 36 B of K and of V, in two bursts each; 3 outputs of 12 B, a burst each.
  EXPECT_EQ(r.accesses.useful_of(Kind::key_msb), 36u);
  EXPECT_EQ(r.accesses.useful_of(Kind::value), 36u);
  EXPECT_EQ(r.accesses.kv_bursts(), 4u);
  EXPECT_EQ(r.accesses.write_bursts, 3u);
  ASSERT_TRUE(walk.next(r));
  EXPECT_EQ(r.positions, (Tokens{0, 1}));
  // Two queries see tokens 0 and 1: p 32768 each.
  EXPECT_EQ(r.importance, (std::vector<std::uint64_t>{78642 + 65536, 78642 + 65536, 39321}));
  EXPECT_EQ(r.accesses.useful_of(Kind::key_msb), 24u);
  EXPECT_EQ(r.accesses.kv_bursts(), 2u);
  // The pruned query's output counts as 0 over all, and is absent over what is kept.
  EXPECT_EQ(r.error.rows.size(), 2u);
  EXPECT_GT(r.error.difference_all, 1.4 * r.error.difference);
  EXPECT_FALSE(walk.next(r));
  compared.add(17);
}

}  // namespace
}  // namespace winnow::golden::test
