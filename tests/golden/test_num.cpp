// golden/num.h against 128-bit integers and float64, over edges and random inputs.
#include <cmath>
#include <limits>

#include "golden/num.h"
#include "golden/quant.h"
#include "tests/golden/common.h"

namespace winnow::golden::test {
namespace {

constexpr std::int64_t kSaturated = std::int64_t{1} << 62;

// floor(x / 2^n), n >= 0, of a signed value, by division alone.
Int128 floor_shift(Int128 x, int n) {
  const Int128 d = static_cast<Int128>(1) << n;
  Int128 q = x / d;
  return x % d < 0 ? q - 1 : q;
}

TEST(Num, BitLength) {
  Compared compared;
  EXPECT_EQ(bit_length(0), 0);
  for (int i = 0; i < 64; ++i) {
    const std::uint64_t one = std::uint64_t{1} << i;
    ASSERT_EQ(bit_length(one), i + 1);
    ASSERT_EQ(bit_length(one | (one - 1)), i + 1);
    compared.add(2);
  }
}

TEST(Num, ExpTableIsThePowerRounded) {
  Compared compared;
  for (int i = 0; i <= 64; ++i) {
    ASSERT_EQ(kExpTable[i], static_cast<std::uint32_t>(std::lround(std::exp2(20 - i / 64.0)))) << i;
    compared.add();
  }
}

// Every t with a nonzero result, and far ones.
TEST(Num, Exp2NegErrorBound) {
  Compared compared(80000);
  double low = 0, high = 0, mean = 0, relative = 0;
  std::uint32_t before = kExpOne;
  for (std::uint64_t t = 0; t < 24u << kLogFraction; ++t) {
    const std::uint32_t y = exp2_neg(t);
    const double exact = std::exp2(20 - static_cast<double>(t) / 4096);
    const double error = y - exact;
    low = std::min(low, error), high = std::max(high, error);
    // Linear interpolation of a convex function: (ln 2 / 64)^2 / 8 = 1.47e-5 relative, always above; entry and product
    // rounding 1 unit more; the shift's rounding half a unit.
    ASSERT_LE(error, exact * 1.4665e-5 + std::exp2(-static_cast<double>(t >> 12)) * 1.5 + 0.5) << t;
    ASSERT_GE(error, -0.5 * std::exp2(-static_cast<double>(t >> 12)) - 0.5) << t;
    ASSERT_LE(y, before) << "not monotone at " << t;
    if (t < 4096) relative = std::max(relative, std::fabs(error) / exact), mean += error / exact / 4096;
    before = y;
    compared.add();
  }
  EXPECT_EQ(exp2_neg(0), kExpOne);
  EXPECT_EQ(exp2_neg(std::uint64_t{21} << 12), 0u);
  for (int i = 18; i < 64; ++i) EXPECT_EQ(exp2_neg(std::uint64_t{1} << i), 0u);
  EXPECT_EQ(exp2_neg(~std::uint64_t{0}), 0u);
  std::printf(
      "exp2_neg: error %.2f .. %.2f units of 2^-20 = %.3g of 1.0; relative in the first octave at most %.3g, mean "
      "%.3g\n",
      low, high, high / 1048576, relative, mean);
  // What num.h states.
  EXPECT_LE(high, 16.4);
  EXPECT_GE(low, -0.5);
  EXPECT_LE(relative, 1.67e-5);
}

// Every code, every number of bits, every power of two that a larger code may ask for.
TEST(Num, CrudeQueriesAreWithinHalfAStep) {
  Compared compared(40000);
  int saturated = 0;
  for (int bits = 2; bits <= 12; ++bits)
    for (int length = 0; length <= 11; ++length) {
      const int most_code = (1 << length) - 1, shift = crude_shift(static_cast<std::uint32_t>(most_code), bits),
                most = (1 << (bits - 1)) - 1;
      // The least power of two under which codes of that many bits fit but for rounding up.
      ASSERT_LT(most_code >> shift, 1 << (bits - 1));
      ASSERT_TRUE(shift == 0 || most_code >> (shift - 1) >= 1 << (bits - 1));
      for (int q = -most_code; q <= most_code; ++q) {
        const int x = crude_query(q, shift, bits), off = std::abs(x * (1 << shift) - q);
        ASSERT_LE(std::abs(x), most);
        const bool beyond = 2 * std::abs(q) >= (2 * most + 1) << shift;
        ASSERT_LE(2 * off, beyond ? (2 << shift) - 2 : shift ? 1 << shift : 0) << q << " in " << bits << " bits";
        if (bits == 12) {
          ASSERT_EQ(x, q);
        }
        saturated += beyond && shift;
        compared.add();
      }
    }
  EXPECT_GT(saturated, 100);
}

// Every mantissa: five bits, off by 1/32 at most, a sum of three shifted terms at most.
TEST(Num, OctaveScalesHaveFiveBits) {
  Compared compared(32768);
  double worst = 0;
  for (std::uint32_t m = 32768; m < 65536; ++m) {
    const Scale s = octave_scale({m, 7});
    ASSERT_GE(s.mantissa, 32768u);
    ASSERT_LT(s.mantissa, 65536u);
    ASSERT_EQ(s.mantissa % 2048, 0u);
    const double exact = std::ldexp(m, -7 - 12), off = std::fabs(std::ldexp(s.mantissa, -s.shift) / exact - 1);
    ASSERT_LE(off, 1.0 / 32);
    worst = std::max(worst, off);
    int terms = 0;
    for (std::uint32_t left = s.mantissa >> 11; left; left >>= 1)
      if (left & 1) ++terms, left += (left & 2) ? 1 : -1;  // signed digits, none beside another
    ASSERT_LE(terms, 3);
    compared.add();
  }
  EXPECT_EQ(octave_scale({}).mantissa, 0u);
  std::printf("octave_scale: off by at most %.4f of itself\n", worst);
}

TEST(Num, OctavesAreRoundedAndTheirProbabilityIsAShift) {
  Compared compared(300000);
  Random random(3);
  for (int i = 0; i < 100000; ++i) {
    const Scale to_log2{static_cast<std::uint32_t>(32768 + random.below(32768)), random.between(0, 40)};
    const auto below = static_cast<std::int64_t>(random.wide(32));
    const double t = std::ldexp(static_cast<double>(below) * to_log2.mantissa, -to_log2.shift - 12);
    const int k = octave_distance(below, octave_scale(to_log2));
    ASSERT_GE(k, 0);
    ASSERT_LE(k, 21);
    ASSERT_LE(std::fabs(k - std::min(t, 21.0)), 0.5 + t / 32 + 1e-9) << below;
    // A row's reciprocal: the denominator is at least 1.
    const std::uint64_t recip = reciprocal((std::uint64_t{1} << 20) + random.wide(39));
    ASSERT_EQ(pow2_exponential(k), exp2_neg(static_cast<std::uint64_t>(k) << 12));
    ASSERT_EQ(pow2_probability(k, recip), probability(pow2_exponential(k), recip)) << k;
    compared.add(3);
  }
  EXPECT_EQ(octave_distance(0, octave_scale({40000, 3})), 0);
  EXPECT_EQ(pow2_exponential(21), 0u);
}

TEST(Num, SumsOfValuesFitTheirWords) {
  Compared compared(100000);
  Random random(4);
  for (int v_bits = 2; v_bits <= 12; ++v_bits) {
    const int most = (1 << (v_bits - 1)) - 1;
    ASSERT_LT(static_cast<std::int64_t>(sum_term(most, 65536, v_bits)) * kMaxSummedTokens, 1 << 23);
    ASSERT_GT(static_cast<std::int64_t>(sum_term(-most, 65536, v_bits)) * kMaxSummedTokens, -(1 << 23));
    for (int i = 0; i < 10000; ++i) {
      const int code = random.between(-most, most);
      const auto v16 = static_cast<std::uint32_t>(random.chance(20) ? 65536 : random.below(65536));
      const double exact = std::ldexp(static_cast<double>(code) * v16, sum_fraction(v_bits) - 16),
                   off = sum_term(code, v16, v_bits) - exact;
      ASSERT_TRUE(off > -0.5 && off <= 0.5) << code << ' ' << v16;
      compared.add();
    }
  }
}

TEST(Num, MeansAndSignedWeightsAreWithinTheirErrors) {
  Compared compared(400000);
  Random random(5);
  double mean_off = 0;
  int negative = 0, by_mean = 0;
  for (int i = 0; i < 100000; ++i) {
    const std::uint64_t denominator = (std::uint64_t{1} << 20) + random.wide(39);
    const std::uint64_t rest = std::min(denominator, random.wide(40)), recip = reciprocal(denominator);
    const auto left = static_cast<std::uint32_t>(1 + random.wide(14));
    const std::uint64_t mean = mean_left_out(rest, recip, left);
    const double exact = std::ldexp(static_cast<double>(rest) / static_cast<double>(denominator) / left, 32);
    // Reciprocal of the row cut to an integer, share and mean rounded to 2^-32, reciprocal of the number cut to 16
    // bits.
    const double cut = std::ldexp(static_cast<double>(rest), -20) / left;
    ASSERT_LE(std::fabs(static_cast<double>(mean) - exact), cut + 0.5 / left + 0.5 + exact * 0x1p-15);
    if (exact > 65536) mean_off = std::max(mean_off, (std::fabs(static_cast<double>(mean) - exact) - cut) / exact);
    ASSERT_LE(mean, std::uint64_t{1} << 32);

    const auto p = static_cast<std::uint32_t>(random.wide(16)), v16 = static_cast<std::uint32_t>(random.below(65537));
    const std::int64_t wide = wide_weight_over(p, mean, v16);
    const double over = (std::ldexp(p, 16) - static_cast<double>(mean)) * v16 / 65536;
    ASSERT_LE(std::fabs(static_cast<double>(wide) - over), 128.0 * v16 / 65536 + 0.5);
    if (mean < 128) {
      ASSERT_EQ(wide, static_cast<std::int64_t>(wide_weight(p, v16)));
    }
    const auto size = static_cast<std::uint64_t>(wide < 0 ? -wide : wide);
    const int exponent = signed_exponent(size | random.wide(32), mean);
    const std::int32_t w = signed_weight12(wide, exponent);
    ASSERT_LE(std::abs(w), 2047);
    ASSERT_LE(std::fabs(std::ldexp(w, exponent) - static_cast<double>(wide)),
              std::ldexp(std::fabs(static_cast<double>(wide)) >= std::ldexp(2047, exponent) ? 1 : 0.5, exponent));
    const int v_bits = random.between(2, 12);
    const auto word = static_cast<std::int32_t>(random.wide(23)) * (random.chance(50) ? 1 : -1);
    const std::int64_t part = mul_scale(word, sum_scale(mean, v_bits, exponent));
    ASSERT_LT(std::llabs(part), std::int64_t{1} << 45);
    const double whole =
        std::ldexp(static_cast<double>(word) * static_cast<double>(mean), -sum_fraction(v_bits) - exponent);
    ASSERT_LE(std::fabs(static_cast<double>(part) - whole), 0.5 + std::fabs(whole) * 0x1p-15);
    negative += wide < 0, by_mean += exponent > 0 && bit_length(size) < 11;
    compared.add(4);
  }
  EXPECT_EQ(mean_left_out(1 << 20, reciprocal(1 << 21), 0), 0u);
  EXPECT_EQ(mean_left_out(0, reciprocal(1 << 21), 5), 0u);
  EXPECT_EQ(signed_weight12(-3, 1), -1) << "ties up";
  std::printf("mean_left_out: off by at most %.2g of itself beside the reciprocal's cut; %d negative weights\n",
              mean_off, negative);
  EXPECT_GT(negative, 1000);
  EXPECT_GT(by_mean, 100);
}

TEST(Num, MulScaleRoundsToNearestTiesUp) {
  Compared compared(200000);
  Random random(1);
  const auto check = [&](std::int64_t x, Scale s) {
    const Int128 product = static_cast<Int128>(x) * s.mantissa;
    Int128 expected;
    if (s.shift > 0) {
      // floor(product / 2^shift + 1/2); beyond 120 bits nothing is left.
      expected = s.shift > 120 ? 0 : floor_shift(2 * product + (static_cast<Int128>(1) << s.shift), s.shift + 1);
    } else {
      expected = product == 0 ? 0 : -s.shift > 62 ? (product < 0 ? -kSaturated : kSaturated) : product << -s.shift;
      if (-s.shift > 62 || expected > kSaturated || expected < -kSaturated)
        expected = product == 0 ? 0 : product < 0 ? -kSaturated : kSaturated;
    }
    ASSERT_EQ(mul_scale(x, s), static_cast<std::int64_t>(expected)) << x << " * " << s.mantissa << " >> " << s.shift;
    compared.add();
  };
  const std::int64_t most = (std::int64_t{1} << 46) - 1;
  for (std::int64_t x :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{3}, std::int64_t{-3}, most, -most})
    for (std::uint32_t m : {0u, 32768u, 32769u, 65535u})
      for (int shift = -80; shift <= 200; ++shift) check(x, {m, shift});
  for (int i = 0; i < 200000; ++i) {
    auto x = static_cast<std::int64_t>(random.wide(46));
    if (random.chance(50)) x = -x;
    check(x, {static_cast<std::uint32_t>(32768 + random.below(32768)), random.between(-30, 64)});
  }
  // Ties: 1/2 -> 1, -1/2 -> 0, 3/2 -> 2, -3/2 -> -1.
  EXPECT_EQ(mul_scale(1, {32768, 16}), 1);
  EXPECT_EQ(mul_scale(-1, {32768, 16}), 0);
  EXPECT_EQ(mul_scale(3, {32768, 16}), 2);
  EXPECT_EQ(mul_scale(-3, {32768, 16}), -1);
}

TEST(Num, MulOfScalesTruncates) {
  Compared compared(100000);
  Random random(2);
  EXPECT_EQ(mul({}, {40000, 3}).mantissa, 0u);
  EXPECT_EQ(mul({40000, 3}, {}).mantissa, 0u);
  for (int i = 0; i < 100000; ++i) {
    const Scale a{static_cast<std::uint32_t>(i < 4 ? (i & 1 ? 65535 : 32768) : 32768 + random.below(32768)),
                  random.between(-40, 60)};
    const Scale b{static_cast<std::uint32_t>(i < 4 ? (i & 2 ? 65535 : 32768) : 32768 + random.below(32768)),
                  random.between(-40, 60)};
    const Scale c = mul(a, b);
    ASSERT_GE(c.mantissa, 32768u);
    ASSERT_LE(c.mantissa, 65535u);
    const int drop = a.shift + b.shift - c.shift;  // c.mantissa = floor(a * b / 2^drop)
    ASSERT_GE(drop, 15);
    ASSERT_LE(drop, 16);
    const std::uint64_t product = static_cast<std::uint64_t>(a.mantissa) * b.mantissa;
    ASSERT_EQ(c.mantissa, product / (std::uint64_t{1} << drop));
    compared.add();
  }
}

TEST(Num, ToScaleIsWithin2To17OfTheReal) {
  Compared compared(100000);
  Random random(3);
  double worst = 0;
  const auto check = [&](double x) {
    const Scale s = to_scale(x);
    ASSERT_GE(s.mantissa, 32768u) << x;
    ASSERT_LE(s.mantissa, 65535u) << x;
    worst = std::max(worst, std::fabs(std::ldexp(s.mantissa, -s.shift) / x - 1));
    compared.add();
  };
  for (int i = 0; i < 100000; ++i) check(std::ldexp(1 + random.unit(), random.between(-200, 60)));
  for (double x : {1.0, 0.5, 2 - 0x1p-52, 65535.4, 65535.5, 65535.6, 65536.0, 0x1p-300}) check(x);
  EXPECT_LE(worst, 0x1p-16);
  EXPECT_EQ(to_scale(0).mantissa, 0u);
  std::printf("to_scale: relative error at most %.3g\n", worst);
}

TEST(Num, RenormaliserIsWithin2To15OfTheQuotient) {
  Compared compared(100000);
  Random random(4);
  double worst = 0;
  EXPECT_EQ(renormaliser(0).mantissa, 0u);
  const auto check = [&](std::uint64_t sum) {
    const Scale s = renormaliser(sum);
    ASSERT_GE(s.mantissa, 32768u) << sum;
    ASSERT_LE(s.mantissa, 65535u) << sum;
    const long double exact = 65536.0L / static_cast<long double>(sum);
    const long double ratio = std::ldexp(static_cast<long double>(s.mantissa), -s.shift) / exact;
    ASSERT_LE(ratio, 1 + 1e-18L) << sum;  // never above
    worst = std::max(worst, static_cast<double>(1 - ratio));
    compared.add();
  };
  for (std::uint64_t sum = 1; sum < 70000; ++sum) check(sum);
  for (int i = 0; i < 100000; ++i) check(1 + random.wide(47));
  EXPECT_LE(worst, 0x1p-15);
  std::printf("renormaliser: too small by at most %.3g\n", worst);
}

TEST(Num, ProbabilityIsWithinAUnitOfTheQuotient) {
  Compared compared(200000);
  Random random(5);
  double worst = 0;
  const auto check = [&](std::uint32_t e, std::uint64_t denominator) {
    const std::uint32_t p = probability(e, reciprocal(denominator));
    const double exact = 65536.0 * e / static_cast<double>(denominator);
    ASSERT_LE(p, kProbMax);
    // Half a unit of rounding, and e <= 2^20 times the reciprocal's remainder (< 1) over 2^36; 65536 saturates.
    ASSERT_LE(std::fabs(p - std::min(exact, 65535.0)), 0.5 + 0x1p-16 + 1e-9) << e << "/" << denominator;
    worst = std::max(worst, std::fabs(p - std::min(exact, 65535.0)));
    compared.add();
  };
  // A row's largest exponential is 1.0, so a denominator is at least 2^20.
  for (std::uint32_t e : {0u, 1u, kExpOne - 1, kExpOne})
    for (std::uint64_t d : {std::uint64_t{kExpOne}, std::uint64_t{kExpOne} + 1, kDenominatorMax / 2, kDenominatorMax})
      check(e, d);
  for (int i = 0; i < 200000; ++i)
    check(static_cast<std::uint32_t>(random.below(kExpOne + 1)), std::min(kExpOne + random.wide(40), kDenominatorMax));
  EXPECT_EQ(probability(kExpOne, reciprocal(kExpOne)), 65535u);
  EXPECT_EQ(probability(kExpOne, reciprocal(2 * kExpOne)), 32768u);
  std::printf("probability: error at most %.6f units of 2^-16\n", worst);
}

TEST(Num, IsFlatIsTheExactComparison) {
  Compared compared(200000);
  Random random(6);
  std::uint64_t flat = 0;
  for (int i = 0; i < 200000; ++i) {
    const auto theta = static_cast<std::uint32_t>(random.below(65537));
    std::uint64_t d = std::min(kExpOne + random.wide(40), kDenominatorMax);
    if (i % 2 && theta) {  // near the boundary
      d = static_cast<std::uint64_t>(kExpOne) * 65536 / theta + random.below(3);
      d = std::min(d ? d - 1 : 0, kDenominatorMax);
    }
    const bool expected = static_cast<Int128>(kExpOne) * 65536 < static_cast<Int128>(theta) * d;
    ASSERT_EQ(is_flat(kExpOne, d, theta), expected) << theta << " " << d;
    flat += expected;
    compared.add();
  }
  EXPECT_GT(flat, 10000u);
  EXPECT_FALSE(is_flat(kExpOne, kDenominatorMax, 0));
  // max p = 1/2 exactly is not under 1/2.
  EXPECT_FALSE(is_flat(kExpOne, 2 * kExpOne, 32768));
  EXPECT_TRUE(is_flat(kExpOne, 2 * kExpOne + 1, 32768));
}

TEST(Num, SigmoidIsWithinSixUnits) {
  Compared compared(200000);
  double worst = 0;
  std::uint32_t before = 0;
  for (std::int64_t x = -100000; x <= 100000; ++x) {
    const std::uint32_t p = sigmoid_weight(x);
    worst = std::max(worst, std::fabs(p - std::min(65535.0, 65536 / (1 + std::exp2(-x / 4096.0)))));
    ASSERT_GE(p, before) << x;
    ASSERT_LE(p, 65535u);
    before = p;
    compared.add();
  }
  EXPECT_EQ(sigmoid_weight(0), 32768u);
  EXPECT_EQ(sigmoid_weight(std::int64_t{1} << 62), 65535u);
  EXPECT_EQ(sigmoid_weight(-(std::int64_t{1} << 62)), 0u);
  EXPECT_LT(worst, 6);
  std::printf("sigmoid: error at most %.2f units of 2^-16\n", worst);
}

TEST(Num, Log2IsCutToItsUnit) {
  Compared compared(100000);
  for (std::uint32_t n = 1; n <= 100000; ++n) {
    const double exact = std::log2(n) * 4096;
    ASSERT_LE(static_cast<double>(log2_of(n)), exact + 1e-9) << n;
    ASSERT_GT(static_cast<double>(log2_of(n)), exact - 1.01) << n;
    compared.add();
  }
  EXPECT_EQ(log2_of(1), 0);
  EXPECT_EQ(log2_of(1u << 20), 20 << 12);
}

TEST(Num, RescaleRestBothWaysAndSaturated) {
  Compared compared(200000);
  Random random(7);
  std::uint64_t up = 0, down = 0, saturated = 0;
  for (int i = 0; i < 400000; ++i) {
    const std::uint64_t rest = random.wide(40);
    std::int64_t d = static_cast<std::int64_t>(random.wide(i % 8 ? 18 : 25));
    if (i % 2) d = -d;
    const std::uint64_t r = rescale_rest(rest, d);
    const long double exact = static_cast<long double>(rest) * std::exp2(static_cast<long double>(d) / 4096);
    ASSERT_LE(r, kDenominatorMax);
    // The power is at most 1.67e-5 too large and half a unit of 2^-20 too small; the product is floored.
    const long double low = exact * (1 - 0x1p-20L) - 1, high = exact * (1 + 1.67e-5L);
    if (low >= static_cast<long double>(kDenominatorMax)) {
      ASSERT_EQ(r, kDenominatorMax) << rest << " " << d;
      ++saturated;
    } else {
      ASSERT_LE(static_cast<long double>(r), high + 1e-6L) << rest << " " << d;
      ASSERT_GE(static_cast<long double>(r), low) << rest << " " << d;
      (d > 0 ? up : down) += rest != 0;
    }
    compared.add();
  }
  EXPECT_GT(up, 10000u);
  EXPECT_GT(down, 10000u);
  EXPECT_GT(saturated, 1000u);
  for (std::uint64_t rest : {std::uint64_t{1}, std::uint64_t{12345}, kDenominatorMax}) {
    EXPECT_EQ(rescale_rest(rest, 0), rest);
    EXPECT_EQ(rescale_rest(rest, -4096), rest / 2);
    EXPECT_EQ(rescale_rest(rest, 4096), std::min(rest * 2, kDenominatorMax));
    for (std::int64_t far : {std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max()})
      EXPECT_EQ(rescale_rest(rest, far), kDenominatorMax);
    for (std::int64_t far : {-(std::int64_t{1} << 40), std::numeric_limits<std::int64_t>::min()})
      EXPECT_EQ(rescale_rest(rest, far), 0u);
    compared.add(7);
  }
  EXPECT_EQ(rescale_rest(0, 1 << 30), 0u);
  EXPECT_EQ(saturating_denominator(kDenominatorMax + 1), kDenominatorMax);
  EXPECT_EQ(saturating_denominator(kDenominatorMax), kDenominatorMax);
}

TEST(Num, WeightsRoundUnderTheRowsExponent) {
  Compared compared(100000);
  Random random(8);
  for (int i = 0; i < 100000; ++i) {
    const std::uint64_t largest = i < 40 ? (std::uint64_t{1} << i % 33) - (i & 1) : random.wide(32);
    const int e = weight_exponent(largest);
    ASSERT_GE(e, 0);
    // The least exponent under which the largest has at most 12 bits.
    ASSERT_LT(largest >> e, 4096u);
    if (e) {
      ASSERT_GE(largest >> (e - 1), 4096u);
    }
    const std::uint64_t w = i % 3 == 0 ? largest : random.below(largest + 1);
    const long double exact = std::ldexp(static_cast<long double>(w), -e);
    const auto expected = static_cast<std::uint32_t>(std::min(4095.0L, std::floor(exact + 0.5L)));
    ASSERT_EQ(weight12(w, e), expected) << w << " " << e;
    compared.add();
  }
  EXPECT_EQ(wide_weight(65535, 65536), std::uint64_t{65535} * 65536);
  EXPECT_EQ(weight12(8191, 1), 4095u);  // 4095.5 rounds to 4096 and saturates
}

TEST(Num, OutputsRoundAndSaturate) {
  Compared compared(100000);
  Random random(9);
  std::uint64_t saturated = 0;
  for (int i = 0; i < 100000; ++i) {
    auto sum = static_cast<std::int64_t>(random.wide(43));
    if (random.chance(50)) sum = -sum;
    const Scale s{static_cast<std::uint32_t>(32768 + random.below(32768)), random.between(-4, 60)};
    const int e = random.between(0, 20);
    long double exact = std::ldexp(static_cast<long double>(sum) * s.mantissa, e - s.shift);
    exact = std::floor(exact + 0.5L);
    saturated += std::fabs(exact) > 2047;
    ASSERT_EQ(requantize_out(sum, s, e), static_cast<int>(std::min(2047.0L, std::max(-2047.0L, exact)))) << sum;
    compared.add();
  }
  EXPECT_GT(saturated, 1000u);
  EXPECT_LT(saturated, 90000u);
}

// Every code of every setting of 1..4 digits whose widths sum to 2..12.
TEST(Num, DigitsHoldEveryCode) {
  Compared compared(1000000);
  std::uint64_t settings = 0;
  const auto check = [&](const Digits& d, MsbRule rule) {
    const std::int32_t limit = largest_code(d, rule);
    const int bits = d.bits();
    for (std::int32_t code = -limit; code <= limit; ++code) {
      std::int32_t digit[kMaxDigits] = {};
      split(code, d, rule, digit);
      std::int32_t sum = 0, below = bits;
      for (int i = 0; i < d.count; ++i) {
        const int w = d.width[i];
        below -= w;
        ASSERT_EQ(d.below(i), below);
        sum += digit[i] * (1 << below);
        const bool is_signed = i == 0 || rule == MsbRule::round;
        ASSERT_GE(digit[i], is_signed ? -(1 << (w - 1)) : 0) << code << " digit " << i;
        ASSERT_LE(digit[i], is_signed ? (1 << (w - 1)) - 1 : (1 << w) - 1) << code << " digit " << i;
        if (rule != MsbRule::round) {  // the code's bits: floor division
          const std::int32_t up = 1 << below;
          const std::int32_t floor = code >= 0 ? code / up : -((-code + up - 1) / up);
          ASSERT_EQ(digit[i], i == 0 ? floor : ((floor % (1 << w)) + (1 << w)) % (1 << w));
        }
      }
      ASSERT_EQ(sum, code);
      compared.add(static_cast<std::uint64_t>(d.count) + 1);
    }
    // The next code up does not fit.
    if (rule == MsbRule::round && limit < (1 << (bits - 1)) - 1) {
      std::int32_t digit[kMaxDigits] = {};
      split(limit + 1, d, rule, digit);
      ASSERT_GT(digit[0], (1 << (d.width[0] - 1)) - 1);
    }
    ++settings;
  };
  for (int a = 2; a <= 12; ++a)
    for (int b = 0; a + b <= 12; ++b)
      for (int c = 0; b && a + b + c <= 12; ++c)
        for (int e = 0; (e == 0 || c) && a + b + c + e <= 12; ++e) {
          Digits d{1 + (b > 0) + (c > 0) + (e > 0), {a, b, c, e}};
          for (MsbRule rule : {MsbRule::midpoint, MsbRule::truncate, MsbRule::round}) check(d, rule);
          if (!b) break;
        }
  for (int a = 2; a <= 12; ++a)
    for (MsbRule rule : {MsbRule::midpoint, MsbRule::truncate, MsbRule::round}) check(Digits{1, {a, 0, 0, 0}}, rule);
  std::printf("%llu settings of digits\n", static_cast<unsigned long long>(settings));
  EXPECT_EQ(largest_code(Digits{2, {4, 4}}, MsbRule::round), 119);
  EXPECT_EQ(largest_code(Digits{2, {4, 2}}, MsbRule::round), 29);
  EXPECT_EQ(largest_code(Digits{2, {3, 3}}, MsbRule::round), 27);
  EXPECT_EQ(largest_code(Digits{3, {2, 2, 2}}, MsbRule::round), 21);
  EXPECT_EQ(largest_code(Digits{2, {4, 4}}, MsbRule::midpoint), 127);
  EXPECT_EQ(largest_code(Digits{1, {12}}, MsbRule::round), 2047);
}

// Twice the mean of what the missing digits may hold, times the query's sum.
TEST(Num, MidpointConstant) {
  Compared compared;
  for (int a = 2; a <= 6; ++a)
    for (int b = 1; b <= 3; ++b)
      for (int c = 1; c <= 3; ++c) {
        const Digits d{3, {a, b, c, 0}};
        for (int i = 0; i < 3; ++i) {
          const int below = i == 0 ? b + c : i == 1 ? c : 0;
          std::int64_t sum = 0;
          for (int code = 0; code < 1 << below; ++code) sum += code;
          const std::int64_t twice_mean = 2 * sum / (1 << below);
          for (std::int64_t query : {-7, 0, 12}) {
            ASSERT_EQ(midpoint_twice(query, d, i, MsbRule::midpoint), query * twice_mean);
            ASSERT_EQ(midpoint_twice(query, d, i, MsbRule::truncate), 0);
            ASSERT_EQ(midpoint_twice(query, d, i, MsbRule::round), 0);
            compared.add(3);
          }
        }
      }
}

}  // namespace
}  // namespace winnow::golden::test
