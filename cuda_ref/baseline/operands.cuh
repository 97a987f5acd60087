#pragma once
// One layer's operands on the GPU, `batch` times, in so many copies (sets.h): a launch that takes another set each
// time finds L2 cold, one that stays with a set finds it warm.
#include <algorithm>
#include <vector>

#include "cuda_ref/baseline/baseline.h"
#include "cuda_ref/baseline/kernels.cuh"
#include "cuda_ref/baseline/sets.h"
#include "cuda_ref/baseline/work.h"
#include "cuda_ref/engine/runtime_gpu.h"

namespace winnow::cuda_ref::gpu_backend {

template <class T>
struct Operands {
  NaiveShape shape{};
  int tokens = 0;
  Rotation rotation;
  std::size_t q_size = 0, kv_size = 0;
  Buffer<T> q, k, v, out, gathered_k, gathered_v;
  Buffer<u32> used, chosen;

  // `sparse`: shape.keys is the most tokens that a KV head chose, and place() gathers them.
  Operands(const BaselineInput& in, int batch, bool sparse, std::uint64_t l2) : tokens(in.keys) {
    u32 most = static_cast<u32>(in.keys);
    if (sparse) {
      most = 1;
      for (const auto& list : in.chosen) most = std::max(most, static_cast<u32>(list.size()));
    }
    shape = {batch,
             in.heads,
             in.kv_heads,
             in.rows,
             static_cast<int>(most),
             in.head_dim,
             in.causal && !sparse,
             in.first,
             static_cast<float>(in.scale),
             nullptr};
    const auto B = static_cast<std::size_t>(batch);
    q_size = B * in.q.size(), kv_size = B * in.k.size();
    rotation = cuda_ref::rotation(touched_bytes(in, sizeof(T), batch, sparse),
                                  static_cast<double>((2 * q_size + 2 * kv_size) * sizeof(T)), l2);
    const auto n = static_cast<std::size_t>(rotation.sets);
    q.allocate(n * q_size), out.allocate(n * q_size), k.allocate(n * kv_size), v.allocate(n * kv_size);
    fill(in.q, q, n * B), fill(in.k, k, n * B), fill(in.v, v, n * B);
    if (!sparse) return;
    std::vector<u32> counts, lists(in.chosen.size() * most, 0);
    for (std::size_t kv = 0; kv < in.chosen.size(); ++kv) {
      counts.push_back(static_cast<u32>(in.chosen[kv].size()));
      std::copy(in.chosen[kv].begin(), in.chosen[kv].end(), lists.begin() + static_cast<std::ptrdiff_t>(kv * most));
    }
    used.allocate(counts.size()), chosen.allocate(lists.size());
    used.upload(counts.data(), counts.size()), chosen.upload(lists.data(), lists.size());
    shape.used = used.data();
    const std::size_t rows = B * static_cast<std::size_t>(in.kv_heads) * most * static_cast<std::size_t>(in.head_dim);
    gathered_k.allocate(rows), gathered_v.allocate(rows);
    gathered_k.zero(), gathered_v.zero();
  }

  static void fill(const std::vector<float>& from, Buffer<T>& to, std::size_t copies) {
    Buffer<float> floats;
    floats.allocate(from.size());
    floats.upload(from.data(), from.size());
    convert<T><<<256, 256>>>(floats.data(), to.data(), from.size());
    check(cudaGetLastError(), "fill");
    // What is there doubles: tens of thousands of small sets are no launches each.
    for (std::size_t done = 1; done < copies; done *= 2)
      check(cudaMemcpyAsync(to.data() + done * from.size(), to.data(),
                            std::min(done, copies - done) * from.size() * sizeof(T), cudaMemcpyDeviceToDevice),
            "fill");
    check(cudaDeviceSynchronize(), "fill");
  }

  struct Place {
    const T *q, *k, *v;
    T* out;
  };
  // Where set i lies; the chosen tokens' rows are gathered first.
  Place place(int set, cudaStream_t stream) {
    const auto at = static_cast<std::size_t>(set);
    Place p{q.data() + at * q_size, k.data() + at * kv_size, v.data() + at * kv_size, out.data() + at * q_size};
    if (shape.used) {
      const dim3 grid(static_cast<unsigned>(shape.keys), static_cast<unsigned>(shape.batch * shape.kv_heads));
      gather_rows<T>
          <<<grid, 64, 0, stream>>>(shape, tokens, chosen.data(), p.k, p.v, gathered_k.data(), gathered_v.data());
      check(cudaGetLastError(), "gather");
      p.k = gathered_k.data(), p.v = gathered_v.data();
    }
    return p;
  }

  std::vector<float> output() const {  // of set 0
    std::vector<T> raw(q_size);
    out.download(raw.data(), raw.size());
    std::vector<float> values(raw.size());
    std::transform(raw.begin(), raw.end(), values.begin(), [](T x) { return host_float(x); });
    return values;
  }
  static float host_float(float x) { return x; }
  static float host_float(Brain x) { return to_float(x); }
  static float host_float(Half x) { return __half2float(__ushort_as_half(x.bits)); }
};

}  // namespace winnow::cuda_ref::gpu_backend
