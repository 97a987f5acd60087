// golden/basis.h: widths by hand and against their rule, tables against the floats, codes against plain integers, and
// scores against q . k.
#include "golden/basis.h"

#include <algorithm>
#include <cmath>

#include "golden/error.h"
#include "golden/layout.h"
#include "golden/walk.h"
#include "tests/golden/oracle.h"

namespace winnow::golden::test {
namespace {

Digits digits_of(std::vector<int> widths) {
  Policy p;
  p.k_digits = std::move(widths);
  return p.digits();
}

// 2+2 bits, rounded. A code of w bits reaches 0, 0, 1, 1, 5, 13, 29, 61 for w = 0..7: with 2 bits only the second digit
// is there, and a first digit of one bit has no positive value. Under a step of 1 the ranges below need 7, 6, 5, 5, 4,
// 2, 2 and 0 bits, 31 of 32; under any smaller step 42.
TEST(Basis, WidthsByHand) {
  Compared compared;
  const std::vector<float> range = {61.5f, 29.5f, 13.5f, 13.25f, 5.5f, 1.5f, 1.25f, 0.5f};
  const Digits digits = digits_of({2, 2});
  const ChannelWidths w = channel_widths(range.data(), 8, digits);
  EXPECT_EQ(w.step, 1);
  EXPECT_EQ(w.width, (std::vector<int>{7, 6, 5, 5, 4, 2, 2, 0}));
  EXPECT_EQ(w.limit, (std::vector<std::int32_t>{61, 29, 13, 13, 5, 1, 1, 0}));
  // First digits: 5, 4, 3, 3, 2 bits; second ones 2 each but for the last.
  int first = 0, second = 0;
  for (int width : w.width)
    first += channel_digit_bits(width, digits, 0), second += channel_digit_bits(width, digits, 1);
  EXPECT_EQ(first, 17);
  EXPECT_EQ(second, 14);
  const std::vector<float> nothing(8, 0.0f);
  EXPECT_EQ(channel_widths(nothing.data(), 8, digits).width, std::vector<int>(8, 0));
  compared.add(7);
}

// Every range fits, the bits are within the budget, and no smaller step would do.
TEST(Basis, TheStepIsTheSmallest) {
  Compared compared(20000);
  Random random(51);
  for (int i = 0; i < 400; ++i) {
    const std::size_t D = random.of<std::size_t>({8, 24, 64});
    std::vector<float> range(D);
    for (float& x : range) x = random.chance(10) ? 0.0f : static_cast<float>(std::exp2(8 * random.unit()));
    const Digits digits = digits_of(random.of<std::vector<int>>({{6}, {3, 3}, {2, 4}, {2, 3}, {2, 2, 2}, {4, 4}}));
    std::vector<std::int32_t> largest(13, 0);  // of each width: the largest code whose digits fit
    for (int w = 1; w <= 12; ++w)
      for (std::int32_t code = 0; code < 1 << (w - 1); ++code) {
        std::int32_t digit[kMaxDigits] = {};
        split(code, digits, MsbRule::round, digit);
        bool fits = true;
        for (int j = 0; j < digits.count; ++j) {
          const int bits = channel_digit_bits(w, digits, j);
          fits = fits && (bits == 0 ? digit[j] == 0 : digit[j] < 1 << (bits - 1) && digit[j] >= -(1 << (bits - 1)));
        }
        if (!fits) break;
        largest[static_cast<std::size_t>(w)] = code;
      }
    const auto needed = [&](double step) {
      int sum = 0;
      for (float x : range) {
        int w = 0;
        while (w < 13 && x / (w == 13 ? 1 : largest[static_cast<std::size_t>(w)] + 0.5) > step) ++w;
        if (w == 13) return 1 << 20;
        sum += w;
      }
      return sum;
    };
    const ChannelWidths c = channel_widths(range.data(), D, digits);
    int sum = 0;
    for (std::size_t d = 0; d < D; ++d) {
      const auto w = static_cast<std::size_t>(c.width[d]);
      ASSERT_LE(w, 12u);
      ASSERT_EQ(c.limit[d], largest[w]);
      ASSERT_LE(range[d], (c.limit[d] + 0.5) * c.step * (1 + 1e-12));
      sum += c.width[d];
      compared.add(3);
    }
    ASSERT_EQ(needed(c.step), sum);
    ASSERT_LE(sum, static_cast<int>(D) * digits.bits());
    ASSERT_GT(needed(c.step * (1 - 1e-9)), static_cast<int>(D) * digits.bits());
    compared.add(3);
  }
}

struct Made {
  Case c;
  Values values;
  std::unique_ptr<Quantized> model;
};
Made random_model(Random& random, std::shared_ptr<const KeyBasis> basis = nullptr) {
  Made m;
  Shape shape = random_shape(random);
  m.c = random_case(random);
  random_basis(m.c, shape, random);
  if (basis) set_key_basis(shape, std::move(basis));
  m.values = random_values(shape, random);
  const FloatSource source = m.values.source();
  m.model = std::make_unique<Quantized>(source, Reference(source), m.c.policy);
  return m;
}

Int128 floor_div(Int128 a, Int128 b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
// sum * head's mantissa * row's mantissa / 2^shift, to nearest, ties up.
Int128 scaled(Int128 sum, Scale head, int mantissa, int shift) {
  const Int128 x = sum * head.mantissa * mantissa;
  const int down = head.shift + shift;
  if (down <= 0) return x * (Int128{1} << std::min(60, -down));
  return down > 100 ? 0 : floor_div(2 * x + (Int128{1} << down), Int128{1} << (down + 1));
}
Int128 limited(Int128 x, Int128 most) { return std::max(-most, std::min(most, x)); }

// Codes of queries and keys from the words of the tables and the values, in plain integers.
TEST(Basis, CodesAreIntegerProducts) {
  Compared compared(200000);
  Random random(52);
  std::uint64_t saturated = 0, no_bits = 0, shifted = 0;
  for (int i = 0; i < 80; ++i) {
    const Made m = random_model(random);
    const Shape& s = m.model->shape();
    SCOPED_TRACE(describe(m.c, s));
    const auto D = static_cast<std::size_t>(s.head_dim), G = static_cast<std::size_t>(s.group());
    const double headroom = s.causal ? 1.125 : 1;
    for (std::size_t head = 0; head < static_cast<std::size_t>(s.layers * s.kv_heads); ++head) {
      const HeadCodes& c = m.model->head(static_cast<int>(head) / s.kv_heads, static_cast<int>(head) % s.kv_heads);
      const KeyTables& t = c.basis;
      const ChannelWidths w = channel_widths(&s.tensors->key_basis->range[head * D], D, m.c.policy.digits());
      const std::vector<float>& k = m.values.k[head];
      double largest = 0;
      for (std::size_t j = 0; j < static_cast<std::size_t>(s.prompt) * D; ++j)
        largest = std::max(largest, std::fabs(static_cast<double>(k[j])));
      const double unit = headroom * largest / 2047;
      for (std::size_t token = 0; token < static_cast<std::size_t>(s.tokens); ++token) {
        for (std::size_t i2 = 0; i2 < D; ++i2) {
          Int128 sum = 0;
          for (std::size_t d = 0; d < D; ++d) {
            const double x = unit > 0 ? std::round(k[token * D + d] / unit) : 0;
            sum += static_cast<Int128>(std::max(-2047.0, std::min(2047.0, x))) * t.key[i2 * D + d];
          }
          sum -= t.channel[i2].offset;
          if (token == 0) {
            ASSERT_EQ(c.k[i2], 0);
            const Int128 exact =
                scaled(sum, t.to_key, t.channel[i2].key_mantissa, t.channel[i2].key_shift + t.first_shift);
            ASSERT_TRUE(limited(exact, 2047) == t.first[i2]) << "token 0, channel " << i2;
            ASSERT_TRUE(t.first_shift == kMostFirstShift || limited(exact, 2047) == exact) << "token 0 fits";
          } else {
            const Int128 code = scaled(sum, t.to_key, t.channel[i2].key_mantissa, t.channel[i2].key_shift);
            ASSERT_TRUE(limited(code, w.limit[i2]) == c.k[token * D + i2]) << "token " << token << " channel " << i2;
            saturated += w.limit[i2] > 0 && limited(code, w.limit[i2]) != code, no_bits += w.limit[i2] == 0;
          }
          compared.add();
        }
        for (std::size_t g = 0; g < G; ++g)
          for (std::size_t i2 = 0; i2 < D; ++i2) {
            Int128 sum = 0;
            for (std::size_t d = 0; d < D; ++d) sum += Int128{c.q[(token * G + g) * D + d]} * t.query[i2 * D + d];
            ASSERT_TRUE(limited(scaled(sum, t.to_query[g], t.channel[i2].query_mantissa, t.channel[i2].query_shift),
                                2047) == c.turned[(token * G + g) * D + i2]);
            compared.add();
          }
      }
      shifted += t.first_shift > 0;
    }
  }
  std::printf("%llu codes saturated, %llu of channels without bits, %llu first keys over a power of two\n",
              static_cast<unsigned long long>(saturated), static_cast<unsigned long long>(no_bits),
              static_cast<unsigned long long>(shifted));
  EXPECT_GT(saturated, 1000u);
  EXPECT_GT(no_bits, 1000u);
  EXPECT_GT(shifted, 10u);
}

// A row's words are within half a word of the row, and use their eight bits; the tables of queries are the inverse of
// those of keys, transposed, within half a word of theirs; offsets are the mean's.
TEST(Basis, TablesAreTheBasis) {
  Compared compared(100000);
  Random random(53);
  for (int i = 0; i < 60; ++i) {
    const Made m = random_model(random);
    const Shape& s = m.model->shape();
    const auto D = static_cast<std::size_t>(s.head_dim);
    const HeadCodes& c = m.model->head(0, 0);
    const KeyTables& t = c.basis;
    const auto word = [&](std::size_t r) {
      return std::ldexp(t.key_unit * t.channel[r].key_mantissa, -t.channel[r].key_shift);
    };
    const auto query_word = [&](std::size_t r) {
      return std::ldexp(t.query_unit * t.channel[r].query_mantissa, -t.channel[r].query_shift);
    };
    for (std::size_t r = 0; r < D; ++r) {
      int most = 0;
      for (std::size_t d = 0; d < D; ++d) {
        ASSERT_LE(std::fabs(t.key[r * D + d] * word(r) - s.tensors->key_basis->row(0, r)[d]), 0.5001 * word(r));
        most = std::max(most, std::abs(static_cast<int>(t.key[r * D + d])));
      }
      ASSERT_GE(most, 126) << "row " << r;
      compared.add(D + 1);
    }
    // Queries' rows times keys' rows.
    for (std::size_t r = 0; r < D; ++r)
      for (std::size_t x = 0; x < D; ++x) {
        double product = 0, bound = 0;
        for (std::size_t d = 0; d < D; ++d) {
          product += t.query[r * D + d] * query_word(r) * t.key[x * D + d] * word(x);
          bound += 0.5001 * query_word(r) * std::abs(t.key[x * D + d]) * word(x);
        }
        ASSERT_LE(std::fabs(product - (r == x)), bound + 1e-6) << r << ' ' << x;
        compared.add();
      }
  }
}

// With its exact inverse a basis leaves every score as it is, but for the query's product with the mean. The codes,
// with 12 bits in a mean channel, give that score within what each of their roundings may add.
TEST(Basis, ScoresAreThoseOfTheKeys) {
  Compared compared(20000);
  Random random(54);
  double worst = 0, float_worst = 0;
  std::uint64_t coded_scores = 0;
  for (int i = 0; i < 650; ++i) {
    Made m = random_model(random);
    const Shape& s = m.model->shape();
    SCOPED_TRACE(describe(m.c, s));
    const auto D = static_cast<std::size_t>(s.head_dim), G = static_cast<std::size_t>(s.group());
    const HeadCodes& c = m.model->head(0, 0);
    const KeyTables& t = c.basis;
    const KeyBasis& basis = *s.tensors->key_basis;
    const ChannelWidths w = channel_widths(basis.range.data(), D, m.c.policy.digits());
    const std::vector<float>& k = m.values.k[0];
    double largest = 0;
    for (std::size_t j = 0; j < static_cast<std::size_t>(s.prompt) * D; ++j)
      largest = std::max(largest, std::fabs(static_cast<double>(k[j])));
    const double key_unit = (s.causal ? 1.125 : 1) * largest / 2047;
    // The tables' own basis in floats, which the integers are held to.
    std::vector<double> key(D * D), query(D * D);
    for (std::size_t r = 0; r < D; ++r)
      for (std::size_t d = 0; d < D; ++d) {
        key[r * D + d] = t.key[r * D + d] * std::ldexp(t.key_unit * t.channel[r].key_mantissa, -t.channel[r].key_shift);
        query[r * D + d] =
            t.query[r * D + d] * std::ldexp(t.query_unit * t.channel[r].query_mantissa, -t.channel[r].query_shift);
      }
    for (std::size_t g = 0; g < G; ++g) {
      const double score_unit = c.score_unit[g] / s.attention_scale;
      if (score_unit == 0 || key_unit == 0) continue;
      const double turned_unit = score_unit / w.step;
      for (std::size_t token = 0; token < static_cast<std::size_t>(s.tokens); ++token) {
        const std::size_t at = (token * G + g) * D;
        const float* q = &m.values.q[g][token * D];
        double real = 0, coded = 0, bound = 0, terms = 0, exact = 0;
        bool saturated = false;
        for (std::size_t d = 0; d < D; ++d) {
          real += q[d] * (double{k[token * D + d]} - basis.mean[d]);
          saturated =
              saturated || std::fabs(q[d]) > 2047.5 * c.q_unit[g] || std::fabs(k[token * D + d]) > 2047.5 * key_unit;
        }
        for (std::size_t r = 0; r < D; ++r) {
          double q_exact = 0, k_exact = 0, q_off = 0, k_off = 0, row = 0;
          for (std::size_t d = 0; d < D; ++d) {
            const double centred = double{k[token * D + d]} - basis.mean[d];
            q_exact += query[r * D + d] * q[d], k_exact += key[r * D + d] * centred;
            q_off += std::fabs(query[r * D + d]) * 0.5 * c.q_unit[g];
            k_off += std::fabs(key[r * D + d]) * 0.5 * key_unit, row = std::max(row, std::fabs(key[r * D + d]));
          }
          const double step = token == 0 ? std::ldexp(w.step, t.first_shift) : w.step;
          const int code = token == 0 ? t.first[r] : c.k[token * D + r];
          const std::int32_t limit = token == 0 ? 2047 : w.limit[r];
          // A unit of offset, half of a code, and the head's scale to 16 bits.
          k_off += std::ldexp(t.key_unit * t.channel[r].key_mantissa, -t.channel[r].key_shift) * key_unit;
          k_off += 0.5 * step + 0x1p-16 * std::fabs(k_exact);
          q_off += 0.5 * turned_unit + 0x1p-16 * std::fabs(q_exact);
          saturated = saturated || (limit > 0 && std::abs(code) >= limit) ||
                      std::abs(static_cast<int>(c.turned[at + r])) >= 2047;
          if (limit == 0) saturated = saturated || std::fabs(k_exact) > 0.5 * step + k_off;
          const double q_have = c.turned[at + r] * turned_unit, k_have = code * step;
          coded += q_have * k_have, exact += q_exact * k_exact;
          bound += std::fabs(q_exact) * k_off + std::fabs(k_exact) * q_off + q_off * k_off;
          terms += std::fabs(q_exact * k_exact);
        }
        // The inverse of the words, in eight bits, is not exact: what that leaves of a score is bounded by the words.
        double inverse_off = 0;
        for (std::size_t r = 0; r < D; ++r) {
          double size = 0, along = 0;
          for (std::size_t d = 0; d < D; ++d) {
            size += std::fabs(q[d]);
            along += key[r * D + d] * (double{k[token * D + d]} - basis.mean[d]);
          }
          const double query_word = std::ldexp(t.query_unit * t.channel[r].query_mantissa, -t.channel[r].query_shift);
          inverse_off += 0.5001 * query_word * size * std::fabs(along);
        }
        ASSERT_LE(std::fabs(exact - real), inverse_off + 1e-6 * (terms + std::fabs(real)));
        if (inverse_off > 0) float_worst = std::max(float_worst, std::fabs(exact - real) / inverse_off);
        compared.add();
        if (saturated) continue;
        ASSERT_LE(std::fabs(coded - exact), bound * 1.0001 + 1e-9 * terms) << "token " << token;
        if (bound > 0) worst = std::max(worst, std::fabs(coded - exact) / bound);
        compared.add(), ++coded_scores;
      }
    }
  }
  std::printf("%llu coded scores at %.3f of their bound, the inverse's words at %.3f of theirs\n",
              static_cast<unsigned long long>(coded_scores), worst, float_worst);
  EXPECT_GT(coded_scores, 1500u);
}

// Two tokens, K 64 and 0 in dimension 0, the query 64 there: test_hand.cpp has the row without a basis, and it is the
// same with one. Rows along the axes have the words 127 and a size of a = 127 * 128 / 2^14. Ranges of 1535.5 a make a
// step of a: 1535 is the largest code of 12 bits as 2 + 10. A mean of 10 leaves 54 and -10 of the keys, and 1270 in the
// offset's word. The inverse's rows have words of 126 and a size of b = 126 * 131 / 2^14, so a score of 1 is a * b;
// 64 * 54 and 64 * -10 are an octave apart.
TEST(Basis, RowByHand) {
  Compared compared;
  constexpr double a = 127 * 128 / 16384.0, b = 126 * 131 / 16384.0;
  Values values;
  values.shape = {1, 1, 1, 8, 2, 2, false, std::log(2.0) / 4096 / (a * b)};
  auto basis = std::make_shared<KeyBasis>();
  basis->head_dim = 8;
  basis->mean.assign(8, 0), basis->transform.assign(64, 0), basis->range.assign(8, static_cast<float>(1535.5 * a));
  basis->mean[0] = 10;
  for (std::size_t d = 0; d < 8; ++d) basis->transform[d * 9] = static_cast<float>(a);
  set_key_basis(values.shape, basis);
  std::vector<float> q(16), k(16), v(16);
  q[0] = q[8] = 64, q[7] = q[15] = 2047, q[5] = q[13] = -2047;
  k[0] = 64, k[6] = 2047;
  v[0] = 2047, v[2] = 300, v[9] = 1500, v[10] = -300;
  values.q = {q}, values.k = {k}, values.v = {v};
  Policy p = make_policy("coded");
  p.k_digits = {2, 10}, p.v_bits = 12, p.v_scale = ValueScale::tensor, p.out_scale = OutScale::reference;
  const FloatSource source = values.source();
  const Reference reference(source);
  const Quantized model(source, reference, p);
  const HeadCodes& c = model.head(0, 0);
  const ChannelWord word = c.basis.channel[0];
  EXPECT_EQ(int{word.width}, 12);
  EXPECT_EQ(int{word.key_mantissa}, 128);
  EXPECT_EQ(int{word.query_mantissa}, 131);
  EXPECT_EQ(word.offset, 1270);
  EXPECT_EQ(int{c.basis.key[0]}, 127);
  EXPECT_EQ(int{c.basis.query[0]}, 126);
  EXPECT_EQ(c.basis.first, (std::vector<std::int16_t>{54, 0, 0, 0, 0, 0, 2047, 0}));
  EXPECT_EQ(c.basis.first_shift, 0);
  EXPECT_EQ(c.k[8], -10);
  EXPECT_EQ(c.turned, c.q);
  Attention attention(model);
  GroupRow row;
  const std::vector<std::uint32_t> live = {0, 1};
  attention.run(0, 0, 0, live.data(), 2, 1, true, row);
  EXPECT_EQ(row.denominator[0], 1572864u);
  EXPECT_EQ(row.p, (std::vector<std::uint16_t>{43691, 21845}));
  EXPECT_EQ(row.out[0], 2047);
  EXPECT_EQ(row.out[1], 750);
  EXPECT_EQ(row.out[2], 150);
  compared.add(16);
}

// In a basis of equal rows along the axes, with equal ranges and no mean, keys and queries have the codes that they
// have without one, but for token 0. 127 * 128 / 2^14 is the one size of a row of one value that has no rounding. An
// encoder's 12-bit codes hold whole numbers up to 2047 as they are, and 27 * x / 2047 is never halfway between
// integers.
TEST(Basis, OfAxesIsNone) {
  Compared compared(20000);
  Random random(55);
  const std::size_t D = 16, n = 200;
  Shape shape{1, 2, 1, static_cast<int>(D), static_cast<int>(n), static_cast<int>(n), false, 0.25};
  constexpr double kRow = 127 * 128 / 16384.0;
  auto basis = std::make_shared<KeyBasis>();
  basis->head_dim = D;
  basis->mean.assign(D, 0), basis->transform.assign(D * D, 0);
  for (std::size_t d = 0; d < D; ++d) {
    basis->transform[d * D + d] = static_cast<float>(kRow);
    basis->range.push_back(static_cast<float>(kRow * 2047 * 27.5 / 27));
  }
  Values values;
  values.shape = shape;
  const auto fill = [&] {
    std::vector<float> x(n * D);
    for (float& y : x) y = static_cast<float>(random.between(-2047, 2047));
    x[D] = 2047;
    return x;
  };
  values.q = {fill(), fill()}, values.k = {fill()}, values.v = {fill()};
  Policy plain = make_policy("select");
  plain.k_digits = {3, 3}, plain.k_scale = KeyScale::tensor;
  Policy coded = plain;
  coded.key_basis = KeyBasisRule::trace;
  const FloatSource source = values.source();
  const Quantized without(source, Reference(source), plain);
  set_key_basis(values.shape, basis);
  const FloatSource with = values.source();
  const Quantized model(with, Reference(with), coded);
  const HeadCodes &a = without.head(0, 0), &b = model.head(0, 0);
  ASSERT_EQ(a.q, b.q);
  ASSERT_EQ(a.q, b.turned);
  for (std::size_t j = D; j < n * D; ++j) {
    ASSERT_EQ(a.k[j], b.k[j]) << j;
    for (int digit = 0; digit < 2; ++digit) ASSERT_EQ(a.k_digit[digit][j], b.k_digit[digit][j]);
  }
  compared.add(2 * a.q.size() + 3 * (n - 1) * D);
  for (std::size_t d = 0; d < D; ++d)  // token 0: 12 bits instead of 6, in the same unit
    ASSERT_LE(std::fabs(std::ldexp(b.basis.first[d], b.basis.first_shift) - values.k[0][d] * 27 / 2047), 0.51);
  compared.add(D);
  const Layout plain_layout(shape, plain, 64), layout(model.shape(), coded, 64);
  for (int digit = 0; digit < 2; ++digit)
    EXPECT_EQ(layout.key(0, 0, digit).item_bytes, plain_layout.key(0, 0, digit).item_bytes);
  EXPECT_EQ(layout.basis(0, 0).items * layout.basis(0, 0).item_bytes, 16 * 40u);
  EXPECT_EQ(layout.first_key(0, 0).item_bytes, 24u);
}

std::string refusal(KeyBasis basis, int layers, int kv_heads, int D) {
  try {
    check_basis("file", basis, layers, kv_heads, D);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Basis, BadOnesAreRefusedInOneLine) {
  Compared compared;
  Random random(56);
  const Shape shape{2, 2, 2, 8, 4, 4, true, 1};
  const KeyBasis good = *random_key_basis(shape, random);
  EXPECT_EQ(refusal(good, 2, 2, 8), "");
  const auto with = [&](auto change) {
    KeyBasis bad = good;
    change(bad);
    return refusal(bad, 2, 2, 8);
  };
  EXPECT_EQ(refusal(good, 3, 2, 8),
            "file: 256, 32 and 32 values: must be 384, 48 and 48, of 3 layers, 2 KV heads, D 8");
  EXPECT_EQ(with([](KeyBasis& b) { b.transform[2 * 64 + 3 * 8 + 5] = NAN; }),
            "file: layer 1, KV head 0, transform[3, 5]: nan: must be finite");
  EXPECT_EQ(with([](KeyBasis& b) { b.mean[9] = INFINITY; }),
            "file: layer 0, KV head 1, mean of channel 1: inf: must be finite");
  EXPECT_EQ(with([](KeyBasis& b) { b.range[31] = -1; }),
            "file: layer 1, KV head 1, range of channel 7: -1.000000: must be finite, at least 0");
  EXPECT_EQ(with([](KeyBasis& b) { std::copy_n(&b.transform[0], 8, &b.transform[16]); }),
            "file: layer 0, KV head 0, transform: its rows depend on each other: must have an inverse");
  Policy p = make_policy("coded");
  EXPECT_THROW(decisions_of(p, shape), Error);  // no basis
  const auto refused = [&](auto change, const std::string& key) {
    Policy bad = make_policy("coded");
    change(bad);
    const auto violation = find_violation(bad);
    ASSERT_TRUE(violation) << key;
    EXPECT_EQ(violation->key, key);
    compared.add();
  };
  refused([](Policy& b) { b.msb = MsbRule::midpoint; }, "msb");
  refused([](Policy& b) { b.k_scale = KeyScale::channel; }, "k_scale");
  refused([](Policy& b) { b.pages = 16, b.page_keep = 0.5; }, "pages");
  refused([](Policy& b) { b.key_basis = KeyBasisRule::none, b.basis_resident = true; }, "basis_resident");
  refused(
      [](Policy& b) { b = Policy{}, b.msb = MsbRule::round, b.key_basis = KeyBasisRule::trace, b.candidates = 0.5; },
      "candidates");
  refused(
      [](Policy& b) {
        b = Policy{}, b.msb = MsbRule::round, b.key_basis = KeyBasisRule::trace, b.weights = RowWeights::sigmoid;
      },
      "weights");
  compared.add(7);
}

// Tables are read in every step of every KV head, or in none.
TEST(Basis, TablesAreReadOrResident) {
  Compared compared;
  Random random(57);
  Shape shape{2, 4, 2, 16, 30, 27, true, 0.25};
  set_key_basis(shape, random_key_basis(shape, random));
  const Values values = random_values(shape, random, 1);
  const FloatSource source = values.source();
  for (bool resident : {false, true}) {
    Policy p = make_policy("coded");
    p.basis_resident = resident;
    const Quantized model(source, Reference(source), p);
    const Layout layout(shape, p, 1024);
    Walk walk(model, layout, nullptr);
    Accesses all;
    LayerResult r;
    while (walk.next(r)) all += r.accesses;
    // 16 channels of 2 * 16 + 8 bytes, in 4 steps of 2 layers and 2 KV heads: 640 bytes, 20 bursts.
    EXPECT_EQ(all.basis_useful, resident ? 0u : 16u * 640);
    EXPECT_EQ(all.basis_bursts, resident ? 0u : 16u * 20);
    compared.add(2);
  }
}

}  // namespace
}  // namespace winnow::golden::test
