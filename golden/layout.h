#pragma once
// Where everything lies in the memory image. The layout belongs to the policy: a plane of K is a packed stream; what
// only the survivors of a selection need (further digits of K, and V beside the last of them) is one record a token,
// padded to whole bursts, so that one gather brings it. Regions start at a multiple of channels * interleave.
#include <array>
#include <cstdint>
#include <vector>

#include "golden/descriptor.h"
#include "golden/formats.h"

namespace winnow::golden {

struct Decisions;
struct Policy;
class Quantized;
struct Shape;

// `items` items of item_bytes, item i at base + i * stride.
struct Region {
  std::uint64_t base = 0;
  std::uint32_t item_bytes = 0, stride = 0, items = 0;
  std::uint64_t at(std::uint64_t i) const { return base + i * stride; }
};

// Bursts that a fetch of the listed items (ascending; nullptr: 0..count-1) requests: neighbours in one burst share it.
std::uint64_t bursts(const Region& r, const std::uint32_t* list, std::size_t count);

class Layout {
 public:
  // `align` bytes: channels * interleave of the memory. `base`: where it begins, a multiple of `align`.
  Layout(const Shape& shape, const Decisions& decisions, std::uint64_t align, std::uint64_t base = 0);
  Layout(const Shape& shape, const Policy& policy, std::uint64_t align, std::uint64_t base = 0);

  // Digit plane of K; plane 0 always, others where the policy does not select.
  const Region& key(int layer, int kv_head, int digit) const {
    return at(layer, kv_head).key[static_cast<std::size_t>(digit)];
  }
  // Digit `digit` >= 1 of K, the last one with V behind it (selecting policies).
  const Region& record(int layer, int kv_head, int digit) const { return key(layer, kv_head, digit); }
  // Of K, V and V's scales the items behind the tokens are merged tokens, a step each (policies that merge).
  // Item p: the key of page p (policies with pages).
  const Region& page(int layer, int kv_head) const { return at(layer, kv_head).page; }
  // Bytes of digit `digit` of a key; of the last one's record V comes behind them.
  std::uint32_t digit_bytes(int layer, int kv_head, int digit) const {
    return at(layer, kv_head).digit_bytes[static_cast<std::size_t>(digit)];
  }
  // Bits of each channel, [D]; empty where all have as many.
  const std::vector<int>& widths(int layer, int kv_head) const { return at(layer, kv_head).widths; }
  // Of keys in a basis of their own. Item i: channel i's row of T^-T, its row of T, its word. And one item, token 0's
  // key.
  const Region& basis(int layer, int kv_head) const { return at(layer, kv_head).basis; }
  const Region& first_key(int layer, int kv_head) const { return at(layer, kv_head).first_key; }
  // Empty where V is in the record.
  const Region& value(int layer, int kv_head) const { return at(layer, kv_head).value; }
  const Region& value_scale(int layer, int kv_head) const { return at(layer, kv_head).value_scale; }
  // Item n: the sum of V over the prompt's tokens and those of steps 1..n (policies that compensate). In a machine
  // these are one record, written again with each new token's V; here each step finds its own.
  const Region& value_sum(int layer, int kv_head) const { return at(layer, kv_head).value_sum; }
  // Item token * group + g: one query head's 12-bit codes, its weight behind them (policies that weigh heads).
  const Region& query(int layer, int kv_head) const { return at(layer, kv_head).query; }
  // Item h: scales of the layer's query head h (Descriptor). Of keys in a basis of their own, item heads + h:
  // to_query, and item 2 * heads + KV head: to_key (BasisDescriptor).
  const Region& descriptors(int layer) const { return descriptors_[static_cast<std::size_t>(layer)]; }
  // Item token * heads + head: one output vector, 12-bit codes, whole bursts.
  const Region& out(int layer) const { return out_[static_cast<std::size_t>(layer)]; }

  bool records() const { return records_; }
  // Where it ends: the bytes of an image that begins at 0.
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Head {
    std::array<Region, kMaxDigits> key;
    std::array<std::uint32_t, kMaxDigits> digit_bytes{};
    std::vector<int> widths;
    Region page, basis, first_key, value, value_scale, value_sum, query;
  };
  const Head& at(int layer, int kv_head) const { return heads_[static_cast<std::size_t>(layer * kv_heads_ + kv_head)]; }
  int kv_heads_;
  bool records_;
  std::vector<Head> heads_;
  std::vector<Region> out_, descriptors_;
  std::uint64_t bytes_ = 0;
};

// The image as the memory holds it before the first request; outputs are zero. Words are packed least significant bit
// first, two's complement.
std::vector<std::uint8_t> build_image(const Quantized& model, const Layout& layout);
// Into an image that reaches as far as the layout at least, beside what others have there.
void build_image(const Quantized& model, const Layout& layout, std::vector<std::uint8_t>& image);
// The other way round: codes, digits, V's scales and scales of heads as the bytes have them replace the model's.
// Any bytes are codes, also such as no quantizer makes. Throws Error unless the image is as long as the layout says.
void decode_image(const std::vector<std::uint8_t>& image, const Layout& layout, Quantized& model);

// Writes word `index` of `width` bits at byte `base`; for tests and tools.
void put_word(std::uint8_t* base, std::size_t index, int width, std::int32_t value);
std::int32_t get_word(const std::uint8_t* base, std::size_t index, int width, bool is_signed);
// The same of a word that begins at bit `bit`; of no bits: nothing, and 0.
void put_bits(std::uint8_t* base, std::size_t bit, int width, std::int32_t value);
std::int32_t get_bits(const std::uint8_t* base, std::size_t bit, int width, bool is_signed);

// A query head's scales, eight bytes.
void put_descriptor(std::uint8_t* at, const Descriptor& d);
Descriptor get_descriptor(const std::uint8_t* at);

}  // namespace winnow::golden
