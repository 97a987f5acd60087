#pragma once
// Fused attention by cuDNN's graph API. The library is loaded at run time; a build without its front end's headers
// (CMake says so) has cudnn_absent.cpp, whose why_not() names that.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

struct CUstream_st;

namespace winnow::cuda_ref {

// q, out [batch][heads][rows][D]; k, v [batch][KV heads][keys][D], 16 bits a value, packed.
struct FusedShape {
  std::int64_t batch = 1, heads = 1, kv_heads = 1, rows = 1, keys = 1, head_dim = 64;
  bool bf16 = false;
  bool causal = false;  // row i sees keys 0 .. i
  bool padded = false;  // each batch entry uses only so many keys
  double scale = 1;
};

// The same memory with each KV head as a batch entry of its own, so that each may use another number of keys.
inline FusedShape head_by_head(FusedShape s) {
  s.batch *= s.kv_heads, s.heads /= s.kv_heads, s.kv_heads = 1;
  return s;
}

class FusedAttention {
 public:
  virtual ~FusedAttention() = default;
  virtual std::size_t workspace_bytes() const = 0;
  virtual std::string plan() const = 0;  // cuDNN's name of the engine it chose
  // Device addresses; row_counts and key_counts ([batch] int32) with `padded` only.
  virtual void run(const void* q, const void* k, const void* v, void* out, const void* row_counts,
                   const void* key_counts, void* workspace, CUstream_st* stream) = 0;
};

// "9.19.0"; empty when cuDNN cannot be used, then `why_not` says why in one line.
std::string cudnn_version(std::string& why_not);
// Throws Error: what cuDNN refuses and its reason.
std::unique_ptr<FusedAttention> fused_attention(const FusedShape& shape);

// Whether cuDNN has an engine for the shape on a GPU that is not there but described, as cuDNN's JSON has it, of
// compute capability `compute` (90 for 9.0). Empty: yes; else its reason. For tests: needs libcuda.so.1, of which the
// toolkit's stub will do.
std::string cudnn_refusal(const FusedShape& shape, const std::string& device_json, int compute);

}  // namespace winnow::cuda_ref
