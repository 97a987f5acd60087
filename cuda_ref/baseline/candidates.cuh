#pragma once
// The kernels that are measured. To the measuring code each is something that runs set i on a stream.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda_ref/baseline/cudnn.h"
#include "cuda_ref/baseline/operands.cuh"

namespace winnow::cuda_ref::gpu_backend {

struct Candidate {
  Rotation rotation;
  std::function<void(int set, cudaStream_t)> run;
  std::function<std::vector<float>()> output;  // of set 0
  std::string plan;                            // the library's name of what it runs; empty for own kernels
};

// What is built when its turn comes, so that only one candidate's buffers are there at a time.
struct Entry {
  std::string kernel, dtype;
  int batch = 1;
  bool sparse = false, naive = false;
  std::function<Candidate()> make;  // throws Error when a library refuses
};

template <class T>
void run_naive(const NaiveShape& a, const typename Operands<T>::Place& p, T* s, cudaStream_t stream) {
  const auto heads = static_cast<unsigned>(a.batch * a.heads);
  const auto tiles = [](int n) { return static_cast<unsigned>((n + kTile - 1) / kTile); };
  if (a.rows == 1) {
    const unsigned blocks = std::max(1u, static_cast<unsigned>(a.keys) / 32);
    naive_scores_of_one<T><<<dim3(blocks, heads), 256, 0, stream>>>(a, p.q, p.k, s);
    naive_softmax<T><<<dim3(1, heads), 256, 0, stream>>>(a, s);
    naive_output_of_one<T><<<dim3(1, heads), 1024, 0, stream>>>(a, s, p.v, p.out);
  } else {
    naive_scores<T><<<dim3(tiles(a.keys) * tiles(a.rows), heads), 256, 0, stream>>>(a, p.q, p.k, s);
    naive_softmax<T><<<dim3(static_cast<unsigned>(a.rows), heads), 256, 0, stream>>>(a, s);
    naive_output<T><<<dim3(tiles(a.head_dim) * tiles(a.rows), heads), 256, 0, stream>>>(a, s, p.v, p.out);
  }
  check(cudaGetLastError(), "naive kernels");
}

template <class T>
Candidate naive_candidate(const BaselineInput& in, int batch, bool sparse, std::uint64_t l2) {
  const auto operands = std::make_shared<Operands<T>>(in, batch, sparse, l2);
  const NaiveShape& a = operands->shape;
  const auto scores = std::make_shared<Buffer<T>>();
  scores->allocate(static_cast<std::size_t>(a.batch * a.heads) * static_cast<std::size_t>(a.rows) *
                   static_cast<std::size_t>(a.keys));
  return {operands->rotation,
          [=](int set, cudaStream_t stream) {
            run_naive<T>(operands->shape, operands->place(set, stream), scores->data(), stream);
          },
          [=] { return operands->output(); },
          {}};
}

// Chosen tokens: each KV head is a batch entry of its own, padded to the longest list where lists differ.
template <class T>
Candidate cudnn_candidate(const BaselineInput& in, int batch, bool sparse, std::uint64_t l2) {
  const auto operands = std::make_shared<Operands<T>>(in, batch, sparse, l2);
  const NaiveShape& a = operands->shape;
  FusedShape shape;
  shape.batch = a.batch, shape.heads = a.heads, shape.kv_heads = a.kv_heads, shape.rows = a.rows, shape.keys = a.keys;
  shape.head_dim = a.head_dim, shape.scale = in.scale, shape.bf16 = std::is_same_v<T, Brain>;
  shape.causal = a.causal && a.rows > 1;  // one row sees every key
  if (shape.causal && in.first != 0) throw Error("cuDNN: causal rows that do not begin at the first token: not built");
  struct Fused {
    std::unique_ptr<FusedAttention> attention;
    Buffer<std::uint8_t> workspace;
    Buffer<i32> row_counts, key_counts;
  };
  const auto fused = std::make_shared<Fused>();
  if (sparse) {
    shape = head_by_head(shape);
    std::vector<i32> counts;
    for (std::int64_t b = 0; b < shape.batch; ++b) {
      counts.push_back(static_cast<i32>(in.chosen[static_cast<std::size_t>(b % in.kv_heads)].size()));
      shape.padded |= counts.back() != counts.front();
    }
    const std::vector<i32> rows(counts.size(), static_cast<i32>(shape.rows));
    fused->row_counts.allocate(rows.size()), fused->key_counts.allocate(counts.size());
    fused->row_counts.upload(rows.data(), rows.size()), fused->key_counts.upload(counts.data(), counts.size());
  }
  fused->attention = fused_attention(shape);
  fused->workspace.allocate(fused->attention->workspace_bytes());
  return {operands->rotation,
          [=](int set, cudaStream_t stream) {
            const auto p = operands->place(set, stream);
            fused->attention->run(p.q, p.k, p.v, p.out, fused->row_counts.data(), fused->key_counts.data(),
                                  fused->workspace.data(), stream);
          },
          [=] { return operands->output(); }, fused->attention->plan()};
}

// All of them, in the order of measuring. cuDNN's only where it can be used at all.
inline std::vector<Entry> entries(const BaselineInput& in, std::uint64_t l2) {
  std::vector<Entry> all;
  std::string why;
  const bool cudnn = !cudnn_version(why).empty();
  const auto add = [&](const char* kernel, const char* dtype, bool sparse, bool naive, auto make) {
    for (const int batch : in.batches)
      all.push_back({kernel, dtype, batch, sparse, naive,
                     [&in, batch, sparse, l2, make] { return make(in, batch, sparse, l2); }});
  };
  if (cudnn) {
    add("fused, cuDNN graph", "fp16", false, false, cudnn_candidate<Half>);
    add("fused, cuDNN graph", "bf16", false, false, cudnn_candidate<Brain>);
  }
  add("naive unfused", "fp32", false, true, naive_candidate<float>);
  add("naive unfused", "fp16", false, true, naive_candidate<Half>);
  if (in.chosen.empty()) return all;
  if (cudnn) add("gathered sparse, fused, cuDNN graph", "fp16", true, false, cudnn_candidate<Half>);
  add("gathered sparse, naive", "fp16", true, true, naive_candidate<Half>);
  return all;
}

}  // namespace winnow::cuda_ref::gpu_backend
