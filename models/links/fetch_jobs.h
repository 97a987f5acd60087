#pragma once
// Controller -> fetcher, and on to the converter: address lists.
#include <bit>
#include <cstdint>

#include "golden/formats.h"
#include "models/prim/link.h"
#include "models/prim/refs.h"
#include "models/prim/tag.h"

namespace winnow {

// What a fetch brings, and so where the converter delivers it: query -> query registers, key -> K buffer, value -> V
// buffer, value_scale -> scale store, record -> K and V buffer, descriptor -> head constants.
using golden::kStreams;
using golden::Stream;
inline const char* name_of(Stream stream) {
  switch (stream) {
    case Stream::query: return "queries";
    case Stream::key: return "K";
    case Stream::value: return "V";
    case Stream::value_scale: return "scales of V";
    case Stream::record: return "records";
    case Stream::descriptor: return "descriptors";
  }
  return "";
}
inline constexpr int kEpochs = 64;  // layers of all sequences, at work and ahead

// One address list for the fetcher: items of `item_bytes` at base + index * stride_bytes, in list order.
// Items of a packed stream are adjacent (stride == item_bytes); a record's stride is whole bursts.
// Word widths: key_bits for Stream::key and Stream::query, value_bits for Stream::value, both for records,
// none for Stream::value_scale (16 bit) and Stream::descriptor (64 bit). 2..12 bits; 1..32 with shape_only.
struct FetchJob {
  Tag tag;
  Stream stream = Stream::key;
  std::uint8_t key_bits = 0, value_bits = 0;  // word widths; 0 = absent. A record holds K words, then V words.
  std::uint8_t key_signed = 1;    // words are sign-extended; 0: unsigned digits (LSB planes of truncated codes)
  std::uint8_t value_signed = 1;  // the same for V words
  std::uint8_t held = 0;          // bits of the digits that the half's words hold already; K words follow behind them
  std::uint8_t shape_only = 0;    // 1: addresses, bursts and arrival count, values are not unpacked (CSV workloads)
  std::uint8_t epoch = 0;         // layer the traffic is counted for, mod kEpochs: loads run ahead of layers
  std::uint8_t second = 0;  // records: K words follow the first digit of their token, in the half's second columns
  std::uint8_t sum = 0;     // value: one vector, the sum of V
  std::uint8_t half = 0;    // destination half of the K or V buffer; a descriptor's place in the head constants
  std::uint16_t words = 0;  // words an item and operand (head dimension; 1 for scales)
  std::uint32_t item_bytes = 0, stride_bytes = 0, items = 0;
  std::uint64_t base = 0;
  ListRef list = kEveryItem;  // token of each item, ascending; unchanged until the converter has finished the job
  // Items are the list's entries from `first` on, or count up from `first`; a vector goes to slot `first` + item. A
  // load may come in several jobs, of which each brings a part. Queries: an item a live query head of each position; a
  // position has a vector for each of `group` heads, of which those in `heads` are asked for. 0: an item a token.
  std::uint16_t heads = 0;
  std::uint8_t group = 0;
  std::uint32_t first = 0;

  // Place of an item's vector in its region; `entries` of the list, none where there is no list.
  std::uint64_t index(const std::uint32_t* entries, std::uint32_t item) const {
    if (heads == 0) return entries ? entries[first + item] : first + item;
    const auto live = static_cast<std::uint32_t>(std::popcount(heads));
    const std::uint32_t place = first + item / live;
    std::uint32_t left = heads;
    for (std::uint32_t skip = item % live; skip; --skip) left &= left - 1;
    return std::uint64_t{entries ? entries[place] : place} * group + static_cast<std::uint32_t>(std::countr_zero(left));
  }
  // Entries of the list that the job works through.
  std::uint32_t entries() const {
    return first + (heads ? items / static_cast<std::uint32_t>(std::popcount(heads)) : items);
  }

  const char* what_kind() const { return name_of(stream); }

  template <class V>
  void fields(V&& v) {
    tag.fields(v);
    v("stream", stream, 3), v("key_bits", key_bits, 6), v("value_bits", value_bits, 6), v("key_signed", key_signed, 1);
    v("value_signed", value_signed, 1), v("held", held, 4), v("shape_only", shape_only, 1), v("epoch", epoch, 6);
    v("second", second, 1), v("sum", sum, 1), v("half", half, 6), v("words", words, 9), v("item_bytes", item_bytes, 11),
        v("stride_bytes", stride_bytes, 11);
    v("items", items, 17), v("base", base, 36), v("list", list, 8);
    v("heads", heads, 16), v("group", group, 5), v("first", first, 17);
  }
};

struct FetchJobs {
  using Payload = FetchJob;
  static constexpr LinkInfo kInfo{"fetch_jobs", "controller", "fetcher",
                                  "one at work behind it and one to follow without a bubble", true};
  static std::size_t depth(const Sizes&) { return 2; }
};

}  // namespace winnow
