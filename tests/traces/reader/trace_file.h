#pragma once
// A small valid trace file in memory, whose parts a test can bend before it is written.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/temporary.h"
#include "traces/trace.h"

namespace winnow::test {

// Exact for the normal halves that the values here are.
inline std::uint16_t to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const int exponent = static_cast<int>((bits >> 23) & 0xff) - 127 + 15;
  if (value == 0) return static_cast<std::uint16_t>(sign);
  return static_cast<std::uint16_t>(sign | (static_cast<std::uint32_t>(exponent) << 10) | ((bits >> 13) & 0x3ffu));
}

struct TraceFile {
  int layers = 2, heads = 4, kv_heads = 2, head_dim = 8, tokens = 3;
  TraceDtype dtype = TraceDtype::f16;
  // Keys keep this order in the header, so that a test can name a tensor's place.
  nlohmann::ordered_json header;
  std::string body;

  static TraceFile make(TraceDtype dtype = TraceDtype::f16) {
    TraceFile file;
    file.dtype = dtype;
    file.header["__metadata__"] = {{"format", "winnow-trace-1"},
                                   {"model", "m"},
                                   {"licence", "l"},
                                   {"source", "s"},
                                   {"tool", "t"},
                                   {"layers", "2"},
                                   {"heads", "4"},
                                   {"kv_heads", "2"},
                                   {"head_dim", "8"},
                                   {"tokens", "3"},
                                   {"prompt", "2"},
                                   {"causal", "true"},
                                   {"attention_scale", "0.35355339059327373"}};
    std::string ids;
    for (std::int32_t t = 0; t < file.tokens; ++t) ids.append(reinterpret_cast<const char*>(&t), 4);
    file.add("token_ids", "I32", {file.tokens}, ids);
    for (int layer = 0; layer < file.layers; ++layer)
      for (int which = 0; which < 3; ++which) {
        const int heads = which == 0 ? file.heads : file.kv_heads;
        std::string bytes;
        for (int i = 0; i < heads * file.tokens * file.head_dim; ++i)
          bytes += stored(TraceFile::value(layer, which, i), dtype);
        file.add(
            "layers." + std::to_string(layer) + "." + "qkv" [which], code_of(dtype),
            { heads, file.tokens, file.head_dim }, bytes);
      }
    return file;
  }
  static const char* code_of(TraceDtype dtype) {
    return dtype == TraceDtype::f16 ? "F16" : dtype == TraceDtype::bf16 ? "BF16" : "F32";
  }
  // A value's bytes in the file. Exact for the values that stand here.
  static std::string stored(float value, TraceDtype dtype) {
    const std::uint16_t word = dtype == TraceDtype::f16
                                   ? to_half(value)
                                   : static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
    return dtype == TraceDtype::f32 ? std::string(reinterpret_cast<const char*>(&value), 4)
                                    : std::string(reinterpret_cast<const char*>(&word), 2);
  }
  // What stands at place i of a tensor: a multiple of 1/8 below 32, exact in float16 and in bfloat16.
  static float value(int layer, int which, int i) {
    return static_cast<float>((layer * 131 + which * 37 + i * 29) % 511 - 255) / 8.0f;
  }

  void add(const std::string& name, const std::string& dtype, const std::vector<int>& shape, const std::string& bytes) {
    header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {body.size(), body.size() + bytes.size()}}};
    body += bytes;
  }
  std::string bytes() const { return with_header(header.dump()); }
  std::string with_header(const std::string& text) const {
    const std::uint64_t length = text.size();
    std::string all(8, '\0');
    std::memcpy(all.data(), &length, 8);
    return all + text + body;
  }
};

}  // namespace winnow::test
