// golden/quant.h: codes, digits and scales against the float values; golden/layout.h: regions and every word of the
// image.
#include <algorithm>
#include <cmath>

#include "golden/error.h"
#include "golden/layout.h"
#include "tests/golden/oracle.h"

namespace winnow::golden::test {
namespace {

double value_of(Scale s) { return std::ldexp(s.mantissa, -s.shift); }

// The code is a nearest integer, or saturated.
void nearest(double x, double unit, int code, int limit, const char* what) {
  ASSERT_LE(std::abs(code), limit) << what;
  if (unit == 0) {
    ASSERT_EQ(code, 0) << what;
  } else if (std::fabs(x / unit) > limit) {
    ASSERT_EQ(code, x < 0 ? -limit : limit) << what;
  } else {
    ASSERT_LE(std::fabs(code - x / unit), 0.5 + 1e-9) << what;
  }
}

TEST(Quantized, CodesAreNearestUnderThePromptsScale) {
  Compared compared(1000000);
  Random random(31);
  std::uint64_t saturated = 0, late_tokens = 0;
  for (int i = 0; i < 250; ++i) {
    const Shape shape = random_shape(random);
    const Case c = random_case(random);
    const Policy& p = c.policy;
    const Values values = random_values(shape, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, p);
    SCOPED_TRACE(describe(c, shape));
    const auto D = static_cast<std::size_t>(shape.head_dim), n = static_cast<std::size_t>(shape.tokens);
    const auto G = static_cast<std::size_t>(shape.group()), prompt = static_cast<std::size_t>(shape.prompt);
    const int k_limit = largest_code(p.digits(), p.msb), v_limit = (1 << (p.v_bits - 1)) - 1;
    const bool by_value = p.out_scale == OutScale::value;
    double out_largest = 0;
    for (int l = 0; l < shape.layers; ++l)
      for (int h = 0; h < shape.heads; ++h) {
        double most = 0;
        for (int t = 0; t < shape.prompt; ++t)
          for (std::size_t d = 0; d < D; ++d)
            most = std::max(most, std::fabs(static_cast<double>(reference.out(l, h, t)[d])));
        ASSERT_EQ(reference.prompt_max(l, h), most);
        out_largest = std::max(out_largest, by_value ? model.head(l, h / shape.group()).v_unit * v_limit : most);
      }
    // Headroom of a decoder over its prompt: an eighth for queries and for a channel of K, an octave for out.
    const double eighth = shape.causal ? 1.125 : 1, octave = shape.causal ? 2 : 1;
    for (int layer = 0; layer < shape.layers; ++layer)
      for (int kv = 0; kv < shape.kv_heads; ++kv) {
        const HeadCodes& h = model.head(layer, kv);
        const auto& k = values.k[static_cast<std::size_t>(layer * shape.kv_heads + kv)];
        const auto& v = values.v[static_cast<std::size_t>(layer * shape.kv_heads + kv)];
        const bool fold = p.k_scale == KeyScale::channel;
        std::vector<double> unit(D, 0);
        double tensor = 0, v_most = 0;
        for (std::size_t t = 0; t < prompt; ++t)
          for (std::size_t d = 0; d < D; ++d) {
            unit[d] = std::max(unit[d], std::fabs(static_cast<double>(k[t * D + d])) / k_limit);
            tensor = std::max(tensor, std::fabs(static_cast<double>(k[t * D + d])) / k_limit);
            v_most = std::max(v_most, std::fabs(static_cast<double>(v[t * D + d])));
          }
        for (double& x : unit) x *= eighth;
        if (!fold) std::fill(unit.begin(), unit.end(), tensor);
        if (fold) {
          ASSERT_EQ(h.k_unit, 1);
        } else {
          ASSERT_DOUBLE_EQ(h.k_unit, tensor);
        }
        ASSERT_DOUBLE_EQ(h.v_unit, v_most / v_limit);
        ASSERT_EQ(h.v16.empty(), p.v_scale == ValueScale::tensor);
        for (std::size_t t = 0; t < n; ++t) {
          double v_unit = h.v_unit;
          if (!h.v16.empty()) {
            // The token's own scale, not smaller than needed by more than saturation, and at most a unit larger.
            double most = 0;
            for (std::size_t d = 0; d < D; ++d) most = std::max(most, std::fabs(static_cast<double>(v[t * D + d])));
            const double exact = v_most > 0 ? 65536 * most / v_most : 0;
            if (exact <= 65535) {
              ASSERT_GE(h.v16[t], exact - 1e-6);
              ASSERT_LT(h.v16[t], exact + 1 + 1e-6);
            } else {
              ASSERT_EQ(h.v16[t], 65535);
              late_tokens += exact > 65536;
            }
            v_unit = h.v_unit * h.v16[t] / 65536;
          }
          for (std::size_t d = 0; d < D; ++d) {
            nearest(k[t * D + d], unit[d], h.k[t * D + d], k_limit, "k");
            nearest(v[t * D + d], v_unit, h.v[t * D + d], v_limit, "v");
            saturated += unit[d] > 0 && std::fabs(k[t * D + d]) > (k_limit + 0.5) * unit[d];
            std::int64_t sum = 0, before = 0;
            for (int digit = 0; digit < p.digits().count; ++digit) {
              // Digit i is what its reading adds to the coarser one.
              const std::int64_t now = reading(h.k[t * D + d], p.k_digits, p.msb, digit);
              const std::int64_t here = static_cast<std::int64_t>(h.k_digit[digit][t * D + d])
                                        << p.digits().below(digit);
              ASSERT_EQ(here, now - before);
              before = now, sum += here;
            }
            ASSERT_EQ(sum, h.k[t * D + d]);
            compared.add(3);
          }
        }
        for (std::size_t g = 0; g < G; ++g) {
          const int head = kv * shape.group() + static_cast<int>(g);
          const auto& q = values.q[static_cast<std::size_t>(layer * shape.heads + head)];
          double most = 0;
          for (std::size_t j = 0; j < prompt * D; ++j)
            most = std::max(most, std::fabs(q[j] * (fold ? unit[j % D] : 1.0)));
          ASSERT_DOUBLE_EQ(h.q_unit[g], most * eighth / 2047);
          for (std::size_t t = 0; t < n; ++t)
            for (std::size_t d = 0; d < D; ++d)
              nearest(q[t * D + d] * (fold ? unit[d] : 1.0), h.q_unit[g], h.q[(t * G + g) * D + d], 2047, "q");
          compared.add(n * D);
          ASSERT_DOUBLE_EQ(h.score_unit[g], h.q_unit[g] * h.k_unit * shape.attention_scale);
          const double log2_units = h.score_unit[g] * 4096 / std::log(2.0);
          ASSERT_LE(std::fabs(value_of(h.to_log2[g]) - log2_units), log2_units * 0x1p-16 * 1.0001);
          const double out_max = by_value ? h.v_unit * v_limit : static_cast<double>(reference.prompt_max(layer, head));
          ASSERT_DOUBLE_EQ(h.out_unit[g], out_max * (by_value ? 1 : octave) / 2047);
          if (out_max > 0) {
            const double to_out = h.v_unit / h.out_unit[g] / 4294967296.0;
            ASSERT_LE(std::fabs(value_of(h.to_out[g]) - to_out), to_out * 0x1p-16 * 1.0001);
          }
          ASSERT_LE(std::fabs(h.out16[g] - (out_largest > 0 ? std::min(65535.0, 65536 * out_max / out_largest) : 0)),
                    0.5 + 1e-9);
          compared.add(5);
        }
      }
  }
  EXPECT_GT(saturated, 1000u);
  EXPECT_GT(late_tokens, 20u);
}

TEST(Quantized, RefusesWhatItsIntegersDoNotHold) {
  Compared compared;
  Random random(32);
  const auto attempt = [&](Shape s) {
    const Values values = random_values(s, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, Policy{});
  };
  EXPECT_NO_THROW(attempt({1, 2, 1, 256, 4, 4, true, 0.1}));
  EXPECT_THROW(attempt({1, 2, 1, 264, 4, 4, true, 0.1}), Error);
  EXPECT_THROW(attempt({1, 2, 1, 12, 4, 4, true, 0.1}), Error);
  EXPECT_THROW(attempt({1, 33, 1, 8, 4, 4, true, 0.1}), Error);
  EXPECT_NO_THROW(attempt({1, 32, 1, 8, 4, 4, true, 0.1}));
  compared.add(5);
}

// 256 dimensions, 1,024 tokens, every code at its largest: no accumulator overflows.
TEST(Quantized, LargestCodesDoNotOverflow) {
  Compared compared(1000);
  const Shape shape{1, 32, 1, 256, 1024, 1023, true, 0.0625};
  Values values;
  values.shape = shape;
  for (int h = 0; h < shape.heads; ++h) values.q.push_back(std::vector<float>(1024 * 256, h % 2 ? 1.0f : -1.0f));
  values.k.push_back(std::vector<float>(1024 * 256, 1.0f));
  values.v.push_back(std::vector<float>(1024 * 256, -1.0f));
  for (std::size_t d = 0; d < 256; ++d) values.k[0][512 * 256 + d] = -1.0f;
  const FloatSource source = values.source();
  const Reference reference(source);
  const Case c;
  const Quantized model(source, reference, c.policy);
  Attention attention(model);
  GroupRow row;
  std::vector<std::uint32_t> live(1024);
  for (std::uint32_t t = 0; t < 1024; ++t) live[t] = t;
  attention.run(0, 0, 1023, live.data(), 1024, ~0u, false, row);
  const Row expected = integer_row(model, c, 0, 0, 1023, live, ~0u, false);
  ASSERT_TRUE(std::equal(row.p.begin(), row.p.end(), expected.p.begin(), expected.p.end()));
  ASSERT_TRUE(std::equal(row.out.begin(), row.out.end(), expected.out.begin(), expected.out.end()));
  compared.add(row.p.size() + row.out.size());
}

// Reads a word by division, bit for bit.
std::int64_t word(const std::vector<std::uint8_t>& image, std::uint64_t base, std::size_t index, int width,
                  bool is_signed) {
  std::int64_t x = 0;
  for (int b = width - 1; b >= 0; --b) {
    const std::uint64_t bit = base * 8 + index * static_cast<std::size_t>(width) + static_cast<std::size_t>(b);
    x = 2 * x + (image[bit / 8] / (1 << bit % 8)) % 2;
  }
  return is_signed && x >= std::int64_t{1} << (width - 1) ? x - (std::int64_t{1} << width) : x;
}

TEST(Layout, RegionsAreApartAndEveryWordIsTheCode) {
  Compared compared(1000000);
  Random random(33), first(330);
  for (int i = 0; i < 120; ++i) {
    const Shape shape = random_shape(random);
    Case c = random_case(random);
    random_first_pass(c, first);
    const Policy& p = c.policy;
    const Values values = random_values(shape, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, p);
    const std::uint64_t align = std::uint64_t{32} << random.below(9);
    const Layout layout(shape, p, align);
    SCOPED_TRACE(describe(c, shape));
    const bool selects = p.select != SelectRule::none;
    ASSERT_EQ(layout.records(), selects);
    const std::vector<std::uint8_t> image = build_image(model, layout);
    ASSERT_EQ(image.size(), layout.bytes());
    const auto D = static_cast<std::size_t>(shape.head_dim), G = static_cast<std::size_t>(shape.group());
    const int digits = static_cast<int>(p.k_digits.size());
    std::vector<Region> regions;
    std::vector<bool> written(image.size() * 8, false);  // bits that hold a code
    const auto check = [&](const Region& r, std::uint64_t item, std::size_t offset_bits, std::size_t at, int width,
                           bool is_signed, std::int64_t code) {
      ASSERT_EQ(offset_bits % 8, 0u);
      ASSERT_EQ(word(image, r.at(item) + offset_bits / 8, at, width, is_signed), code);
      ASSERT_EQ(get_word(&image[r.at(item) + offset_bits / 8], at, width, is_signed), code);
      for (int b = 0; b < width; ++b) {
        const std::size_t bit =
            r.at(item) * 8 + offset_bits + at * static_cast<std::size_t>(width) + static_cast<std::size_t>(b);
        ASSERT_FALSE(written[bit]);
        written[bit] = true;
      }
      compared.add();
    };
    for (int layer = 0; layer < shape.layers; ++layer) {
      for (int kv = 0; kv < shape.kv_heads; ++kv) {
        const HeadCodes& h = model.head(layer, kv);
        for (int digit = 0; digit < digits; ++digit) regions.push_back(layout.key(layer, kv, digit));
        if (!selects) regions.push_back(layout.value(layer, kv));
        if (!h.v16.empty()) regions.push_back(layout.value_scale(layer, kv));
        if (p.compensate) {
          regions.push_back(layout.value_sum(layer, kv));
          ASSERT_EQ(layout.value_sum(layer, kv).items, static_cast<std::uint32_t>(shape.steps()));
          ASSERT_EQ(h.v_sum.size(), static_cast<std::size_t>(shape.steps()) * D);
        }
        for (std::size_t j = 0; j < h.v_sum.size(); ++j)
          check(layout.value_sum(layer, kv), j / D, 0, j % D, 24, true, h.v_sum[j]);
        regions.push_back(layout.query(layer, kv));
        const Region scales = layout.descriptors(layer);
        ASSERT_EQ(scales.items, static_cast<std::uint32_t>(shape.heads));
        for (std::size_t g = 0; g < G; ++g) {
          const std::size_t head = static_cast<std::size_t>(kv) * G + g;
          check(scales, head, 0, 0, 16, false, h.to_log2[g].mantissa);
          check(scales, head, 16, 0, 16, false, h.to_out[g].mantissa);
          check(scales, head, 32, 0, 8, true, h.to_log2[g].shift);
          check(scales, head, 40, 0, 8, true, h.to_out[g].shift);
          check(scales, head, 48, 0, 16, false, h.out16[g]);
        }
        for (std::size_t t = 0; t < static_cast<std::size_t>(shape.tokens); ++t)
          for (std::size_t d = 0; d < D; ++d) {
            for (int digit = 0; digit < digits; ++digit)
              check(layout.key(layer, kv, digit), t, 0, d, p.k_digits[static_cast<std::size_t>(digit)],
                    digit == 0 || p.msb == MsbRule::round, h.k_digit[digit][t * D + d]);
            if (selects)  // behind the last digits of K
              check(layout.record(layer, kv, digits - 1), t, D * static_cast<std::size_t>(p.k_digits.back()), d,
                    p.v_bits, true, h.v[t * D + d]);
            else
              check(layout.value(layer, kv), t, 0, d, p.v_bits, true, h.v[t * D + d]);
            for (std::size_t g = 0; g < G; ++g)
              check(layout.query(layer, kv), t * G + g, 0, d, 12, true, h.q[(t * G + g) * D + d]);
            if (d == 0 && !h.v16.empty()) check(layout.value_scale(layer, kv), t, 0, 0, 16, false, h.v16[t]);
          }
        if (testing::Test::HasFatalFailure()) return;
      }
      regions.push_back(layout.out(layer));
      ASSERT_EQ(layout.out(layer).items, static_cast<std::uint32_t>(shape.tokens * shape.heads));
      ASSERT_EQ(layout.out(layer).stride % 32, 0u);
      ASSERT_EQ(layout.out(layer).item_bytes, D * 12 / 8);
    }
    for (int layer = 0; layer < shape.layers; ++layer) regions.push_back(layout.descriptors(layer));
    std::sort(regions.begin(), regions.end(), [](const Region& a, const Region& b) { return a.base < b.base; });
    for (std::size_t j = 0; j < regions.size(); ++j) {
      const Region& r = regions[j];
      ASSERT_EQ(r.base % align, 0u);
      ASSERT_LE(r.item_bytes, r.stride);
      ASSERT_LE(r.base + static_cast<std::uint64_t>(r.stride) * r.items,
                j + 1 < regions.size() ? regions[j + 1].base : layout.bytes());
      compared.add(3);
    }
    for (int digit = 1; selects && digit < digits; ++digit) ASSERT_EQ(layout.record(0, 0, digit).stride % 32, 0u);
    // What no code holds is zero: padding and outputs.
    for (std::size_t bit = 0; bit < written.size(); ++bit)
      ASSERT_TRUE(written[bit] || ((image[bit / 8] >> (bit % 8)) & 1) == 0);
  }
}

// decode_image is build_image the other way round: on a model's own image, and on random bytes, of which exactly the
// bits that hold a code come back.
TEST(Layout, DecodingAnImageIsTheInverseOfBuildingIt) {
  Compared compared(1000000);
  Random random(36), first(360), basis(361);
  for (int i = 0; i < 90; ++i) {
    Shape shape = random_shape(random);
    Case c = random_case(random);
    if (i % 3 == 2) random_basis(c, shape, basis);
    random_first_pass(c, first);
    const Values values = random_values(shape, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, c.policy);
    SCOPED_TRACE(describe(c, shape));
    const Layout layout(shape, c.policy, 64);
    const std::vector<std::uint8_t> image = build_image(model, layout);
    // Forgets every code first.
    Quantized decoded = model;
    const auto each = [&](auto&& visit) {
      for (int layer = 0; layer < shape.layers; ++layer)
        for (int kv = 0; kv < shape.kv_heads; ++kv) {
          HeadCodes& to = decoded.codes(layer, kv);
          const HeadCodes& from = model.head(layer, kv);
          visit(to.q, from.q), visit(to.k, from.k), visit(to.v, from.v), visit(to.v16, from.v16),
              visit(to.v_sum, from.v_sum), visit(to.turned, from.turned);
          visit(to.basis.query, from.basis.query), visit(to.basis.key, from.basis.key);
          visit(to.basis.first, from.basis.first);
          for (int j = 0; j < kMaxDigits; ++j) visit(to.k_digit[j], from.k_digit[j]);
        }
    };
    each([](auto& to, const auto&) { std::fill(to.begin(), to.end(), 1); });
    for (int layer = 0; layer < shape.layers; ++layer)
      for (int kv = 0; kv < shape.kv_heads; ++kv) {
        KeyTables& t = decoded.codes(layer, kv).basis;
        std::fill(t.channel.begin(), t.channel.end(), ChannelWord{});
        std::fill(t.to_query.begin(), t.to_query.end(), Scale{});
        t.to_key = {}, t.first_shift = 0;
      }
    decode_image(image, layout, decoded);
    each([&](const auto& to, const auto& from) {
      ASSERT_EQ(to, from);
      compared.add(to.size());
    });
    ASSERT_TRUE(build_image(decoded, layout) == image);
    compared.add(image.size());

    // Which bits hold a code: those that an image of all ones has.
    each([](auto& to, const auto&) { std::fill(to.begin(), to.end(), -1); });
    for (int layer = 0; layer < shape.layers; ++layer)
      for (int kv = 0; kv < shape.kv_heads; ++kv) {
        HeadCodes& h = decoded.codes(layer, kv);
        for (auto* scales : {&h.to_log2, &h.to_out, &h.basis.to_query})
          std::fill(scales->begin(), scales->end(), Scale{65535, -1});
        h.basis.to_key = {65535, -1}, h.basis.first_shift = 255;
        for (ChannelWord& word : h.basis.channel) word = {15, 255, 255, 63, 63, -1};
        std::fill(h.out16.begin(), h.out16.end(), std::uint16_t{65535});
      }
    const std::vector<std::uint8_t> mask = build_image(decoded, layout);
    std::vector<std::uint8_t> bytes(image.size());
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random.bits());
    decode_image(bytes, layout, decoded);
    const std::vector<std::uint8_t> again = build_image(decoded, layout);
    for (std::size_t at = 0; at < bytes.size(); ++at) ASSERT_EQ(again[at], bytes[at] & mask[at]) << "byte " << at;
    compared.add(bytes.size());
    // A code is what its digits weigh.
    for (int layer = 0; layer < shape.layers; ++layer)
      for (int kv = 0; kv < shape.kv_heads; ++kv) {
        const HeadCodes& h = decoded.head(layer, kv);
        for (std::size_t j = 0; j < h.k.size(); ++j) {
          std::int64_t sum = 0;
          for (int digit = 0; digit < c.policy.digits().count; ++digit)
            sum += std::int64_t{h.k_digit[digit][j]} << c.policy.digits().below(digit);
          ASSERT_EQ(h.k[j], sum);
        }
        compared.add(h.k.size());
      }
    bytes.pop_back();
    ASSERT_THROW(decode_image(bytes, layout, decoded), Error);
  }
}

// V's sum as every step finds it, against the values themselves: half a unit of its words a token.
TEST(Quant, SumsOfValues) {
  Compared compared(20000);
  Random random(37);
  double worst = 0;
  for (int i = 0; i < 60; ++i) {
    const Shape shape = random_shape(random);
    Policy p = make_policy("select");
    p.compensate = true, p.v_bits = random.between(2, 12);
    p.v_scale = random.chance(50) ? ValueScale::token : ValueScale::tensor;
    const Values values = random_values(shape, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, p);
    const auto D = static_cast<std::size_t>(shape.head_dim);
    for (int layer = 0; layer < shape.layers; ++layer)
      for (int kv = 0; kv < shape.kv_heads; ++kv) {
        const HeadCodes& c = model.head(layer, kv);
        ASSERT_EQ(c.v_sum.size(), static_cast<std::size_t>(shape.steps()) * D);
        for (int step = 0; step < shape.steps(); ++step)
          for (std::size_t d = 0; d < D; ++d) {
            const auto n = static_cast<std::size_t>(shape.prompt + step);
            double sum = 0;  // in codes of the largest scale
            for (std::size_t t = 0; t < n; ++t) sum += c.v[t * D + d] * (c.v16.empty() ? 1.0 : c.v16[t] / 65536.0);
            const double off =
                std::fabs(c.v_sum[static_cast<std::size_t>(step) * D + d] - std::ldexp(sum, sum_fraction(p.v_bits)));
            ASSERT_LE(off, 0.5 * static_cast<double>(n) + 1e-6);
            worst = std::max(worst, off / (0.5 * static_cast<double>(n)));
            compared.add();
          }
      }
  }
  std::printf("sums of V: off by at most %.2f of their bound\n", worst);
  const Values values = random_values({1, 1, 1, 8, 4, 4, true, 1}, random);
  const FloatSource source = values.source();
  Policy p = make_policy("select");
  EXPECT_TRUE(Quantized(source, Reference(source), p).head(0, 0).v_sum.empty());
  p.compensate = true;
  EXPECT_NO_THROW(decisions_of(p, {1, 1, 1, 8, 16383, 16383, true, 1}));
  EXPECT_THROW(decisions_of(p, {1, 1, 1, 8, 16384, 16384, true, 1}), Error);
}

// 4+4 bits of K and 8 of V at D 64: a record of 96 B, three bursts; 4+2 and 5: 56 B in two.
TEST(Layout, RecordsArePaddedToWholeBursts) {
  Compared compared;
  const Shape shape{2, 3, 1, 64, 16, 16, true, 0.125};
  Policy p = make_policy("select");
  const Layout a(shape, p, 1024);
  EXPECT_EQ(a.record(1, 0, 1).item_bytes, 96u);
  EXPECT_EQ(a.record(1, 0, 1).stride, 96u);
  p.k_digits = {4, 2}, p.v_bits = 5;
  const Layout b(shape, p, 1024);
  EXPECT_EQ(b.record(1, 0, 1).item_bytes, 56u);
  EXPECT_EQ(b.record(1, 0, 1).stride, 64u);
  compared.add(4);
}

// A stream's bases need no descriptor: one register, and two pitches that all streams share.
TEST(Layout, BasesFollowFromTheFirst) {
  Compared compared(8000);
  Random random(37), first(370), basis(371);
  for (int i = 0; i < 200; ++i) {
    Shape shape = random_shape(random);
    Case c = random_case(random);
    if (i % 3 == 2) random_basis(c, shape, basis);
    random_first_pass(c, first);
    const Decisions plan = decisions_of(c.policy, shape);
    const Layout layout(shape, c.policy, std::uint64_t{32} << random.below(9));
    const auto bases = [&](int layer, int kv) {
      std::vector<std::uint64_t> all = {layout.query(layer, kv).base};
      for (int digit = 0; digit < plan.digits.count; ++digit) all.push_back(layout.key(layer, kv, digit).base);
      if (!layout.records()) all.push_back(layout.value(layer, kv).base);
      if (plan.token_scales) all.push_back(layout.value_scale(layer, kv).base);
      if (plan.coded) all.push_back(layout.basis(layer, kv).base), all.push_back(layout.first_key(layer, kv).base);
      if (plan.compensates) all.push_back(layout.value_sum(layer, kv).base);
      return all;
    };
    const std::vector<std::uint64_t> origin = bases(0, 0);
    const auto pitch = [&](int layer, int kv) {
      return layer < shape.layers && kv < shape.kv_heads ? bases(layer, kv).front() - origin.front() : 0;
    };
    const std::uint64_t of_layer = pitch(1, 0), of_head = pitch(0, 1);
    for (int layer = 0; layer < shape.layers; ++layer) {
      for (int kv = 0; kv < shape.kv_heads; ++kv) {
        const std::vector<std::uint64_t> here = bases(layer, kv);
        for (std::size_t s = 0; s < here.size(); ++s)
          ASSERT_EQ(here[s], origin[s] + static_cast<std::uint64_t>(layer) * of_layer +
                                 static_cast<std::uint64_t>(kv) * of_head);
        compared.add(here.size());
      }
      const auto pitch_to_here = static_cast<std::uint64_t>(layer) * of_layer;
      ASSERT_EQ(layout.out(layer).base, layout.out(0).base + pitch_to_here);
      ASSERT_EQ(layout.descriptors(layer).base, layout.descriptors(0).base + pitch_to_here);
    }
  }
}

TEST(Layout, BurstsOfAListAreItsDistinctBursts) {
  Compared compared(20000);
  Random random(34);
  for (int i = 0; i < 20000; ++i) {
    const auto bytes = static_cast<std::uint32_t>(random.between(1, 200));
    const Region r{random.below(100) * 32, bytes,
                   bytes + static_cast<std::uint32_t>(random.chance(50) ? random.below(40) : 0), 64};
    std::vector<std::uint32_t> list;
    for (std::uint32_t t = 0; t < 64; ++t)
      if (random.chance(30)) list.push_back(t);
    std::vector<bool> touched(1 << 15, false);
    for (std::uint32_t t : list)
      for (std::uint64_t b = r.base + t * r.stride; b < r.base + t * r.stride + bytes; ++b) touched[b / 32] = true;
    ASSERT_EQ(bursts(r, list.data(), list.size()),
              static_cast<std::uint64_t>(std::count(touched.begin(), touched.end(), true)));
    compared.add();
  }
  const Region r{64, 8, 8, 100};
  EXPECT_EQ(bursts(r, nullptr, 10), 3u);  // 80 bytes
  EXPECT_EQ(bursts(r, nullptr, 0), 0u);
}

TEST(Layout, WordsOverwriteOnlyTheirBits) {
  Compared compared(10000);
  Random random(35);
  for (int i = 0; i < 10000; ++i) {
    const int width = random.between(1, 16);
    std::vector<std::uint8_t> bytes(64);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random.bits());
    const std::vector<std::uint8_t> before = bytes;
    const std::size_t index = random.below(512 / static_cast<std::size_t>(width));
    const auto value = static_cast<std::int32_t>(random.below(std::uint64_t{1} << width)) - (1 << (width - 1));
    put_word(bytes.data(), index, width, value);
    ASSERT_EQ(word(bytes, 0, index, width, true), value);
    for (std::size_t bit = 0; bit < 512; ++bit)
      ASSERT_TRUE(bit / static_cast<std::size_t>(width) == index ||
                  ((bytes[bit / 8] ^ before[bit / 8]) >> (bit % 8)) % 2 == 0);
    compared.add();
  }
}

// Policies that contradict themselves are refused by name.
TEST(Policies, ContradictionsAreRefused) {
  Compared compared;
  const auto refused = [&](auto&& change, const char* key) {
    Policy p;
    change(p);
    try {
      validate(p);
      ADD_FAILURE() << key << " accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(key), std::string::npos) << e.what();
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    }
    compared.add(2);
  };
  for (const auto& entry : policies()) EXPECT_NO_THROW(validate(entry.make())) << entry.name;
  refused([](Policy& p) { p.k_digits = {}; }, "k_digits");
  refused([](Policy& p) { p.k_digits = {8, 8}; }, "k_digits");
  refused([](Policy& p) { p.k_digits = {1}; }, "k_digits");
  refused([](Policy& p) { p.k_digits = {2, 2, 2, 2, 2}; }, "k_digits");
  refused([](Policy& p) { p.k_digits = {4, 4, 4}; }, "k_digits");
  refused([](Policy& p) { p.k_digits = {8, 4}; }, "threshold");
  refused([](Policy& p) { p.select = SelectRule::mass; }, "select_keep");
  refused([](Policy& p) { p.select = SelectRule::mass, p.select_keep = {0.9}; }, "k_digits");
  refused([](Policy& p) { p.select = SelectRule::mass, p.k_digits = {4, 4}, p.select_keep = {0.0}; }, "select_keep");
  refused([](Policy& p) { p.select = SelectRule::mass, p.k_digits = {4, 4}, p.select_keep = {1e-6}; }, "select_keep");
  refused(
      [](Policy& p) { p.select = SelectRule::count, p.k_digits = {4, 4}, p.select_keep = {0.5}, p.local_value = 0.5; },
      "local_value");
  refused([](Policy& p) { p.select_keep = {0.5}; }, "select_keep");
  refused([](Policy& p) { p.rest = true; }, "rest");
  refused([](Policy& p) { p.first_q_bits = 8; }, "first_q_bits");
  refused([](Policy& p) { p.first_exp = FirstExp::pow2; }, "first_exp");
  refused([](Policy& p) { p.compensate = true; }, "compensate");
  refused([](Policy& p) { p = make_policy("select"), p.compensate = true, p.rest = false; }, "compensate");
  refused([](Policy& p) { p = make_policy("select"), p.compensate = true, p.tokens = {1, 0.9}; }, "compensate");
  for (int bits : {1, 13})
    refused([bits](Policy& p) { p = make_policy("select"), p.first_q_bits = bits; }, "first_q_bits");
  refused([](Policy& p) { p.local_value = 0; }, "local_value");
  refused([](Policy& p) { p.tokens = {0.5, -0.1}; }, "tokens");
  refused([](Policy& p) { p.scope = ImportanceScope::kv_head, p.permanent = true; }, "permanent");
  EXPECT_THROW(make_policy("spaten"), Error);
  compared.add();
  // The shorthands of a schedule.
  EXPECT_EQ(tokens_from_average(0.7).start, 1.0);
  EXPECT_NEAR(tokens_from_average(0.7).end, 0.4, 1e-12);
  EXPECT_NEAR(tokens_from_average(0.5).start, 0.75, 1e-12);
  EXPECT_NEAR(tokens_from_average(0.5).end, 0.25, 1e-12);
  EXPECT_NEAR(heads_from_average(0.9).end, 0.8, 1e-12);
  compared.add(5);
}

}  // namespace
}  // namespace winnow::golden::test
