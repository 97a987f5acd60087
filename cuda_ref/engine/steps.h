#pragma once
// One layer of one step: what is launched with which arguments.
#include "cuda_ref/engine/engine.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

inline CascadeArgs DeviceWalk::cascade_args() const {
  auto& self = const_cast<DeviceWalk&>(*this);
  const golden::Shape& s = shape();
  CascadeArgs c{};
  c.shape = model_.args;
  c.step = step_, c.layer = layer_, c.tokens = s.tokens_in(step_);
  c.live_count = static_cast<u32>(live_.size());
  if (layer_ + 1 < s.layers) c.next = schedule_.tokens(step_, layer_ + 1), c.keep_heads = schedule_.heads(layer_ + 1);
  c.decay_shift = plan_.decay_shift, c.normalised = plan_.normalised;
  c.shared_scope = !per_head_, c.importance_per_head = plan_.importance_per_head();
  c.importance = self.report<u64>(at_.importance);
  c.importance_size = (at_.rows - at_.importance) / 8;
  c.chances = self.chances_.data(), c.head_importance = self.report<u64>(at_.head_importance);
  c.live = self.report<u32>(at_.live), c.live_heads = self.report<u32>(at_.live_heads);
  c.head_bits = self.report<u32>(at_.head_bits);
  c.lists = self.lists_.data();
  c.choices = self.choices_.data();
  return c;
}

inline void DeviceWalk::start_step() {
  const golden::Shape& s = shape();
  const auto n = static_cast<u32>(s.tokens_in(step_));
  CascadeArgs c = cascade_args();
  c.renews = schedule_.full_step(step_);
  c.restarts = schedule_.restarts(step_), c.first_new = schedule_.joins_from(step_);
  if (c.restarts) c.live_count = 0;
  launch(model_.runtime, begin_step, Grid{4, 1, 1}, model_.runtime.prompt_threads(), 0, c);
  // The host's copy of the lists.
  schedule_.begin_step(step_, live_, live_heads_);
  head_bits_.clear();
  for (int kv = 0; kv < s.kv_heads; ++kv) head_bits_.push_back(golden::head_bits(live_heads_, s.group(), kv));
  if (!per_head_) return;
  std::vector<golden::TokenChoice> choices;
  list_sizes_.clear();
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      choices.push_back(schedule_.tokens(step_, layer, kv));
      list_sizes_.push_back(choices.back().keep);
    }
  choices_.upload(choices.data(), choices.size());
  list_counts_.upload(list_sizes_.data(), list_sizes_.size());
  c.live_count = n;
  launch(model_.runtime, choose_lists, Grid{static_cast<unsigned>(s.kv_heads), static_cast<unsigned>(s.layers), 1},
         model_.runtime.prompt_threads(), 0, c);
  step_lists_.resize(lists_.size());
  lists_.download(step_lists_.data(), step_lists_.size());
  if (schedule_.masks()) place_lists();
  if (plan_.merges) append_merged();
}

// Whom a KV head sees by a mask or a cluster follows from the trace, not from anything that a kernel computes.
inline void DeviceWalk::place_lists() {
  const golden::Shape& s = shape();
  if (step_ == 0) return;
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      if (!schedule_.tokens(step_, layer, kv).by_place) continue;
      const std::vector<u32> names = schedule_.placed(step_, layer, kv);
      const std::size_t list = s.kv_index(layer, kv);
      std::copy(names.begin(), names.end(), &step_lists_[list * count(s.tokens)]);
      list_sizes_[list] = static_cast<u32>(names.size());
    }
  lists_.upload(step_lists_.data(), step_lists_.size());
}

// The heads that a router sends a step's token to.
inline void DeviceWalk::route() {
  const golden::Shape& s = shape();
  for (int kv = 0; kv < s.kv_heads; ++kv)
    head_bits_[count(kv)] = schedule_.routed(step_, layer_, kv, golden::head_bits(live_heads_, s.group(), kv));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(head_bits_.data());
  report_.upload(bytes, head_bits_.size() * sizeof(u32), at_.head_bits);
}

// The merged token goes behind the list that it belongs to.
inline void DeviceWalk::append_merged() {
  const golden::Shape& s = shape();
  std::vector<u32> merged;
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      const std::size_t list = merged.size();
      merged.push_back(schedule_.merged(step_, layer, kv));
      if (merged.back()) step_lists_[list * count(s.tokens) + list_sizes_[list]++] = schedule_.merged_token(step_);
    }
  merged_.upload(merged.data(), merged.size());
  lists_.upload(step_lists_.data(), step_lists_.size());
  list_counts_.upload(list_sizes_.data(), list_sizes_.size());
}

inline RowArgs DeviceWalk::row_args(u32 positions) const {
  auto& self = const_cast<DeviceWalk&>(*this);
  const golden::Shape& s = shape();
  const u64 kv_base = count(layer_) * count(s.kv_heads), n = count(s.tokens);
  RowArgs a{};
  a.shape = model_.args, a.plan = plan_;
  a.layer = layer_, a.positions = static_cast<int>(positions), a.prompt = step_ == 0;
  a.whole = plan_.whole(a.prompt, s.tokens_in(step_));
  a.image = reinterpret_cast<const u32*>(image_.data());
  a.planes = planes_.data() + kv_base, a.scales = scales_.data() + count(layer_) * count(s.heads);
  a.live = per_head_ ? lists_.data() + kv_base * n : self.report<u32>(at_.live);
  a.live_stride = per_head_ ? static_cast<u32>(n) : 0;
  a.live_count = static_cast<u32>(live_.size());
  a.live_counts = per_head_ ? list_counts_.data() + kv_base : nullptr;
  a.merged = plan_.merges ? merged_.data() + kv_base : nullptr;
  a.first_position = static_cast<u32>(s.tokens_in(step_) - 1);
  a.head_bits = self.report<u32>(at_.head_bits);
  a.importance = self.report<u64>(at_.importance) + (plan_.importance_per_head() ? kv_base * n : 0);
  a.earns = schedule_.earns(step_);
  a.importance_stride = plan_.importance_per_head() ? n : 0;
  a.head_importance = self.report<u64>(at_.head_importance);
  a.out = self.report<i16>(at_.out);
  const golden::Region& out = out_regions_[count(layer_)];
  a.out_plane = {out.base, out.item_bytes, out.stride};
  a.counts = self.report<LayerCounts>(at_.counts);
  a.rows = self.report<RowReport>(at_.rows);
  a.row_p = self.report<u16>(at_.row_p), a.row_lists = self.report<u32>(at_.row_lists);
  a.scratch = self.scratch_.data(), a.scratch_bytes = row_scratch_bytes(s.group(), s.tokens);
  return a;
}

// The tokens of a step with a page stage take the place of the live ones.
inline void DeviceWalk::choose_pages_of(RowArgs& a, golden::LayerResult& r) {
  const golden::PageChoice choice = schedule_.pages(step_, layer_);
  if (!choice.chooses()) return;
  const u64 n = count(shape().tokens);
  const auto tokens = static_cast<u32>(r.tokens);
  launch(model_.runtime, choose_pages, Grid{static_cast<unsigned>(shape().kv_heads), 1, 1},
         model_.runtime.decode_threads(), 0, PageArgs{a, choice, tokens, page_places_.data(), page_lists_.data()});
  a.live = page_lists_.data(), a.live_stride = static_cast<u32>(n), a.live_count = choice.tokens(tokens);
  std::vector<u32> lists(page_lists_.size());
  page_lists_.download(lists.data(), lists.size());
  for (int kv = 0; kv < shape().kv_heads; ++kv) {
    if (!head_bits_[count(kv)]) continue;
    const u32* list = &lists[count(kv) * n];
    r.live[count(kv)].assign(list, list + a.live_count);
  }
}

__global__ void clear_words(u32* at, u64 n) {
  for (u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x; i < n;
       i += static_cast<u64>(gridDim.x) * blockDim.x)
    at[i] = 0;
}

inline bool DeviceWalk::next(golden::LayerResult& r) {
  const golden::Shape& s = shape();
  if (step_ >= s.steps()) return false;
  if (layer_ == 0) start_step();
  const bool prompt = step_ == 0;
  const u64 n = count(s.tokens);
  r = {};
  r.step = step_, r.layer = layer_, r.tokens = s.tokens_in(step_);
  for (int kv = 0; kv < s.kv_heads; ++kv) {
    const u32* list = per_head_ ? &step_lists_[(count(layer_) * count(s.kv_heads) + count(kv)) * n] : live_.data();
    r.live.emplace_back(list,
                        list + (per_head_ ? list_sizes_[count(layer_) * count(s.kv_heads) + count(kv)] : live_.size()));
  }
  if (schedule_.routes(step_)) route();
  r.heads = head_bits_;
  if (prompt)
    r.positions = r.live[0];
  else
    r.positions = {static_cast<u32>(r.tokens - 1)};
  const auto positions = static_cast<u32>(r.positions.size());

  RowArgs a = row_args(positions);
  const u64 out_words = (count(static_cast<int>(positions)) * count(s.heads) * count(s.head_dim) * 2 + 3) / 4;
  launch(model_.runtime, clear_words, Grid{1, 1, 1}, 64, 0, report<u32>(at_.counts), u64{sizeof(LayerCounts) / 4});
  launch(model_.runtime, clear_words, Grid{prompt ? 64u : 1u, 1, 1}, model_.runtime.prompt_threads(), 0,
         report<u32>(at_.out), out_words);
  choose_pages_of(a, r);
  const unsigned wish = prompt ? model_.options.prompt_threads : model_.options.decode_threads;
  const unsigned threads = wish ? wish : prompt ? model_.runtime.prompt_threads() : model_.runtime.decode_threads();
  const unsigned rows = positions * static_cast<unsigned>(s.kv_heads);
  launch(model_.runtime, attend, Grid{rows < blocks_ ? rows : blocks_, 1, 1}, threads,
         row_shared_bytes(s.group(), s.head_dim), a);
  if (a.whole)
    launch(model_.runtime, count_whole, Grid{static_cast<unsigned>(s.kv_heads), 1, 1}, model_.runtime.prompt_threads(),
           0, a, int{golden::kQueryChunk});
  launch(model_.runtime, end_layer, Grid{1, 1, 1}, model_.runtime.decode_threads(), 0, cascade_args());
  fetch(r, positions);
  if (model_.options.measure) measure(r);
  if (++layer_ == s.layers) layer_ = 0, ++step_;
  return true;
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
