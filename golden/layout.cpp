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
  const auto after = [&](const Region& r, std::uint32_t stride) {
    next = (next + static_cast<std::uint64_t>(stride) * r.items + align - 1) / align * align;
    return r;
  };
  const auto place = [&](std::uint32_t item_bytes, std::uint32_t stride, std::uint32_t items) {
    return after({next, item_bytes, stride, items}, stride);
  };
  const int D = s.head_dim;
  const Digits& d = plan.digits;
  heads_.resize(static_cast<std::size_t>(s.layers * s.kv_heads));
  // Regions of all heads have the room of the largest, so that one pitch leads from head to head.
  std::array<std::uint32_t, kMaxDigits> room{};
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    Head& h = heads_[i];
    if (plan.coded)
      h.widths =
          channel_widths(&s.tensors->key_basis->range[i * static_cast<std::size_t>(D)], static_cast<std::size_t>(D), d)
              .width;
    for (int digit = 0; digit < d.count; ++digit) {
      int bits = plan.coded ? 0 : D * d.width[digit];
      for (const int width : h.widths) bits += channel_digit_bits(width, d, digit);
      const auto at = static_cast<std::size_t>(digit);
      h.digit_bytes[at] = static_cast<std::uint32_t>(bits + 7) / 8;
      room[at] = std::max(room[at], h.digit_bytes[at]);
    }
  }
  for (int layer = 0; layer < s.layers; ++layer) {
    // In front of the layer's first K, so that they lie in a DRAM row that is opened anyway.
    const std::uint32_t descriptor_bytes = packed_bytes(1, kDescriptorBits);
    descriptors_.push_back(place(descriptor_bytes, descriptor_bytes,
                                 static_cast<std::uint32_t>(plan.coded ? 2 * s.heads + s.kv_heads : s.heads)));
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      Head& h = heads_[static_cast<std::size_t>(layer * s.kv_heads + kv)];
      if (const int pages = plan.pages.complete(s.tokens)) {
        const std::uint32_t page_bytes = packed_bytes(D, plan.pages.word_bits());
        h.page = place(page_bytes, page_bytes, static_cast<std::uint32_t>(pages));
      }
      if (plan.coded) {
        const std::uint32_t channel_bytes = packed_bytes(2 * D, kBasisBits) + packed_bytes(1, kChannelWordBits);
        h.basis = place(channel_bytes, channel_bytes, static_cast<std::uint32_t>(D));
        const std::uint32_t first_bytes = packed_bytes(D, kWordBits);
        h.first_key = place(first_bytes, whole_bursts(first_bytes), 1);
      }
      for (int i = 0; i < d.count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const std::uint32_t v = records_ && i == d.count - 1 ? packed_bytes(D, plan.v_bits) : 0;
        const auto stride = [&](std::uint32_t bytes) { return records_ && i > 0 ? whole_bursts(bytes) : bytes; };
        const std::uint32_t bytes = h.digit_bytes[at] + v;
        h.key[at] = after({next, bytes, stride(bytes), stored}, stride(room[at] + v));
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

void put_word(std::uint8_t* base, std::size_t index, int width, std::int32_t value) {
  put_bits(base, index * static_cast<std::size_t>(width), width, value);
}

std::int32_t get_word(const std::uint8_t* base, std::size_t index, int width, bool is_signed) {
  return get_bits(base, index * static_cast<std::size_t>(width), width, is_signed);
}

void put_bits(std::uint8_t* base, std::size_t bit, int width, std::int32_t value) {
  for (int b = 0; b < width;) {
    const std::size_t at = bit + static_cast<std::size_t>(b);
    const int offset = static_cast<int>(at % 8), take = std::min(8 - offset, width - b);
    const std::uint32_t mask = ((1u << take) - 1) << offset;
    const std::uint32_t bits = (static_cast<std::uint32_t>(value) >> b) << offset;
    base[at / 8] = static_cast<std::uint8_t>((base[at / 8] & ~mask) | (bits & mask));
    b += take;
  }
}

std::int32_t get_bits(const std::uint8_t* base, std::size_t bit, int width, bool is_signed) {
  std::uint32_t x = 0;
  for (int b = 0; b < width; ++b) {
    const std::size_t at = bit + static_cast<std::size_t>(b);
    x |= static_cast<std::uint32_t>((base[at / 8] >> (at % 8)) & 1) << b;
  }
  if (is_signed && width > 0 && (x >> (width - 1))) x |= ~0u << width;
  return static_cast<std::int32_t>(x);
}

namespace {

// What lies where, one walk for both directions. Calls of `on`, `at` being a byte, of the model's place as a reference:
//   vector(at, codes, width, is_signed)   D codes side by side
//   channels(at, codes, widths, digit)    D codes of digit `digit`, each as wide as its channel has it
//   scale(at, v16), sum(at, words)        a scale of V; D words of V's sum
//   rows(at, query row, key row, word)    a channel of the keys' basis
//   constants(at, codes, g)               a query head's scales
//   to_query(at, codes, g), to_key(at, codes)   those of the keys' basis
template <class On>
void visit_image(const Layout& layout, const Shape& s, const Decisions& plan, On&& on) {
  const auto D = static_cast<std::size_t>(s.head_dim), n = static_cast<std::size_t>(s.tokens);
  const auto G = static_cast<std::size_t>(s.group());
  const Digits& d = plan.digits;
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      auto& c = on.codes(layer, kv);
      for (std::size_t p = 0; p * D < c.page.size(); ++p)
        on.vector(layout.page(layer, kv).at(p), &c.page[p * D], plan.pages.word_bits(), true);
      for (std::size_t i = 0; plan.coded && i < D; ++i)
        on.rows(layout.basis(layer, kv).at(i), &c.basis.query[i * D], &c.basis.key[i * D], c.basis.channel[i]);
      if (plan.coded) on.vector(layout.first_key(layer, kv).at(0), c.basis.first.data(), kWordBits, true);
      for (std::size_t t = 0; t * D < c.k.size(); ++t) {
        for (int i = 0; i < d.count; ++i) {
          const std::uint64_t at = layout.key(layer, kv, i).at(t);
          if (plan.coded)
            on.channels(at, &c.k_digit[i][t * D], layout.widths(layer, kv), i);
          else
            on.vector(at, &c.k_digit[i][t * D], d.width[i], i == 0 || plan.msb == MsbRule::round);
        }
        const std::uint64_t v_at =
            layout.records() ? layout.record(layer, kv, d.count - 1).at(t) + layout.digit_bytes(layer, kv, d.count - 1)
                             : layout.value(layer, kv).at(t);
        on.vector(v_at, &c.v[t * D], plan.v_bits, true);
        if (plan.token_scales) on.scale(layout.value_scale(layer, kv).at(t), c.v16[t]);
        for (std::size_t g = 0; g < G && t < n; ++g) {
          const std::uint64_t q_at = layout.query(layer, kv).at(t * G + g);
          on.vector(q_at, &c.q[(t * G + g) * D], kWordBits, true);
          if (plan.weighs_heads)
            on.scale(q_at + packed_bytes(static_cast<int>(D), kWordBits), c.head_weight[t * G + g]);
        }
      }
      for (std::size_t step = 0; step * D < c.v_sum.size(); ++step)
        on.sum(layout.value_sum(layer, kv).at(step), &c.v_sum[step * D]);
      for (std::size_t g = 0; g < G; ++g) {
        const std::size_t head = static_cast<std::size_t>(kv) * G + g;
        on.constants(layout.descriptors(layer).at(head), c, g);
        if (plan.coded) on.to_query(layout.descriptors(layer).at(static_cast<std::size_t>(s.heads) + head), c, g);
      }
      if (plan.coded) on.to_key(layout.descriptors(layer).at(static_cast<std::size_t>(2 * s.heads + kv)), c);
    }
}

void put_64(std::uint8_t* at, std::uint64_t word) {
  for (int i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(word >> (8 * i));
}
std::uint64_t get_64(const std::uint8_t* at) {
  std::uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word |= std::uint64_t{at[i]} << (8 * i);
  return word;
}

}  // namespace

void put_descriptor(std::uint8_t* at, const Descriptor& d) { put_64(at, pack_descriptor(d)); }

Descriptor get_descriptor(const std::uint8_t* at) { return unpack_descriptor(get_64(at)); }

namespace {

struct Writer {
  const Quantized& model;
  const Digits& digits;
  std::size_t D;
  std::vector<std::uint8_t>& image;

  const HeadCodes& codes(int layer, int kv) const { return model.head(layer, kv); }
  void vector(std::uint64_t at, const std::int16_t* x, int width, bool) const {
    for (std::size_t i = 0; i < D; ++i) put_word(&image[at], i, width, x[i]);
  }
  void channels(std::uint64_t at, const std::int16_t* x, const std::vector<int>& widths, int digit) const {
    std::size_t bit = 0;
    for (std::size_t i = 0; i < D; ++i) {
      const int width = channel_digit_bits(widths[i], digits, digit);
      put_bits(&image[at], bit, width, x[i]);
      bit += static_cast<std::size_t>(width);
    }
  }
  void scale(std::uint64_t at, std::uint16_t v16) const {
    image[at] = static_cast<std::uint8_t>(v16 & 255);
    image[at + 1] = static_cast<std::uint8_t>(v16 >> 8);
  }
  void sum(std::uint64_t at, const std::int32_t* x) const {
    for (std::size_t i = 0; i < D; ++i) put_word(&image[at], i, kValueSumBits, x[i]);
  }
  void rows(std::uint64_t at, const std::int8_t* query, const std::int8_t* key, const ChannelWord& word) const {
    for (std::size_t i = 0; i < D; ++i)
      put_word(&image[at], i, kBasisBits, query[i]), put_word(&image[at], D + i, kBasisBits, key[i]);
    put_64(&image[at + packed_bytes(static_cast<int>(2 * D), kBasisBits)], pack_channel(word));
  }
  void constants(std::uint64_t at, const HeadCodes& c, std::size_t g) const {
    put_descriptor(&image[at], {c.to_log2[g], c.to_out[g], c.out16[g]});
  }
  void to_query(std::uint64_t at, const HeadCodes& c, std::size_t g) const {
    put_64(&image[at], pack_basis_descriptor({c.basis.to_query[g], 0}));
  }
  void to_key(std::uint64_t at, const HeadCodes& c) const {
    put_64(&image[at], pack_basis_descriptor({c.basis.to_key, c.basis.first_shift}));
  }
};

struct Reader {
  Quantized& model;
  const Digits& digits;
  std::size_t D;
  const std::vector<std::uint8_t>& image;

  HeadCodes& codes(int layer, int kv) const { return model.codes(layer, kv); }
  void vector(std::uint64_t at, std::int16_t* x, int width, bool is_signed) const {
    for (std::size_t i = 0; i < D; ++i) x[i] = static_cast<std::int16_t>(get_word(&image[at], i, width, is_signed));
  }
  void channels(std::uint64_t at, std::int16_t* x, const std::vector<int>& widths, int digit) const {
    std::size_t bit = 0;
    for (std::size_t i = 0; i < D; ++i) {
      const int width = channel_digit_bits(widths[i], digits, digit);
      x[i] = static_cast<std::int16_t>(get_bits(&image[at], bit, width, true));
      bit += static_cast<std::size_t>(width);
    }
  }
  void scale(std::uint64_t at, std::uint16_t& v16) const {
    v16 = static_cast<std::uint16_t>(image[at] | image[at + 1] << 8);
  }
  void sum(std::uint64_t at, std::int32_t* x) const {
    for (std::size_t i = 0; i < D; ++i) x[i] = get_word(&image[at], i, kValueSumBits, true);
  }
  void rows(std::uint64_t at, std::int8_t* query, std::int8_t* key, ChannelWord& word) const {
    for (std::size_t i = 0; i < D; ++i) {
      query[i] = static_cast<std::int8_t>(get_word(&image[at], i, kBasisBits, true));
      key[i] = static_cast<std::int8_t>(get_word(&image[at], D + i, kBasisBits, true));
    }
    word = unpack_channel(get_64(&image[at + packed_bytes(static_cast<int>(2 * D), kBasisBits)]));
  }
  void constants(std::uint64_t at, HeadCodes& c, std::size_t g) const {
    const Descriptor d = get_descriptor(&image[at]);
    c.to_log2[g] = d.to_log2, c.to_out[g] = d.to_out, c.out16[g] = d.out16;
  }
  void to_query(std::uint64_t at, HeadCodes& c, std::size_t g) const {
    c.basis.to_query[g] = unpack_basis_descriptor(get_64(&image[at])).to_code;
  }
  void to_key(std::uint64_t at, HeadCodes& c) const {
    const BasisDescriptor d = unpack_basis_descriptor(get_64(&image[at]));
    c.basis.to_key = d.to_code, c.basis.first_shift = d.first_shift;
  }
};

}  // namespace

std::vector<std::uint8_t> build_image(const Quantized& model, const Layout& layout) {
  std::vector<std::uint8_t> image(layout.bytes(), 0);
  build_image(model, layout, image);
  return image;
}

void build_image(const Quantized& model, const Layout& layout, std::vector<std::uint8_t>& image) {
  visit_image(layout, model.shape(), model.decisions(),
              Writer{model, model.digits(), static_cast<std::size_t>(model.shape().head_dim), image});
}

void decode_image(const std::vector<std::uint8_t>& image, const Layout& layout, Quantized& model) {
  if (image.size() != layout.bytes())
    throw Error("image: " + std::to_string(image.size()) + " bytes: must be " + std::to_string(layout.bytes()));
  const Shape& s = model.shape();
  const auto D = static_cast<std::size_t>(s.head_dim), G = static_cast<std::size_t>(s.group());
  const Digits& d = model.digits();
  visit_image(layout, s, model.decisions(), Reader{model, d, D, image});
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      HeadCodes& c = model.codes(layer, kv);
      for (std::size_t i = 0; i < c.k.size(); ++i) {
        std::int32_t code = 0;
        for (int j = 0; j < d.count; ++j) code += c.k_digit[j][i] * (1 << d.below(j));
        c.k[i] = static_cast<std::int16_t>(code);
      }
      for (std::size_t i = 0; i * D < c.turned.size(); ++i) turn_query(c.basis, i % G, &c.q[i * D], &c.turned[i * D]);
    }
}

}  // namespace winnow::golden
