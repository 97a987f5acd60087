#include "golden/layout.h"

#include <algorithm>
#include <string>

#include "golden/error.h"
#include "golden/model.h"
#include "golden/quant.h"

namespace winnow::golden {

std::uint64_t bursts(const Region& r, const std::uint32_t* list, std::size_t count) {
  std::uint64_t n = 0, last = ~std::uint64_t{0};
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t a = r.at(list ? list[i] : i), first = a / kBurstBytes,
                        end = (a + r.item_bytes - 1) / kBurstBytes;
    n += end - first + 1 - (first == last);
    last = end;
  }
  return n;
}

Layout::Layout(const Shape& s, const Policy& p, std::uint64_t align, std::uint64_t base)
    : Layout(s, decisions_of(p, s), align, base) {}

Layout::Layout(const Shape& s, const Decisions& plan, std::uint64_t align, std::uint64_t base)
    : kv_heads_(s.kv_heads), records_(plan.selects()) {
  const auto n = static_cast<std::uint32_t>(s.tokens);
  const auto stored = static_cast<std::uint32_t>(plan.stored_tokens(s.tokens, s.steps()));
  const auto G = static_cast<std::uint32_t>(s.group());
  std::uint64_t next = base;
  const auto place = [&](std::uint32_t item_bytes, std::uint32_t stride, std::uint32_t items) {
    const Region r{next, item_bytes, stride, items};
    next = (next + static_cast<std::uint64_t>(stride) * items + align - 1) / align * align;
    return r;
  };
  const int D = s.head_dim;
  const Digits& d = plan.digits;
  heads_.resize(static_cast<std::size_t>(s.layers * s.kv_heads));
  for (int layer = 0; layer < s.layers; ++layer) {
    // In front of the layer's first K, so that they lie in a DRAM row that is opened anyway.
    const std::uint32_t descriptor_bytes = packed_bytes(1, kDescriptorBits);
    descriptors_.push_back(place(descriptor_bytes, descriptor_bytes, static_cast<std::uint32_t>(s.heads)));
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      Head& h = heads_[static_cast<std::size_t>(layer * s.kv_heads + kv)];
      if (const int pages = plan.pages.complete(s.tokens)) {
        const std::uint32_t page_bytes = packed_bytes(D, plan.pages.word_bits());
        h.page = place(page_bytes, page_bytes, static_cast<std::uint32_t>(pages));
      }
      for (int i = 0; i < d.count; ++i) {
        auto bytes = packed_bytes(D, d.width[i]);
        if (records_ && i == d.count - 1) bytes += packed_bytes(D, plan.v_bits);
        h.key[static_cast<std::size_t>(i)] = place(bytes, records_ && i > 0 ? whole_bursts(bytes) : bytes, stored);
      }
      if (!records_) {
        const std::uint32_t bytes = packed_bytes(D, plan.v_bits);
        h.value = place(bytes, bytes, stored);
      }
      const std::uint32_t scale_bytes = packed_bytes(1, kValueScaleBits),
                          query_bytes =
                              packed_bytes(D, kWordBits) + (plan.weighs_heads ? packed_bytes(1, kHeadWeightBits) : 0);
      if (plan.token_scales) h.value_scale = place(scale_bytes, scale_bytes, stored);
      if (plan.compensates) {
        const std::uint32_t sum_bytes = packed_bytes(D, kValueSumBits);
        h.value_sum = place(sum_bytes, whole_bursts(sum_bytes), static_cast<std::uint32_t>(s.steps()));
      }
      h.query = place(query_bytes, query_bytes, n * G);
    }
    const std::uint32_t out_bytes = packed_bytes(D, kWordBits);
    out_.push_back(place(out_bytes, whole_bursts(out_bytes), n * static_cast<std::uint32_t>(s.heads)));
  }
  bytes_ = next;
}

void put_descriptor(std::uint8_t* at, const Descriptor& d) {
  const std::uint64_t word = pack_descriptor(d);
  for (int i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(word >> (8 * i));
}

Descriptor get_descriptor(const std::uint8_t* at) {
  std::uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word |= std::uint64_t{at[i]} << (8 * i);
  return unpack_descriptor(word);
}

void put_word(std::uint8_t* base, std::size_t index, int width, std::int32_t value) {
  const std::size_t bit = index * static_cast<std::size_t>(width);
  for (int b = 0; b < width;) {
    const std::size_t at = bit + static_cast<std::size_t>(b);
    const int offset = static_cast<int>(at % 8), take = std::min(8 - offset, width - b);
    const std::uint32_t mask = ((1u << take) - 1) << offset;
    const std::uint32_t bits = (static_cast<std::uint32_t>(value) >> b) << offset;
    base[at / 8] = static_cast<std::uint8_t>((base[at / 8] & ~mask) | (bits & mask));
    b += take;
  }
}

std::int32_t get_word(const std::uint8_t* base, std::size_t index, int width, bool is_signed) {
  const std::size_t bit = index * static_cast<std::size_t>(width);
  std::uint32_t x = 0;
  for (int b = 0; b < width; ++b) {
    const std::size_t at = bit + static_cast<std::size_t>(b);
    x |= static_cast<std::uint32_t>((base[at / 8] >> (at % 8)) & 1) << b;
  }
  if (is_signed && (x >> (width - 1))) x |= ~0u << width;
  return static_cast<std::int32_t>(x);
}

namespace {

// Calls `vector(at, codes, width, is_signed)` for every D codes that lie side by side in the image, `codes` being their
// place in the model, `scale(at, v16)` for every scale of V and weight of a head, `sum(at, words)` for D words of V's
// sum, and `constants(at, to_log2, to_out, out16)` for every query head's scales. One walk for both directions.
template <class Codes, class Vector, class ValueScale, class ValueSum, class Constants>
void visit_image(const Layout& layout, const Shape& s, const Decisions& plan, Codes&& codes_of, Vector&& vector,
                 ValueScale&& scale, ValueSum&& sum, Constants&& constants) {
  const auto D = static_cast<std::size_t>(s.head_dim), n = static_cast<std::size_t>(s.tokens);
  const auto G = static_cast<std::size_t>(s.group());
  const Digits& d = plan.digits;
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      auto& c = codes_of(layer, kv);
      for (std::size_t p = 0; p * D < c.page.size(); ++p)
        vector(layout.page(layer, kv).at(p), &c.page[p * D], plan.pages.word_bits(), true);
      for (std::size_t t = 0; t * D < c.k.size(); ++t) {
        for (int i = 0; i < d.count; ++i)
          vector(layout.key(layer, kv, i).at(t), &c.k_digit[i][t * D], d.width[i],
                 i == 0 || plan.msb == MsbRule::round);
        const std::uint64_t v_at = layout.records() ? layout.record(layer, kv, d.count - 1).at(t) +
                                                          D * static_cast<std::size_t>(d.width[d.count - 1]) / 8
                                                    : layout.value(layer, kv).at(t);
        vector(v_at, &c.v[t * D], plan.v_bits, true);
        if (plan.token_scales) scale(layout.value_scale(layer, kv).at(t), c.v16[t]);
        for (std::size_t g = 0; g < G && t < n; ++g) {
          const std::uint64_t q_at = layout.query(layer, kv).at(t * G + g);
          vector(q_at, &c.q[(t * G + g) * D], kWordBits, true);
          if (plan.weighs_heads) scale(q_at + packed_bytes(static_cast<int>(D), kWordBits), c.head_weight[t * G + g]);
        }
      }
      for (std::size_t step = 0; step * D < c.v_sum.size(); ++step)
        sum(layout.value_sum(layer, kv).at(step), &c.v_sum[step * D]);
      for (std::size_t g = 0; g < G; ++g)
        constants(layout.descriptors(layer).at(static_cast<std::size_t>(kv) * G + g), c.to_log2[g], c.to_out[g],
                  c.out16[g]);
    }
}

}  // namespace

std::vector<std::uint8_t> build_image(const Quantized& model, const Layout& layout) {
  std::vector<std::uint8_t> image(layout.bytes(), 0);
  build_image(model, layout, image);
  return image;
}

void build_image(const Quantized& model, const Layout& layout, std::vector<std::uint8_t>& image) {
  const auto D = static_cast<std::size_t>(model.shape().head_dim);
  visit_image(
      layout, model.shape(), model.decisions(),
      [&](int layer, int kv) -> const HeadCodes& { return model.head(layer, kv); },
      [&](std::uint64_t at, const std::int16_t* x, int width, bool) {
        for (std::size_t i = 0; i < D; ++i) put_word(&image[at], i, width, x[i]);
      },
      [&](std::uint64_t at, std::uint16_t v16) {
        image[at] = static_cast<std::uint8_t>(v16 & 255);
        image[at + 1] = static_cast<std::uint8_t>(v16 >> 8);
      },
      [&](std::uint64_t at, const std::int32_t* x) {
        for (std::size_t i = 0; i < D; ++i) put_word(&image[at], i, kValueSumBits, x[i]);
      },
      [&](std::uint64_t at, Scale to_log2, Scale to_out, std::uint16_t out16) {
        put_descriptor(&image[at], {to_log2, to_out, out16});
      });
}

void decode_image(const std::vector<std::uint8_t>& image, const Layout& layout, Quantized& model) {
  if (image.size() != layout.bytes())
    throw Error("image: " + std::to_string(image.size()) + " bytes: must be " + std::to_string(layout.bytes()));
  const Shape& s = model.shape();
  const auto D = static_cast<std::size_t>(s.head_dim);
  const Digits& d = model.digits();
  visit_image(
      layout, s, model.decisions(), [&](int layer, int kv) -> HeadCodes& { return model.codes(layer, kv); },
      [&](std::uint64_t at, std::int16_t* x, int width, bool is_signed) {
        for (std::size_t i = 0; i < D; ++i) x[i] = static_cast<std::int16_t>(get_word(&image[at], i, width, is_signed));
      },
      [&](std::uint64_t at, std::uint16_t& v16) { v16 = static_cast<std::uint16_t>(image[at] | image[at + 1] << 8); },
      [&](std::uint64_t at, std::int32_t* x) {
        for (std::size_t i = 0; i < D; ++i) x[i] = get_word(&image[at], i, kValueSumBits, true);
      },
      [&](std::uint64_t at, Scale& to_log2, Scale& to_out, std::uint16_t& out16) {
        const Descriptor d = get_descriptor(&image[at]);
        to_log2 = d.to_log2, to_out = d.to_out, out16 = d.out16;
      });
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      HeadCodes& c = model.codes(layer, kv);
      for (std::size_t i = 0; i < c.k.size(); ++i) {
        std::int32_t code = 0;
        for (int j = 0; j < d.count; ++j) code += c.k_digit[j][i] * (1 << d.below(j));
        c.k[i] = static_cast<std::int16_t>(code);
      }
    }
}

}  // namespace winnow::golden
