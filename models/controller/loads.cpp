#include "models/controller/loads.h"

#include <algorithm>
#include <bit>

#include "golden/layout.h"

namespace winnow::controller {

FetchJob Loads::job(const Head& h, Stream stream, const golden::Region& r, ListRef list, std::uint32_t items) const {
  FetchJob job;
  job.tag.step = static_cast<std::uint32_t>(h.layer->plan.step);
  job.tag.layer = static_cast<std::uint16_t>(h.layer->plan.layer);
  job.tag.head = static_cast<std::uint16_t>(h.plan->kv_head);
  job.stream = stream;
  job.half = h.half;
  job.epoch = h.layer->epoch;
  job.words = static_cast<std::uint16_t>(
      stream == Stream::value_scale || stream == Stream::descriptor ? 1 : s_.params.head_dim);
  job.item_bytes = r.item_bytes, job.stride_bytes = r.stride, job.base = r.base;
  job.items = items;
  job.list = list;
  job.shape_only = s_.params.shape_only;
  return job;
}

FetchJob Loads::key_job(const Head& h, int digit, ListRef list, std::uint32_t items) const {
  const auto i = static_cast<std::size_t>(digit);
  FetchJob j = job(h, s_.records() && digit > 0 ? Stream::record : Stream::key, h.plan->key[i], list, items);
  j.tag.pass = static_cast<std::uint8_t>(digit);
  j.key_bits = static_cast<std::uint8_t>(h.plan->key_bits[i]);
  j.key_signed = digit == 0 || s_.decisions.msb == golden::MsbRule::round;
  if (s_.records() && digit == s_.last_pass() && digit > 0)
    j.value_bits = static_cast<std::uint8_t>(h.plan->value_bits);
  return j;
}

FetchJob Loads::value_job(const Head& h, ListRef list, std::uint32_t items) const {
  FetchJob j = job(h, Stream::value, h.plan->value, list, items);
  j.value_bits = static_cast<std::uint8_t>(h.plan->value_bits);
  return j;
}

// Keys of the pages that are chosen among, in the place of K until some are chosen.
FetchJob Loads::page_job(const Head& h) const {
  const golden::PageChoice& pages = h.plan->pages;
  FetchJob j = job(h, Stream::key, h.plan->page, kEveryItem, pages.scored());
  j.base += std::uint64_t{j.stride_bytes} * pages.first;
  j.key_bits = static_cast<std::uint8_t>(s_.decisions.pages.word_bits());
  return j;
}

// The sum of V over the tokens so far: the step's record.
FetchJob Loads::sum_job(const Head& h) const {
  FetchJob j = job(h, Stream::value, h.plan->value_sum, kEveryItem, 1);
  j.base += std::uint64_t{j.stride_bytes} * static_cast<std::uint64_t>(h.layer->plan.step);
  j.value_bits = golden::kValueSumBits, j.sum = 1;
  return j;
}

// The scales of all the layer's query heads.
FetchJob Loads::descriptor_job(const Head& h) const {
  FetchJob j = job(h, Stream::descriptor, h.layer->plan.descriptors, kEveryItem, h.layer->plan.descriptors.items);
  j.half = static_cast<std::uint8_t>(h.layer->constants);
  return j;
}

// In chunks, so that a gather need not wait for the whole of a load that nobody waits for. A list's neighbours may
// share a burst, which would be asked for twice where it is cut: only items that count up are, at whole bursts.
void Loads::add_load(Head& h, FetchJob whole) {
  const std::uint32_t chunk = whole.list == kEveryItem ? s_.params.load_chunk : 0;
  std::uint32_t left = whole.items;
  do {
    whole.items = chunk ? std::min(chunk, left) : left;
    h.loads.push_back(whole);
    whole.first += whole.items, left -= whole.items;
  } while (left);
}

void Loads::open_head() {
  for (Layer& layer : s_.layers) {
    if (layer.load_head < layer.plan.heads.size() && s_.heads.size() < 2 * s_.params.halves + 2) {
      const HeadPlan& plan = layer.plan.heads[layer.load_head++];
      s_.moved = true;
      if (!plan.heads) return;
      Head& h = s_.heads.emplace_back();
      h.layer = &layer, h.plan = &plan;
      h.half = static_cast<std::uint8_t>(next_half_++ % s_.params.halves);
      h.group_heads = static_cast<std::size_t>(std::popcount(plan.heads));
      h.live = layer.lists[layer.load_head - 1];
      h.constants = s_.memories.constants.at(layer.constants, plan.kv_head * s_.params.group);
      h.tokens = plan.pages.tokens(static_cast<std::uint32_t>(plan.live.size()));
      h.paging = plan.pages.chooses();
      // The layer's, before its first K: they wait for no half, and a row's scales are due with its last score.
      if (!layer.described && layer.plan.descriptors.items) h.loads.push_back(descriptor_job(h));
      layer.described = true;
      if (h.paging)
        add_load(h, page_job(h));
      else
        order_tokens(h);
      return;
    }
    if (layer.load_head < layer.plan.heads.size()) return;
  }
}

void Loads::order_tokens(Head& h) {
  const HeadPlan& plan = *h.plan;
  const bool whole = h.layer->plan.full_width;
  add_load(h, key_job(h, 0, h.live, h.tokens));
  if (whole)
    for (int i = 1; i < s_.decisions.digits.count; ++i) {
      FetchJob digit = key_job(h, i, h.live, h.tokens);
      digit.held = static_cast<std::uint8_t>(s_.decisions.digits.above(i));
      add_load(h, digit);
    }
  h.scale_begun = plan.value_scale.item_bytes == 0;
  if (plan.value_scale.item_bytes) add_load(h, job(h, Stream::value_scale, plan.value_scale, h.live, h.tokens));
  h.sum_begun = whole || !s_.decisions.compensates;
  if (!h.sum_begun) h.loads.push_back(sum_job(h));
  // V of all tokens need not wait for anybody, unless some will not be fetched.
  if (!s_.records() && (whole || (!s_.decisions.prunes_values(false) && !plan.value_count)))
    add_load(h, value_job(h, h.live, h.tokens));
}

bool Loads::send(Cycle now) {
  if (!s_.room(s_.ports.fetch, now)) return false;
  if (!s_.gathers.empty()) {
    s_.ports.fetch.push(now, s_.gathers.front());
    s_.gathers.pop_front();
    return true;
  }
  return order_queries(now) || send_load(now);
}

// Queries, a chunk of positions at a time, as far ahead as the registers hold.
bool Loads::order_queries(Cycle now) {
  QueryRegisters& registers = s_.memories.queries;
  for (Head& h : s_.heads) {
    const auto& positions = h.layer->plan.positions;
    if (h.queries_ordered == positions.size()) continue;
    if (!h.layer->open) return false;  // a query is what the layer before computed
    const std::size_t count = std::min<std::size_t>(golden::kQueryChunk, positions.size() - h.queries_ordered);
    const std::uint64_t held = queries_ordered_ - registers.released(now);
    if (held + count * h.group_heads > static_cast<std::uint64_t>(registers.entries())) return false;
    if (h.queries_ordered == 0) h.first_query = queries_ordered_;
    const auto items = static_cast<std::uint32_t>(count * h.group_heads);
    const ListRef list = h.layer->positions;
    FetchJob j = job(h, Stream::query, h.plan->query, list, items);
    j.heads = static_cast<std::uint16_t>(h.plan->heads), j.group = static_cast<std::uint8_t>(s_.params.group);
    j.first = list == kEveryItem ? positions[h.queries_ordered] : static_cast<std::uint32_t>(h.queries_ordered);
    j.key_bits = static_cast<std::uint8_t>(h.plan->query_bits);
    j.tag.query = static_cast<std::uint32_t>(h.queries_ordered);
    s_.ports.fetch.push(now, j);
    queries_ordered_ += items;
    h.queries_ordered += count;
    return true;
  }
  return false;
}

// In order of heads, except that K may pass a V that waits for its half.
bool Loads::send_load(Cycle now) {
  bool value_waits = false;
  for (Head& h : s_.heads) {
    if (h.loads.empty()) continue;
    const FetchJob& j = h.loads.front();
    const std::uint32_t live = h.tokens, keys_due = h.paging ? h.plan->pages.scored() : live;
    const auto half = static_cast<std::size_t>(h.half);
    const bool key = j.stream == Stream::key || (j.stream == Stream::record && j.key_bits);
    const bool value = j.stream == Stream::value || j.stream == Stream::value_scale || j.value_bits;
    if (key && !h.key_armed && (!s_.key_free[half] || !rows_.may_take(h, rows_.of_keys(h, keys_due), true, false)))
      return false;
    const bool takes_values = j.value_bits && !j.sum && !h.value_begun;
    if (value && !h.value_armed && (value_waits || !s_.value_free[half])) {
      value_waits = true;
      continue;
    }
    if (takes_values && !rows_.may_take(h, rows_.of_values(h, live), false, true)) {
      value_waits = true;
      continue;
    }
    if (key && !h.key_armed) {
      s_.key_free[half] = 0, h.key_armed = h.holds_key = true;
      const golden::Digits& digits = s_.decisions.digits;
      KvBuffer& keys = s_.memories.keys;
      const int loads = h.layer->plan.full_width ? digits.count : 1;
      bool merges = false;
      for (int i = 1; i < loads; ++i) merges = merges || !keys.beside(digits.above(i), digits.width[i]);
      keys.begin(h.half, keys_due, now, rows_.key_bits(h), loads, merges);
    }
    if (value && !h.value_armed) s_.value_free[half] = 0, h.value_armed = true;
    if (j.stream == Stream::value_scale && !h.scale_begun)
      s_.memories.scales.begin(h.half, live, now), h.scale_begun = true;
    if (j.sum) s_.memories.sums.begin(h.half, now), h.sum_begun = true;
    if (takes_values) {
      s_.memories.values.begin(h.half, live, now, rows_.value_bits(h));
      h.value_begun = h.holds_values = true;
    }
    s_.ports.fetch.push(now, j);
    h.loads.pop_front();
    return true;
  }
  return false;
}

}  // namespace winnow::controller
