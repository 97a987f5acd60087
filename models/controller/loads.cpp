// What the controller asks the fetcher for: K and V of heads as far ahead as halves are free, queries as far ahead as
// the registers hold, gathers before both.
#include <algorithm>
#include <bit>

#include "models/controller/controller.h"

namespace winnow {

FetchJob Controller::fetch(const Head& h, Stream stream, const golden::Region& r,
                           const std::vector<std::uint32_t>& list) const {
  FetchJob job;
  job.tag.step = static_cast<std::uint32_t>(h.layer->plan.step);
  job.tag.layer = static_cast<std::uint16_t>(h.layer->plan.layer);
  job.tag.head = static_cast<std::uint16_t>(h.plan->kv_head);
  job.stream = stream;
  job.half = h.half;
  job.epoch = h.layer->epoch;
  job.words = static_cast<std::uint16_t>(stream == Stream::value_scale ? 1 : params_.head_dim);
  job.item_bytes = r.item_bytes, job.stride_bytes = r.stride, job.base = r.base;
  job.items = static_cast<std::uint32_t>(list.size());
  job.list = list.data();
  job.shape_only = params_.shape_only;
  return job;
}

FetchJob Controller::key_job(const Head& h, int digit, const std::vector<std::uint32_t>& list) const {
  const auto i = static_cast<std::size_t>(digit);
  FetchJob job = fetch(h, records() && digit > 0 ? Stream::record : Stream::key, h.plan->key[i], list);
  job.tag.pass = static_cast<std::uint8_t>(digit);
  job.key_bits = static_cast<std::uint8_t>(h.plan->key_bits[i]);
  job.key_signed = digit == 0 || decisions_.msb == golden::MsbRule::round;
  if (records() && digit == digits_.count - 1 && digit > 0)
    job.value_bits = static_cast<std::uint8_t>(h.plan->value_bits);
  return job;
}

void Controller::open_heads() {
  for (Layer& layer : layers_) {
    while (layer.load_head < layer.plan.heads.size() && heads_.size() < 2 * params_.halves + 2) {
      const HeadPlan& plan = layer.plan.heads[layer.load_head++];
      if (!plan.heads) continue;
      Head& h = heads_.emplace_back();
      h.layer = &layer, h.plan = &plan;
      h.half = static_cast<std::uint8_t>(next_half_++ % params_.halves);
      h.group_heads = static_cast<std::size_t>(std::popcount(plan.heads));
      const bool whole = layer.plan.full_width;
      h.loads.push_back(key_job(h, 0, plan.live));
      if (whole)
        for (int i = 1; i < digits_.count; ++i) {
          FetchJob job = key_job(h, i, plan.live);
          job.merge = 1;
          h.loads.push_back(job);
        }
      h.scale_begun = plan.value_scale.item_bytes == 0;
      if (plan.value_scale.item_bytes) {
        FetchJob job = fetch(h, Stream::value_scale, plan.value_scale, plan.live);
        h.loads.push_back(job);
      }
      // V of all tokens need not wait for anybody, unless some will not be fetched.
      if (!records() && (whole || (!decisions_.prunes_values() && !plan.value_count))) {
        FetchJob job = fetch(h, Stream::value, plan.value, plan.live);
        job.value_bits = static_cast<std::uint8_t>(plan.value_bits);
        h.loads.push_back(job);
      }
    }
    if (layer.load_head < layer.plan.heads.size()) break;
  }
}

bool Controller::send_fetch(Cycle now) {
  if (!room(p_.fetch, now)) return false;
  if (!gathers_.empty()) {
    p_.fetch.push(now, gathers_.front());
    gathers_.pop_front();
    return true;
  }
  return order_queries(now) || send_load(now);
}

// Queries, a chunk of positions at a time, as far ahead as the registers hold.
bool Controller::order_queries(Cycle now) {
  for (Head& h : heads_) {
    const auto& positions = h.layer->plan.positions;
    if (h.queries_ordered == positions.size()) continue;
    if (!h.layer->open) return false;  // a query is what the layer before computed
    const std::size_t count = std::min<std::size_t>(golden::kQueryChunk, positions.size() - h.queries_ordered);
    const std::uint64_t held = queries_ordered_ - t_.queries.released(now);
    if (held + count * h.group_heads > static_cast<std::uint64_t>(t_.queries.entries())) return false;
    std::vector<std::uint32_t> list;
    for (std::size_t i = 0; i < count; ++i)
      for (int g = 0; g < params_.group; ++g)
        if ((h.plan->heads >> g) & 1)
          list.push_back(positions[h.queries_ordered + i] * static_cast<std::uint32_t>(params_.group) +
                         static_cast<std::uint32_t>(g));
    if (h.queries_ordered == 0) h.first_query = queries_ordered_;
    h.query_lists.push_back(std::move(list));
    FetchJob job = fetch(h, Stream::query, h.plan->query, h.query_lists.back());
    job.key_bits = static_cast<std::uint8_t>(h.plan->query_bits);
    job.tag.query = static_cast<std::uint32_t>(h.queries_ordered);
    p_.fetch.push(now, job);
    queries_ordered_ += h.query_lists.back().size();
    h.queries_ordered += count;
    return true;
  }
  return false;
}

// In order of heads, except that K may pass a V that waits for its half.
bool Controller::send_load(Cycle now) {
  bool value_waits = false;
  for (Head& h : heads_) {
    if (h.loads.empty()) continue;
    const FetchJob& job = h.loads.front();
    const auto half = static_cast<std::size_t>(h.half);
    const bool key = job.stream == Stream::key || (job.stream == Stream::record && job.key_bits);
    const bool value = job.stream == Stream::value || job.stream == Stream::value_scale || job.value_bits;
    if (key && !h.key_armed && !key_free_[half]) return false;
    if (value && !h.value_armed && (value_waits || !value_free_[half])) {
      value_waits = true;
      continue;
    }
    if (key && !h.key_armed) {
      key_free_[half] = 0, h.key_armed = true;
      t_.keys.begin(h.half, job.items, now, h.layer->plan.full_width ? digits_.count : 1);
    }
    if (value && !h.value_armed) value_free_[half] = 0, h.value_armed = true;
    if (job.stream == Stream::value_scale) t_.scales.begin(h.half, job.items, now), h.scale_begun = true;
    if (job.value_bits) t_.values.begin(h.half, job.items, now), h.value_begun = true;
    p_.fetch.push(now, job);
    h.loads.pop_front();
    return true;
  }
  return false;
}

}  // namespace winnow
