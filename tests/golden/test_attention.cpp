// Rows of golden/attention.h against two references (oracle.h) over random models, policies and live lists.
#include <algorithm>
#include <cmath>

#include "tests/golden/oracle.h"

namespace winnow::golden::test {
namespace {

template <class A, class B>
void same(const A& a, const B& b, const char* what, Compared& compared) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(static_cast<std::int64_t>(a[i]), static_cast<std::int64_t>(b[i])) << what << ' ' << i;
  compared.add(a.size());
}

// The rivals' rules, alone and together, with whatever of the other rules they go with.
TEST(Attention, RivalsEqualIntegers) {
  Compared compared(800000);
  Random random(16);
  std::uint64_t searched = 0, fewer = 0, skipped = 0, left_out = 0, lazy = 0;
  for (int i = 0; i < 1500; ++i) {
    Shape shape = random_shape(random);
    fewer_layers(shape, 2);
    Case c = random_case(random);
    random_rival(c, random);
    const Values values = random_values(shape, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, c.policy);
    Attention attention(model);
    GroupRow row;
    for (int n = 0; n < 4; ++n) {
      const int position = random.between(0, shape.tokens - 1);
      std::vector<std::uint32_t> live;
      for (int t = 0; t <= (shape.causal ? position : shape.tokens - 1); ++t)
        if (random.chance(80)) live.push_back(static_cast<std::uint32_t>(t));
      if (live.empty()) live.push_back(0);
      const auto all = (1u << shape.group()) - 1;
      const auto heads = random.chance(60) ? all : static_cast<std::uint32_t>(1 + random.below(all));
      const int layer = random.between(0, shape.layers - 1), kv = random.between(0, shape.kv_heads - 1);
      const bool full = random.chance(25);
      SCOPED_TRACE(describe(c, shape));
      attention.run(layer, kv, position, live.data(), static_cast<int>(live.size()), heads, full, row);
      const Row expected = integer_row(model, c, layer, kv, position, live, heads, full);
      ASSERT_EQ(row.candidates.size(), expected.candidates.size());
      for (std::size_t g = 0; g < row.candidates.size(); ++g) {
        same(row.candidates[g], expected.candidates[g], "candidate", compared);
        searched += !row.candidates[g].empty(), fewer += row.candidates[g].size() < live.size();
      }
      same(row.denominator, expected.denominator, "denominator", compared);
      same(row.p, expected.p, "weight", compared);
      same(row.values, expected.values, "value", compared);
      same(row.out, expected.out, "output", compared);
      if (testing::Test::HasFatalFailure()) return;
      const auto zeros = static_cast<std::uint64_t>(std::count(row.p.begin(), row.p.end(), 0));
      skipped += c.value_threshold ? zeros : 0, left_out += c.score_threshold ? zeros : 0;
      lazy += c.policy.lazy_softmax;
      // Something of every live head is weighed.
      for (std::size_t g = 0; g < static_cast<std::size_t>(shape.group()); ++g)
        if ((heads >> g) & 1) {
          const auto from = row.p.begin() + static_cast<std::ptrdiff_t>(g * live.size());
          ASSERT_TRUE(std::any_of(from, from + static_cast<std::ptrdiff_t>(live.size()), [](auto p) { return p > 0; }));
        }
    }
  }
  std::printf("%llu searches, %llu of them left keys out; %llu weights skipped, %llu scores left out, %llu lazy rows\n",
              static_cast<unsigned long long>(searched), static_cast<unsigned long long>(fewer),
              static_cast<unsigned long long>(skipped), static_cast<unsigned long long>(left_out),
              static_cast<unsigned long long>(lazy));
  EXPECT_GT(searched, 2000u);
  EXPECT_GT(fewer, 1500u);
  EXPECT_GT(skipped, 10'000u);
  EXPECT_GT(left_out, 10'000u);
  EXPECT_GT(lazy, 1000u);
}

TEST(Attention, EqualsIntegersAndLiesWithinFloatBounds) {
  Compared compared(3000000);
  Random random(11), first(110);
  Bounds bounds, crude_bounds;
  std::uint64_t rows = 0, crude = 0, compensated = 0, refetched = 0, dropped = 0, cut_values = 0, dead = 0, multi = 0;
  for (int i = 0; i < 3200; ++i) {
    Shape shape = random_shape(random);
    fewer_layers(shape, 2);
    Case c = random_case(random);
    if (i % 2) random_first_pass(c, first);
    const bool is_crude = c.policy.first_q_bits < 12 || c.policy.first_exp != FirstExp::exact || c.policy.compensate;
    const Values values = random_values(shape, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, c.policy);
    Attention attention(model);
    GroupRow row;
    for (int n = 0; n < 4; ++n) {
      // A live list with gaps, a position that need not be in it, heads that need not all live.
      const int position =
          c.policy.compensate ? first.between(shape.prompt - 1, shape.tokens - 1) : random.between(0, shape.tokens - 1);
      std::vector<std::uint32_t> live;
      for (int t = 0; t <= (shape.causal ? position : shape.tokens - 1); ++t)
        if (random.chance(80) || c.policy.compensate) live.push_back(static_cast<std::uint32_t>(t));
      if (live.empty()) live.push_back(0);
      const auto all = (1u << shape.group()) - 1;
      const auto heads = random.chance(60) ? all : static_cast<std::uint32_t>(1 + random.below(all));
      const int layer = random.between(0, shape.layers - 1), kv = random.between(0, shape.kv_heads - 1);
      const bool full = random.chance(25);
      SCOPED_TRACE(describe(c, shape));
      attention.run(layer, kv, position, live.data(), static_cast<int>(live.size()), heads, full, row);
      const Row expected = integer_row(model, c, layer, kv, position, live, heads, full);
      ASSERT_EQ(row.keys, static_cast<int>(live.size()));
      ASSERT_EQ(row.refetched, expected.refetched);
      ASSERT_EQ(row.flat, expected.flat);
      ASSERT_EQ(row.stages, static_cast<int>(expected.survivors.size()));
      for (int s = 0; s < row.stages; ++s)
        same(row.survivors[s], expected.survivors[static_cast<std::size_t>(s)], "survivor", compared);
      for (int s = row.stages; s < 3; ++s) ASSERT_TRUE(row.survivors[s].empty());
      same(row.denominator, expected.denominator, "denominator", compared);
      same(row.p, expected.p, "probability", compared);
      same(row.values, expected.values, "value", compared);
      same(row.out, expected.out, "output", compared);
      if (testing::Test::HasFatalFailure()) return;
      // What a threshold leaves out of the row is not there for float's error bounds.
      if (!c.policy.by_bounds())
        bound_row(model, layer, kv, position, live, heads, full, row, is_crude ? crude_bounds : bounds);
      if (testing::Test::HasFatalFailure()) return;
      ++rows, crude += is_crude && !full, refetched += row.refetched, multi += row.stages > 1, dead += heads != all;
      dropped += row.stages && row.survivors[row.stages - 1].size() < live.size();
      compensated += c.policy.compensate && row.stages && row.survivors[row.stages - 1].size() < live.size();
      cut_values += !row.stages && row.values.size() < live.size();
    }
  }
  for (const Bounds& b : {bounds, crude_bounds}) compared.add(b.probabilities + b.outputs + b.denominators);
  std::printf(
      "%llu rows: %llu refetched, %llu with tokens left out, %llu of several stages, %llu with values cut, %llu with "
      "dead heads\n",
      static_cast<unsigned long long>(rows), static_cast<unsigned long long>(refetched),
      static_cast<unsigned long long>(dropped), static_cast<unsigned long long>(multi),
      static_cast<unsigned long long>(cut_values), static_cast<unsigned long long>(dead));
  std::printf("float64, plain rows: probability off by at most %.3g, output by %.3g of V's largest\n",
              bounds.p_error_plain, bounds.out_error_plain);
  std::printf(
      "float64, all rows: probability %.3g (%.2f of its bound), denominator (%.2f), output %.3g of V's largest (%.2f); "
      "%llu outputs "
      "without bound\n",
      bounds.p_error, bounds.p_ratio, bounds.denominator_ratio, bounds.out_error, bounds.out_ratio,
      static_cast<unsigned long long>(bounds.unbounded));
  std::printf(
      "%llu rows with a crude first pass or compensated, %llu with tokens left out: probability %.2f of its bound, "
      "denominator %.2f, output %.2f\n",
      static_cast<unsigned long long>(crude), static_cast<unsigned long long>(compensated), crude_bounds.p_ratio,
      crude_bounds.denominator_ratio, crude_bounds.out_ratio);
  EXPECT_GT(crude, 1000u);
  EXPECT_GT(compensated, 400u);
  EXPECT_GT(crude_bounds.probabilities, 10'000u);
  EXPECT_GT(refetched, 300u);
  EXPECT_GT(dropped, 2000u);
  EXPECT_GT(multi, 2000u);
  EXPECT_GT(cut_values, 1500u);
  EXPECT_GT(dead, 2000u);
  EXPECT_LT(bounds.unbounded * 20, bounds.outputs);
  EXPECT_GT(bounds.p_ratio, 0.3) << "the bound is loose";
  EXPECT_GT(bounds.out_ratio, 0.3) << "the bound is loose";
}

// A crude first pass keeps by mass what carries most of the exact mass of the same digits. Its exponential of token j
// is the exact one times 2^e_j and a constant of the row, |e_j| <= h_j: from the query's rounding the step's half times
// the sum of the token's |digits|, from whole octaves 1/2 and 1/32 of the distance. So the odds of being left out grow
// by 2^(2h) at most, h the largest of them. What lies beyond the last octave is added.
TEST(Attention, ACrudeFirstPassLosesLittleMass) {
  Compared compared(3000);
  Random random(14);
  double tightest = 0, lost_most = 0, lost_mean = 0, allowed_mean = 0;
  int left_out = 0;
  for (int i = 0; i < 3000; ++i) {
    const Shape shape{1, 1, 1, 32, 96, 96, true, 0.17677};
    const Values values = random_values(shape, random, 0.2 + 0.001 * i);
    const FloatSource source = values.source();
    const Reference reference(source);
    Policy p = make_policy("select");
    const double mass = random.of<double>({0.8, 0.9, 0.95, 0.97});
    p.select_keep = {mass}, p.first_q_bits = random.of<int>({4, 5, 6, 8, 10, 12});
    p.first_exp = random.chance(70) ? FirstExp::pow2 : FirstExp::exact;
    const Quantized model(source, reference, p);
    Attention a(model);
    GroupRow row;
    std::vector<std::uint32_t> live(96);
    for (std::uint32_t t = 0; t < 96; ++t) live[t] = t;
    a.run(0, 0, 95, live.data(), 96, 1, false, row);
    const HeadCodes& c = model.head(0, 0);
    const std::int16_t* q = &c.q[95 * 32];
    int largest = 0;
    for (int d = 0; d < 32; ++d) largest = std::max(largest, std::abs(static_cast<int>(q[d])));
    const int shift = crude_shift(static_cast<std::uint32_t>(largest), p.first_q_bits);
    double step = shift ? std::ldexp(0.5, shift) : 0;
    if (2 * largest >= ((1 << p.first_q_bits) - 1) << shift) step *= 2;  // saturates
    const double unit = c.score_unit[0] * 1.4426950408889634;
    std::vector<double> exact(96), crude(96), reach(96);
    for (std::size_t t = 0; t < 96; ++t)
      for (std::size_t d = 0; d < 32; ++d) {
        const double k = 16.0 * c.k_digit[0][t * 32 + d];
        exact[t] += unit * q[d] * k;
        crude[t] += unit * crude_query(q[d], shift, p.first_q_bits) * (1 << shift) * k;
        reach[t] += unit * step * std::fabs(k);
      }
    const double top = *std::max_element(exact.begin(), exact.end()),
                 crude_top = *std::max_element(crude.begin(), crude.end());
    double all = 0, lost = 0, beyond = 0, h = 0;
    std::vector<bool> stays(96);
    for (std::uint32_t t : row.survivors[0]) stays[t] = true;
    for (std::size_t t = 0; t < 96; ++t) {
      const double w = std::exp2(exact[t] - top), distance = crude_top - crude[t];
      const bool pow2 = p.first_exp == FirstExp::pow2;
      all += w, lost += stays[t] ? 0 : w;
      if (distance > (pow2 ? 19 : 20)) {
        beyond += w;
        continue;
      }
      // The fixed point of an exact exponential: 2^-13 of an octave, and half a unit of 2^-20 of what is small.
      h = std::max(h, reach[t] + (pow2 ? 0.5 + distance * (0x1p-5 + 0x1p-16)
                                       : 0x1p-13 + distance * 0x1p-16 + std::exp2(distance - 20)));
    }
    // Probabilities are rounded to 2^-16, which moves a sum of 96 by half of that each.
    const double out = 1 - mass + 96.0 * 0x1p-16, odds = out / (1 - out) * std::exp2(2 * h);
    const double bound = odds / (1 + odds) + beyond / all;
    ASSERT_LE(lost / all, bound + 1e-9) << "q " << p.first_q_bits << " pow2 " << static_cast<int>(p.first_exp);
    tightest = std::max(tightest, lost / all / bound), lost_most = std::max(lost_most, lost / all);
    lost_mean += lost / all / 3000, allowed_mean += (1 - mass) / 3000;
    left_out += row.survivors[0].size() < 96;
    compared.add();
  }
  std::printf(
      "exact mass left out by a crude pass: mean %.4f (%.4f asked for), most %.4f, at most %.2f of its bound; %d rows "
      "leave tokens out\n",
      lost_mean, allowed_mean, lost_most, tightest, left_out);
  EXPECT_GT(left_out, 2000);
  EXPECT_GT(tightest, 0.3) << "the bound is loose";
}

// A compensated output against that of all tokens on the same codes, in float64. What is off is at most, in a channel:
// the survivors' probabilities times their V; the difference of what is left out from its mean, times V's distance from
// the mean V; and by how much rest is off in all, times that mean.
TEST(Attention, CompensationIsWithinItsBoundAndHelps) {
  Compared compared(50000);
  Random random(15);
  double tightest = 0, with2 = 0, without2 = 0, norm2 = 0;
  for (int i = 0; i < 1000; ++i) {
    const Shape shape{1, 3, 1, 24, 120, 120, true, 0.2};
    Values values = random_values(shape, random, 0.2 + 0.002 * i);
    for (std::size_t d = 0; d < 24; ++d) {  // V has a common part, as in real models
      const auto common = static_cast<float>(random.normal());
      for (std::size_t t = 0; t < 120; ++t) values.v[0][t * 24 + d] += common;
    }
    const FloatSource source = values.source();
    const Reference reference(source);
    Policy p = make_policy("select");
    p.select_keep = {random.of<double>({0.5, 0.8, 0.9, 0.95})}, p.v_bits = random.of<int>({6, 8});
    p.first_q_bits = random.of<int>({6, 8, 12}), p.first_exp = random.of<FirstExp>({FirstExp::exact, FirstExp::pow2});
    const Quantized plain(source, reference, p);
    p.compensate = true;
    const Quantized model(source, reference, p);
    Attention a(model), b(plain);
    GroupRow row, bare;
    std::vector<std::uint32_t> live(120);
    for (std::uint32_t t = 0; t < 120; ++t) live[t] = t;
    a.run(0, 0, 119, live.data(), 120, 7, false, row);
    b.run(0, 0, 119, live.data(), 120, 7, false, bare);
    ASSERT_EQ(row.survivors[0], bare.survivors[0]);
    ASSERT_EQ(row.p, bare.p);
    const HeadCodes& c = model.head(0, 0);
    std::vector<bool> stays(120);
    for (std::uint32_t t : row.survivors[0]) stays[t] = true;
    const double kept = static_cast<double>(row.survivors[0].size()), left = 120 - kept;
    const auto v = [&](std::size_t t, std::size_t d) { return c.v[t * 24 + d] * c.v16[t] / 65536.0 * c.v_unit; };
    for (std::size_t g = 0; g < 3; ++g) {
      if (c.out_unit[g] == 0) continue;
      std::vector<double> s(120);
      double top = -1e300, all = 0, share = 1, largest = 0;
      for (std::size_t t = 0; t < 120; ++t) {
        for (std::size_t d = 0; d < 24; ++d) s[t] += c.score_unit[g] * c.q[(119 * 3 + g) * 24 + d] * c.k[t * 24 + d];
        top = std::max(top, s[t]);
      }
      for (double x : s) all += std::exp(x - top);
      for (std::size_t t = 0; t < 120; ++t)
        share -= row.p[g * 120 + t] / 65536.0, largest = std::max(largest, row.p[g * 120 + t] / 65536.0);
      const double mean = left > 0 ? std::max(0.0, share) / left : 0;
      for (std::size_t d = 0; d < 24; ++d) {
        double exact = 0, bound = 0, mean_v = 0, most = 0, off_in_all = 0;
        for (std::size_t t = 0; t < 120; ++t)
          mean_v += stays[t] ? 0 : v(t, d) / left, most = std::max(most, std::fabs(v(t, d)));
        for (std::size_t t = 0; t < 120; ++t) {
          const double probability = std::exp(s[t] - top) / all;
          exact += probability * v(t, d);
          if (stays[t])
            bound += std::fabs(row.p[g * 120 + t] / 65536.0 - probability) * std::fabs(v(t, d));
          else
            bound += std::fabs(mean - probability) * std::fabs(v(t, d) - mean_v), off_in_all += mean - probability;
        }
        bound += std::fabs(off_in_all) * std::fabs(mean_v);
        // Fixed point: the mean is known from rounded probabilities here; weights, ΣV and the output are rounded.
        bound += 2 * most * (kept + 1) * 0x1p-17 + most * kept * (0x1p-11 * std::max(largest, mean) + 0x1p-24) +
                 mean * 60 * std::ldexp(c.v_unit, p.v_bits - 10) + std::fabs(exact) * 0x1p-13 + 0.51 * c.out_unit[g];
        if (std::fabs(exact) + bound > 2046 * c.out_unit[g]) continue;  // saturates
        const double with = row.out[g * 24 + d] * c.out_unit[g] - exact;
        const double without = bare.out[g * 24 + d] * c.out_unit[g] - exact;
        ASSERT_LE(std::fabs(with), bound) << "row " << i << " head " << g << " channel " << d;
        tightest = std::max(tightest, std::fabs(with) / bound);
        with2 += with * with, without2 += without * without, norm2 += exact * exact;
        compared.add();
      }
    }
  }
  std::printf("output of all tokens: off by %.2f %% compensated, %.2f %% not; at most %.2f of its bound\n",
              100 * std::sqrt(with2 / norm2), 100 * std::sqrt(without2 / norm2), tightest);
  EXPECT_LT(with2, without2);
  EXPECT_GT(tightest, 0.3) << "the bound is loose";
}

// The half-step of a mid-point reading is one constant a query while all tokens have the same bits: it changes nothing
// but where two passes' maxima are compared (rest).
TEST(Attention, MidpointAndTruncateAgreeWithoutRest) {
  Compared compared(50000);
  Random random(12);
  std::uint64_t differ = 0;
  for (int i = 0; i < 300; ++i) {
    Shape shape = random_shape(random);
    fewer_layers(shape, 1);
    Case c = random_case(random);
    const bool rest = c.policy.rest;
    const Values values = random_values(shape, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    Policy a = c.policy, b = c.policy;
    a.msb = MsbRule::midpoint, b.msb = MsbRule::truncate;
    const Quantized ma(source, reference, a), mb(source, reference, b);
    Attention aa(ma), ab(mb);
    GroupRow ra, rb;
    std::vector<std::uint32_t> live(static_cast<std::size_t>(shape.tokens));
    for (std::size_t t = 0; t < live.size(); ++t) live[t] = static_cast<std::uint32_t>(t);
    for (int kv = 0; kv < shape.kv_heads; ++kv) {
      const auto all = (1u << shape.group()) - 1;
      aa.run(0, kv, shape.tokens - 1, live.data(), shape.tokens, all, false, ra);
      ab.run(0, kv, shape.tokens - 1, live.data(), shape.tokens, all, false, rb);
      if (rest) {
        differ += ra.denominator != rb.denominator;
        continue;
      }
      ASSERT_EQ(ra.p, rb.p) << describe(c, shape);
      ASSERT_EQ(ra.out, rb.out);
      ASSERT_EQ(ra.denominator, rb.denominator);
      ASSERT_EQ(ra.values, rb.values);
      ASSERT_EQ(ra.refetched, rb.refetched);
      compared.add(ra.p.size() + ra.out.size() + ra.values.size() + 2);
    }
  }
  EXPECT_GT(differ, 10u) << "rest must see the half-step";
}

// The denominator with rest against the exact sum over all tokens, those left out on the digits that were read of them.
// Reading more digits of a token changes its exponential, so this says how good the first digits are, too.
TEST(Attention, RestComesCloseToTheWholeDenominator) {
  Compared compared(300);
  Random random(13);
  double mean_with = 0, mean_without = 0;
  for (int i = 0; i < 100; ++i) {
    const Shape shape{1, 4, 1, 64, 64, 64, true, 0.125};
    const Values values = random_values(shape, random, 0.5 + 0.01 * i);
    const FloatSource source = values.source();
    const Reference reference(source);
    Policy p = make_policy("select");
    p.k_digits = i % 2 ? std::vector<int>{4, 4} : std::vector<int>{4, 2, 4};
    p.select_keep = i % 2 ? std::vector<double>{0.9} : std::vector<double>{0.9, 0.9};
    const Quantized with(source, reference, p);
    p.rest = false;
    const Quantized without(source, reference, p);
    Attention a(with), b(without);
    GroupRow ra, rb;
    std::vector<std::uint32_t> live(64);
    for (std::uint32_t t = 0; t < 64; ++t) live[t] = t;
    a.run(0, 0, 63, live.data(), 64, 15, false, ra);
    b.run(0, 0, 63, live.data(), 64, 15, false, rb);
    ASSERT_EQ(ra.survivors[ra.stages - 1], rb.survivors[rb.stages - 1]);
    const HeadCodes& c = with.head(0, 0);
    for (std::size_t g = 0; g < 4; ++g) {
      // Float64 softmax of all tokens on full codes, under the survivors' maximum.
      std::vector<double> s(64);
      double top = -1e300, all = 0;
      for (std::size_t t = 0; t < 64; ++t)
        for (std::size_t d = 0; d < 64; ++d) s[t] += c.score_unit[g] * c.q[(63 * 4 + g) * 64 + d] * c.k[t * 64 + d];
      for (std::uint32_t t : ra.survivors[ra.stages - 1]) top = std::max(top, s[t]);
      for (double x : s) all += std::exp(x - top);
      const double exact = std::log(all);
      mean_with += std::fabs(std::log(static_cast<double>(ra.denominator[g]) / 1048576) - exact) / 400;
      mean_without += std::fabs(std::log(static_cast<double>(rb.denominator[g]) / 1048576) - exact) / 400;
      compared.add();
    }
  }
  std::printf("log of the denominator against all tokens: off by %.4f with rest, %.4f without (mean)\n", mean_with,
              mean_without);
  EXPECT_LT(mean_with, 0.03);
  EXPECT_LT(mean_with, mean_without / 3);
}

}  // namespace
}  // namespace winnow::golden::test
