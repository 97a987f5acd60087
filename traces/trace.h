#pragma once
// An attention trace: queries, keys and values of one forward of a real model (traces/README.md has the
// file format), or of a seeded generator (traces/synthetic.h). Read only; values are float32 to the caller
// whatever the file holds, and exact: every float16 and every bfloat16 is a float32.
//
// Values are after position encoding and not yet multiplied by the attention scale. K and V of all
// positions are kept, so the cache of any decode step is a prefix of them.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "golden/model.h"

namespace winnow {

struct TraceMeta {
  std::string model, licence, source, tool;
  int layers = 0;
  int heads = 0;     // query heads
  int kv_heads = 0;  // divides heads; query head h reads KV head h / group()
  int head_dim = 0;  // D, a multiple of 8
  int tokens = 0;    // prompt + generated
  int prompt = 0;    // 1..tokens; for a model that is not causal all tokens are prompt
  bool causal = false;
  double attention_scale = 0;  // multiplies q . k, usually 1/sqrt(D)

  int group() const { return heads / kv_heads; }
  int generated() const { return tokens - prompt; }
  bool operator==(const TraceMeta&) const = default;
};

enum class TraceDtype { f16, bf16, f32 };
constexpr int bytes_of(TraceDtype dtype) { return dtype == TraceDtype::f32 ? 4 : 2; }
constexpr const char* name_of(TraceDtype dtype) {
  return dtype == TraceDtype::f16 ? "float16" : dtype == TraceDtype::bf16 ? "bfloat16" : "float32";
}
enum class TraceTensor { q, k, v };

// Cheap to copy: copies share the mapping or the buffers.
class Trace {
 public:
  // A path of a .safetensors file, or "synthetic:key=value,..." (traces/synthetic.h).
  // Checks everything at once: header, shapes, dtypes, metadata, every value finite.
  // Throws Error: `file: place: value: rule`.
  static Trace open(const std::string& path_or_spec);

  const TraceMeta& meta() const { return meta_; }
  const std::string& name() const { return name_; }  // what open() was given
  TraceDtype dtype() const { return dtype_; }
  // Every string of the file's metadata, those in meta() and others; empty for a synthetic trace.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  std::span<const std::int32_t> token_ids() const { return token_ids_; }  // [tokens]
  // What the file says of its heads beside their values.
  const std::shared_ptr<const golden::HeadTensors>& head_tensors() const { return head_tensors_; }

  // One head's rows, dst[tokens][D]. `head` counts query heads for q, KV heads for k and v.
  void read(TraceTensor which, int layer, int head, float* dst) const {
    read(which, layer, head, 0, meta_.tokens, dst);
  }
  // Rows first..first+count-1 of it, dst[count][D].
  void read(TraceTensor which, int layer, int head, int first, int count, float* dst) const;
  void read_q(int layer, int head, float* dst) const { read(TraceTensor::q, layer, head, dst); }
  void read_k(int layer, int kv_head, float* dst) const { read(TraceTensor::k, layer, kv_head, dst); }
  void read_v(int layer, int kv_head, float* dst) const { read(TraceTensor::v, layer, kv_head, dst); }

  // The values of a layer as they lie there: [heads][tokens][D] of dtype(), not necessarily aligned. They live as long
  // as any copy of this trace. `layer` below meta().layers.
  const std::byte* data(TraceTensor which, int layer) const {
    return tensors_[3 * static_cast<std::size_t>(layer) + static_cast<std::size_t>(which)];
  }

  // Bytes of the file, or of the generator's buffers.
  std::size_t bytes() const { return bytes_; }
  // Hex SHA-256 of the file's bytes; of a synthetic trace, of its metadata and values. Computed on each call.
  std::string sha256() const;

  int head_count(TraceTensor which) const { return which == TraceTensor::q ? meta_.heads : meta_.kv_heads; }

 private:
  friend struct TraceBuilder;
  TraceMeta meta_;
  std::map<std::string, std::string> metadata_;
  std::string name_;
  TraceDtype dtype_ = TraceDtype::f32;
  std::size_t bytes_ = 0;
  std::vector<std::int32_t> token_ids_;
  std::shared_ptr<const golden::HeadTensors> head_tensors_ = std::make_shared<const golden::HeadTensors>();
  // tensors_[3 * layer + which] points at [heads][tokens][D] values of dtype_ (not necessarily aligned).
  std::vector<const std::byte*> tensors_;
  std::shared_ptr<const void> storage_;  // what tensors_ point into: a mapping, or buffers
  std::span<const std::byte> file_;      // the whole file when mapped, else empty
};

// The shape that golden is given.
inline golden::Shape shape_of(const Trace& trace) {
  const TraceMeta& m = trace.meta();
  return {m.layers, m.heads,  m.kv_heads,        m.head_dim,          m.tokens,
          m.prompt, m.causal, m.attention_scale, trace.head_tensors()};
}

// Exact float16 -> float32, and bfloat16, which is a float32's upper half.
float half_to_float(std::uint16_t half);
inline float bfloat_to_float(std::uint16_t bfloat) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bfloat) << 16);
}

}  // namespace winnow
