#pragma once
// Floats onto the device, the float reference, the plan, the packed image.
#include "cuda_ref/engine/engine.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

inline DeviceModel::DeviceModel(const golden::FloatSource& source, const Options& o)
    : options(o), shape_(source.shape) {
  const golden::Shape& s = shape_;
  if (s.group() > kMaxGroup)
    throw Error("cuda: " + std::to_string(s.group()) + " query heads a KV head: the kernels take at most " +
                std::to_string(kMaxGroup));
  if (s.head_dim > golden::kMaxHeadDim)
    throw Error("cuda: head_dim " + std::to_string(s.head_dim) + ": the kernels take at most " +
                std::to_string(golden::kMaxHeadDim));
  runtime.order = o.order;
  args = {s.layers, s.heads, s.kv_heads, s.group(), s.head_dim, s.tokens, s.prompt, s.causal, s.attention_scale};
  const auto rows = static_cast<std::size_t>(s.tokens) * static_cast<std::size_t>(s.head_dim);
  const auto L = static_cast<std::size_t>(s.layers), H = static_cast<std::size_t>(s.heads);
  const auto KV = static_cast<std::size_t>(s.kv_heads);
  q.allocate(L * H * rows), out.allocate(L * H * rows), k.allocate(L * KV * rows), v.allocate(L * KV * rows);
  prompt_max.allocate(L * H);
  prompt_max.zero();
  std::vector<float> staging(rows);
  const auto bring = [&](const auto& read, Buffer<float>& to, std::size_t heads) {
    for (std::size_t l = 0; l < L; ++l)
      for (std::size_t h = 0; h < heads; ++h) {
        read(static_cast<int>(l), static_cast<int>(h), staging.data());
        to.upload(staging.data(), rows, (l * heads + h) * rows);
      }
  };
  bring(source.q, q, H), bring(source.k, k, KV), bring(source.v, v, KV);

  const unsigned threads = o.prompt_threads ? o.prompt_threads : runtime.prompt_threads();
  const unsigned blocks = o.blocks ? o.blocks : runtime.blocks();
  Buffer<float> scratch;
  scratch.allocate(blocks * static_cast<std::size_t>(s.tokens));
  for (int layer = 0; layer < s.layers; ++layer)
    launch(runtime, float_attention, Grid{blocks, 1, 1}, threads, 0,
           ReferenceArgs{args, layer, q.data(), k.data(), v.data(), out.data(), prompt_max.data(), scratch.data()});
}

inline std::vector<float> DeviceModel::reference(int layer, int head) const {
  const auto rows = static_cast<std::size_t>(shape_.tokens) * static_cast<std::size_t>(shape_.head_dim);
  std::vector<float> values(rows);
  out.download(values.data(), rows, static_cast<std::size_t>(layer * shape_.heads + head) * rows);
  return values;
}

inline std::unique_ptr<Walk> DeviceModel::walk(const golden::Policy& policy, const golden::Layout& layout) {
  return std::make_unique<DeviceWalk>(*this, policy, layout);
}

inline DeviceWalk::DeviceWalk(DeviceModel& model, const golden::Policy& policy, const golden::Layout& layout)
    : model_(model),
      schedule_{model.shape(), policy},
      plan_(golden::decisions_of(policy, model.shape())),
      image_bytes_(layout.bytes()),
      per_head_(plan_.per_kv_head) {
  const golden::Shape& s = shape();
  choices_.allocate(static_cast<std::size_t>(s.layers * s.kv_heads));
  list_counts_.allocate(static_cast<std::size_t>(s.layers * s.kv_heads));

  place(layout);
  quantize();
  plan_report();
}

inline void DeviceWalk::place(const golden::Layout& layout) {
  const golden::Shape& s = shape();
  const auto plane = [](const golden::Region& r) { return Plane{r.base, r.item_bytes, r.stride}; };
  std::vector<HeadPlanes> all;
  const int digits = plan_.digits.count;
  for (int layer = 0; layer < s.layers; ++layer) {
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      HeadPlanes h{};
      for (int i = 0; i < digits; ++i) h.key[i] = plane(layout.key(layer, kv, i));
      h.value_in_record = layout.records();
      if (layout.records()) {
        // V lies behind the last digits of its token.
        h.value = h.key[digits - 1];
        h.value.base += golden::packed_bytes(s.head_dim, plan_.digits.width[digits - 1]);
        h.value.item_bytes = golden::packed_bytes(s.head_dim, plan_.v_bits);
      } else {
        h.value = plane(layout.value(layer, kv));
      }
      if (plan_.pages.size) h.page = plane(layout.page(layer, kv));
      if (plan_.token_scales) h.value_scale = plane(layout.value_scale(layer, kv));
      if (plan_.compensates) h.value_sum = plane(layout.value_sum(layer, kv));
      h.query = plane(layout.query(layer, kv));
      h.descriptor = plane(layout.descriptors(layer));
      h.descriptor.base += static_cast<u64>(kv * s.group()) * h.descriptor.item_bytes;
      all.push_back(h);
    }
    out_regions_.push_back(layout.out(layer));
    descriptors_.push_back(layout.descriptors(layer));
  }
  planes_.allocate(all.size());
  planes_.upload(all.data(), all.size());
}

inline void DeviceWalk::quantize() {
  const golden::Shape& s = shape();
  const u64 L = count(s.layers), H = count(s.heads), KV = count(s.kv_heads), n = count(s.tokens), D = count(s.head_dim);
  image_.allocate(image_bytes_ / 4 * 4 + 16);
  image_.zero();
  scales_.allocate(L * H);
  Buffer<double> k_unit, v_unit, q_unit;
  Buffer<u32> v16;
  k_unit.allocate(L * KV * D), v_unit.allocate(L * KV), q_unit.allocate(L * H);
  v16.allocate(plan_.token_scales ? L * KV * n : 1);
  QuantizeArgs a{};
  a.shape = model_.args;
  a.digits = plan_.digits, a.msb = plan_.msb, a.pages = plan_.pages;
  a.channel_scales = plan_.channel_scales, a.token_scales = plan_.token_scales;
  a.out_by_value = plan_.out_by_value;
  a.v_bits = plan_.v_bits;
  a.k_limit = golden::largest_code(a.digits, a.msb), a.v_limit = (1 << (plan_.v_bits - 1)) - 1;
  // A decoder's later tokens exceed the prompt's largest values; golden says by how much scales allow for it.
  a.q_headroom = s.causal ? golden::kQueryHeadroom : 1, a.k_headroom = s.causal ? golden::kKeyChannelHeadroom : 1;
  a.out_headroom = s.causal && !plan_.out_by_value ? golden::kOutHeadroom : 1;
  a.q = model_.q.data(), a.k = model_.k.data(), a.v = model_.v.data(), a.prompt_max = model_.prompt_max.data();
  a.k_unit = k_unit.data(), a.v_unit = v_unit.data(), a.v16 = v16.data(), a.q_unit = q_unit.data();
  a.scales = scales_.data(), a.planes = planes_.data(), a.image = image_.data();
  const unsigned threads =
      model_.options.prompt_threads ? model_.options.prompt_threads : model_.runtime.prompt_threads();
  const auto y = static_cast<unsigned>(s.layers), kv = static_cast<unsigned>(s.kv_heads),
             h = static_cast<unsigned>(s.heads);
  launch(model_.runtime, units_of_kv, Grid{kv, y, 1}, threads, 0, a);
  launch(model_.runtime, scales_of_heads, Grid{h, y, 1}, threads, 0, a);
  launch(model_.runtime, pack_kv, Grid{kv, y, 1}, threads, 0, a);
  if (plan_.compensates) launch(model_.runtime, pack_sums, Grid{kv, y, 1}, threads, 0, a);
  Buffer<u32> newest_from;
  if (plan_.merges) {
    std::vector<u32> from;
    for (int step = 0; step < s.steps(); ++step) from.push_back(plan_.newest_from(static_cast<u32>(s.tokens_in(step))));
    newest_from.allocate(from.size());
    newest_from.upload(from.data(), from.size());
    a.protect_first = plan_.protect_first, a.newest_from = newest_from.data();
    launch(model_.runtime, pack_merged, Grid{kv, y, 1}, threads, 0, a);
  }
  if (plan_.pages.size) launch(model_.runtime, pack_pages, Grid{kv, y, 1}, threads, 0, a);
  Buffer<u16> head_weights;
  if (plan_.weighs_heads) {
    std::vector<u16> weights;
    for (int layer = 0; layer < s.layers; ++layer)
      for (int head = 0; head < s.heads; ++head)
        for (std::size_t t = 0; t < n; ++t) weights.push_back(golden::head_weight16(s, layer, head, t));
    head_weights.allocate(weights.size());
    head_weights.upload(weights.data(), weights.size());
    a.head_weights = head_weights.data();
  }
  launch(model_.runtime, pack_queries, Grid{h, y, 1}, threads, 0, a);
  host_scales_.resize(L * H);
  scales_.download(host_scales_.data(), host_scales_.size());
}

inline void DeviceWalk::plan_report() {
  const golden::Shape& s = shape();
  const u64 L = count(s.layers), H = count(s.heads), KV = count(s.kv_heads), n = count(s.tokens), D = count(s.head_dim);
  u64 next = 0;
  const auto take = [&](u64 bytes) {
    const u64 at = next;
    next += (bytes + 15) / 16 * 16;
    return at;
  };
  at_.counts = take(sizeof(LayerCounts));
  at_.head_importance = take(H * 8);
  at_.live_heads = take((H + 1) * 4);
  at_.head_bits = take(KV * 4);
  at_.live = take(n * 4);
  at_.importance = take((plan_.importance_per_head() ? L * KV * n : n) * 8);
  at_.rows = take(KV * sizeof(RowReport));
  at_.row_lists = take(KV * (kMaxStages + 1) * n * 4);
  at_.row_p = take(H * n * 2);
  at_.out = take(n * H * D * 2);
  at_.end = next;
  report_.allocate(next);
  report_.zero();
  host_.resize(next);
  chances_.allocate(n);
  chances_.zero();
  lists_.allocate(per_head_ ? L * KV * n : 1);
  merged_.allocate(plan_.merges ? L * KV : 1);
  page_places_.allocate(plan_.pages.size ? KV * n : 1), page_lists_.allocate(plan_.pages.size ? KV * n : 1);
  blocks_ = model_.options.blocks ? model_.options.blocks : model_.runtime.blocks();
  // A page stage has a block a KV head.
  const u64 scratches = plan_.pages.size && KV > blocks_ ? KV : blocks_;
  scratch_.allocate(scratches * row_scratch_bytes(s.group(), s.tokens));
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
