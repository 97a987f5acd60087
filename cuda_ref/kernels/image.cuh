#pragma once
// Packed words of any width in the memory image, as golden/layout.h lays them out: least significant bit first, two's
// complement. Kernels that attend read their operands from here and nowhere else.
#include "cuda_ref/kernels/language.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

// Items of item_bytes, item i at base + i * stride.
struct Plane {
  u64 base;
  u32 item_bytes, stride;
};

// Where one KV head of a layer lies. `value` points behind the last digits where V shares their record.
struct HeadPlanes {
  Plane key[golden::kMaxDigits];
  Plane page, value, value_scale, value_sum, query, descriptor;
  u32 value_in_record;
};

__device__ __forceinline__ u64 first_bit(const Plane& p, u64 item) { return (p.base + item * p.stride) * 8; }

// The image ends with at least 8 bytes that no item owns.
__device__ __forceinline__ u32 load_bits(const u32* image, u64 bit) {
  const u64 at = bit >> 5;
  return __funnelshift_r(image[at], image[at + 1], static_cast<u32>(bit) & 31);
}
__device__ __forceinline__ i32 load_signed(const u32* image, u64 bit, int width) {
  return static_cast<i32>(load_bits(image, bit) << (32 - width)) >> (32 - width);
}
__device__ __forceinline__ i32 load_unsigned(const u32* image, u64 bit, int width) {
  return static_cast<i32>(load_bits(image, bit) & ((1u << width) - 1));
}

// Byte b of an item whose words of `width` bits word(i) gives. One thread owns a byte, so nothing races.
template <class Word>
__device__ __forceinline__ std::uint8_t packed_byte(u32 b, int width, Word word) {
  u32 byte = 0;
  const int from = static_cast<int>(b) * 8;
  for (int at = from; at < from + 8;) {
    const int i = at / width, offset = at % width;
    int take = width - offset;
    if (take > from + 8 - at) take = from + 8 - at;
    byte |= ((static_cast<u32>(word(i)) >> offset) & ((1u << take) - 1)) << (at - from);
    at += take;
  }
  return static_cast<std::uint8_t>(byte);
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
