#pragma once
// Model and Walk over one backend's memory and launches: included once by host.cpp (shim) and once by device.cu (gpu).
// Definitions: setup.h, steps.h, report.h.
#include <cmath>
#include <cstring>
#include <numeric>

// The runtime comes with the compiler, as WINNOW_BACKEND does: what includes this need not know in which order.
#ifdef __CUDACC__
#include "cuda_ref/engine/runtime_gpu.h"
#else
#include "cuda_ref/engine/runtime_shim.h"
#endif
#include "cuda_ref/kernels/cascade.cuh"
#include "cuda_ref/kernels/pages.cuh"
#include "cuda_ref/kernels/reference.cuh"
#include "cuda_ref/walk.h"
#include "golden/error.h"
#include "golden/policies/schedule.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

constexpr unsigned kSetupThreads = 256;

class DeviceModel final : public Model {
 public:
  DeviceModel(const golden::FloatSource& source, const Options& options);
  const golden::Shape& shape() const override { return shape_; }
  std::vector<float> reference(int layer, int head) const override;
  std::unique_ptr<Walk> walk(const golden::Policy& policy, const golden::Layout& layout) override;

  Runtime runtime;
  Options options;
  ShapeArgs args{};
  Buffer<float> q, k, v, out;  // [layers][heads or KV heads][tokens][D]
  Buffer<u32> prompt_max;      // [layers][heads]

 private:
  golden::Shape shape_;
};

class DeviceWalk final : public Walk {
 public:
  DeviceWalk(DeviceModel& model, const golden::Policy& policy, const golden::Layout& layout);
  bool next(golden::LayerResult& result) override;
  void skip_prompt() override {
    if (step_ == 0) step_ = 1, layer_ = 0;
  }
  int step() const override { return step_; }
  int layer() const override { return layer_; }
  std::vector<std::uint8_t> image() const override;
  void corrupt(std::uint64_t byte, std::uint8_t mask) override;

 private:
  void place(const golden::Layout& layout);
  void quantize();
  void plan_report();
  void start_step();
  RowArgs row_args(u32 positions) const;
  void append_merged();
  void place_lists();
  void route();
  void choose_pages_of(RowArgs& a, golden::LayerResult& r);
  CascadeArgs cascade_args() const;
  void fetch(golden::LayerResult& r, u32 positions);
  void measure(golden::LayerResult& r) const;
  template <class T>
  T* report(u64 at) {
    return reinterpret_cast<T*>(report_.data() + at);
  }
  template <class T>
  const T* host(u64 at) const {
    return reinterpret_cast<const T*>(host_.data() + at);
  }
  const golden::Shape& shape() const { return model_.shape(); }
  u64 count(int x) const { return static_cast<u64>(x); }

  DeviceModel& model_;
  golden::Schedule schedule_;
  Plan plan_{};
  std::uint64_t image_bytes_;
  std::vector<golden::Region> out_regions_, descriptors_;
  std::vector<HeadScales> host_scales_;  // [layers][heads], for measuring
  Buffer<std::uint8_t> image_;
  Buffer<HeadPlanes> planes_;
  Buffer<HeadScales> scales_;
  Buffer<golden::TokenChoice> choices_;  // scope kv_head: [layers][KV heads], of the step at hand
  Buffer<u32> list_counts_;              // the same
  Buffer<u64> chances_;
  Buffer<u32> merged_;                    // [layers][KV heads], of the step at hand: golden::Schedule::merged
  Buffer<u32> page_places_, page_lists_;  // [KV heads][tokens]: pages that a step keeps, the tokens that it reads
  Buffer<u32> lists_;                     // scope kv_head: [layers][KV heads][tokens]
  Buffer<std::uint8_t> scratch_;
  unsigned blocks_ = 0;

  // What a layer reports and what lives on between layers lies in one piece, so that one copy fetches it.
  Buffer<std::uint8_t> report_;
  std::vector<std::uint8_t> host_;
  struct {
    u64 counts, head_importance, live_heads, head_bits, live, importance, rows, row_lists, row_p, out, end;
  } at_{};

  int step_ = 0, layer_ = 0;
  std::vector<u32> live_, live_heads_, head_bits_;
  std::vector<u32> step_lists_, list_sizes_;  // scope kv_head, this step
  bool per_head_;
};

}  // namespace winnow::cuda_ref::WINNOW_BACKEND

#include "cuda_ref/engine/report.h"
#include "cuda_ref/engine/setup.h"
#include "cuda_ref/engine/steps.h"
