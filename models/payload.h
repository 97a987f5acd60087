#pragma once
// What travels between blocks. Every payload carries (layer, head, pass), so that a wave or a mismatch
// names the work it belongs to.
#include <array>
#include <cstdint>

#include "golden/formats.h"

namespace winnow {

using golden::kBurstBytes;
using golden::kMaxHeadDim;
inline constexpr int kMaxLanes = 32;  // widest row of scores, probabilities or survivors

// Which work a payload belongs to. `head` is the KV head, `query` the position in the step's list of live
// queries, `group` the query head inside the KV head's group.
struct Tag {
  std::uint32_t step = 0;
  std::uint16_t layer = 0, head = 0;
  std::uint32_t query = 0;
  std::uint8_t group = 0, pass = 0;
  bool operator==(const Tag&) const = default;
};
inline constexpr std::uint16_t kAllHeads = 0xffff;  // as a tag's head: work for all of them

// What a fetch brings, and so where the converter delivers it: query -> query registers, key -> K buffer, value -> V
// buffer, value_scale -> scale store, record -> K and V buffer.
using golden::kStreams;
using golden::Stream;
inline constexpr int kEpochs = 4;

// One address list for the fetcher: items of `item_bytes` at base + index * stride_bytes, in list order.
// Items of a packed stream are adjacent (stride == item_bytes); a record's stride is whole bursts.
// Word widths: key_bits for Stream::key and Stream::query, value_bits for Stream::value, both for records,
// none for Stream::value_scale (16 bit). 2..12 bits; 1..32 with shape_only.
struct FetchJob {
  Tag tag;
  Stream stream = Stream::key;
  std::uint8_t key_bits = 0, value_bits = 0;  // word widths; 0 = absent. A record holds K words, then V words.
  std::uint8_t key_signed = 1;    // words are sign-extended; 0: unsigned digits (LSB planes of truncated codes)
  std::uint8_t value_signed = 1;  // the same for V words
  std::uint8_t merge = 0;         // K words follow the digits that the half holds: word = (held << key_bits) + word
  std::uint8_t shape_only = 0;    // 1: addresses, bursts and arrival count, values are not unpacked (CSV workloads)
  std::uint8_t epoch = 0;         // layer the traffic is counted for, mod kEpochs: loads run ahead of layers
  std::uint8_t half = 0;          // destination half of the K or V double buffer (or store of the head in flight)
  std::uint16_t words = 0;        // words an item and operand (head dimension; 1 for scales)
  std::uint32_t item_bytes = 0, stride_bytes = 0, items = 0;
  std::uint64_t base = 0;
  const std::uint32_t* list = nullptr;  // token of each item, ascending; nullptr: 0..items-1. Owned by the controller,
                                        // unchanged until the converter has finished the job.
};

using Burst = std::array<std::uint8_t, kBurstBytes>;

// One burst to be written; `address` is 32 B aligned.
struct WriteBurst {
  Tag tag;
  std::uint64_t address = 0;
  Burst data{};
};

// One output vector on its way to memory: 12-bit two's complement values, packed from `address` (32 B
// aligned) on; the rest of its last burst is zero.
struct OutputVector {
  Tag tag;
  std::uint64_t address = 0;
  std::uint16_t words = 0;  // head dimension, a multiple of 8
  std::array<std::int16_t, kMaxHeadDim> data{};
};

}  // namespace winnow
