#include "golden/layout.h"

#include <algorithm>

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

Layout::Layout(const Shape& s, const Policy& p, std::uint64_t align) : Layout(s, decisions_of(p, s), align) {}

Layout::Layout(const Shape& s, const Decisions& plan, std::uint64_t align)
    : kv_heads_(s.kv_heads), records_(plan.selects()) {
  const auto n = static_cast<std::uint32_t>(s.tokens);
  const auto G = static_cast<std::uint32_t>(s.group());
  std::uint64_t next = 0;
  const auto place = [&](std::uint32_t item_bytes, std::uint32_t stride, std::uint32_t items) {
    const Region r{next, item_bytes, stride, items};
    next = (next + static_cast<std::uint64_t>(stride) * items + align - 1) / align * align;
    return r;
  };
  const int D = s.head_dim;
  const Digits& d = plan.digits;
  heads_.resize(static_cast<std::size_t>(s.layers * s.kv_heads));
  for (int layer = 0; layer < s.layers; ++layer) {
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      Head& h = heads_[static_cast<std::size_t>(layer * s.kv_heads + kv)];
      for (int i = 0; i < d.count; ++i) {
        auto bytes = packed_bytes(D, d.width[i]);
        if (records_ && i == d.count - 1) bytes += packed_bytes(D, plan.v_bits);
        h.key[static_cast<std::size_t>(i)] = place(bytes, records_ && i > 0 ? whole_bursts(bytes) : bytes, n);
      }
      if (!records_) {
        const std::uint32_t bytes = packed_bytes(D, plan.v_bits);
        h.value = place(bytes, bytes, n);
      }
      const std::uint32_t scale_bytes = packed_bytes(1, kValueScaleBits), query_bytes = packed_bytes(D, kWordBits);
      if (plan.token_scales) h.value_scale = place(scale_bytes, scale_bytes, n);
      h.query = place(query_bytes, query_bytes, n * G);
    }
    const std::uint32_t out_bytes = packed_bytes(D, kWordBits);
    out_.push_back(place(out_bytes, whole_bursts(out_bytes), n * static_cast<std::uint32_t>(s.heads)));
  }
  bytes_ = next;
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

std::vector<std::uint8_t> build_image(const Quantized& model, const Layout& layout) {
  const Shape& s = model.shape();
  const Decisions& plan = model.decisions();
  const auto D = static_cast<std::size_t>(s.head_dim), n = static_cast<std::size_t>(s.tokens);
  const auto G = static_cast<std::size_t>(s.group());
  const Digits& d = plan.digits;
  std::vector<std::uint8_t> image(layout.bytes(), 0);
  const auto pack = [&](std::uint64_t at, const std::int16_t* x, int width) {
    for (std::size_t i = 0; i < D; ++i) put_word(&image[at], i, width, x[i]);
  };
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      const HeadCodes& c = model.head(layer, kv);
      for (std::size_t t = 0; t < n; ++t) {
        for (int i = 0; i < d.count; ++i) pack(layout.key(layer, kv, i).at(t), &c.k_digit[i][t * D], d.width[i]);
        const std::uint64_t v_at = layout.records() ? layout.record(layer, kv, d.count - 1).at(t) +
                                                          D * static_cast<std::size_t>(d.width[d.count - 1]) / 8
                                                    : layout.value(layer, kv).at(t);
        pack(v_at, &c.v[t * D], plan.v_bits);
        if (!c.v16.empty()) {
          const std::uint64_t at = layout.value_scale(layer, kv).at(t);
          image[at] = static_cast<std::uint8_t>(c.v16[t] & 255);
          image[at + 1] = static_cast<std::uint8_t>(c.v16[t] >> 8);
        }
        for (std::size_t g = 0; g < G; ++g)
          pack(layout.query(layer, kv).at(t * G + g), &c.q[(t * G + g) * D], kWordBits);
      }
    }
  return image;
}

}  // namespace winnow::golden
