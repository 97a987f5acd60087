#include "sim/machine/workload_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "golden/error.h"

namespace winnow {
namespace {

constexpr int kMostTokens = 1 << 16;       // a place in the order is a probability's 16 bits
constexpr int kMostIndex = (1 << 16) - 1;  // of a layer or head (Tag)
constexpr int kDecayShift = 5;             // the sweep takes the same time for any

[[noreturn]] void refuse(const Workload& w, const WorkloadRow& row, const char* column, int value,
                         const std::string& rule) {
  throw Error(fmt::format("{}: line {}: {}: {}: {}", w.name, row.line, column, value, rule));
}

// splitmix64
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

}  // namespace

void require_runnable(const Workload& w) {
  int step = -1, length = 0;
  for (const WorkloadRow& r : w.rows) {
    const int at = w.encoder ? r.layer : r.step;
    if (at != step) step = at, length = r.length;
    if (r.length != length)
      refuse(w, r, "sentence_length_L", r.length,
             fmt::format("must be the {} of its {}", length, w.encoder ? "layer" : "step"));
    if (r.length > kMostTokens)
      refuse(w, r, "sentence_length_L", r.length, fmt::format("must be at most {}", kMostTokens));
    if (r.layer > kMostIndex) refuse(w, r, "layer_id", r.layer, fmt::format("must be at most {}", kMostIndex));
    if (r.head > kMostIndex) refuse(w, r, "head_id", r.head, fmt::format("must be at most {}", kMostIndex));
    if (r.keys < 1) refuse(w, r, w.keys_column(), r.keys, "must be at least 1; a pruned head has no row");
    if (r.values < 1) refuse(w, r, w.values_column(), r.values, "must be at least 1; a pruned head has no row");
  }
  const std::vector<WorkloadLayer> layers = layers_of(w, {});
  for (std::size_t i = 0; i + 1 < layers.size(); ++i)
    for (std::size_t j = layers[i].first; j < layers[i].end; ++j) {
      const WorkloadRow& r = w.rows[j];
      if (!r.topk) continue;
      const bool ends = layers[i + 1].begins_step;
      const int from = ends ? w.rows[layers[i + 1].first].length : r.keys;
      if (r.topk_tokens > from)
        refuse(w, r, "topk", r.topk_tokens,
               fmt::format("must be at most {} ({})", from,
                           ends ? "sentence_length_L of the next step" : w.keys_column()));
    }
}

std::vector<std::uint32_t> token_order(std::uint64_t seed, int step, int length) {
  std::uint64_t state = seed * 0x100000001b3ull ^ static_cast<std::uint64_t>(step);
  next_random(state);
  std::vector<std::uint32_t> order(static_cast<std::size_t>(length));
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[static_cast<std::size_t>(((next_random(state) >> 32) * i) >> 32)]);
  return order;
}

int order_length(const Workload& w, const WorkloadLayer& layer) {
  return w.encoder ? w.longest : w.rows[layer.first].length;
}

std::vector<std::uint32_t> highest(const std::vector<std::uint32_t>& order, int count) {
  std::vector<std::uint32_t> tokens;
  tokens.reserve(static_cast<std::size_t>(count));
  const auto from = static_cast<std::uint32_t>(order.size()) - static_cast<std::uint32_t>(count);
  for (std::uint32_t t = 0; t < order.size(); ++t)
    if (order[t] >= from) tokens.push_back(t);
  return tokens;
}

std::vector<WorkloadLayer> layers_of(const Workload& w, const RunRange& range) {
  std::vector<WorkloadLayer> layers;
  const auto inside = [](int x, int first, int last) { return x >= first && (last < 0 || x <= last); };
  for (std::size_t i = 0; i < w.rows.size(); ++i) {
    const WorkloadRow& r = w.rows[i];
    if (layers.empty() || layers.back().step != r.step || layers.back().layer != r.layer) {
      WorkloadLayer layer;
      layer.step = r.step, layer.layer = r.layer, layer.first = i;
      layer.in_range =
          inside(r.step, range.first_step, range.last_step) && inside(r.layer, range.first_layer, range.last_layer);
      layer.follows = !layers.empty() && layers.back().in_range;
      layer.begins_step = layers.empty() || layers.back().step != r.step;
      layers.push_back(layer);
    }
    layers.back().end = i + 1;
  }
  return layers;
}

WorkloadLayout::WorkloadLayout(const Workload& w, const std::vector<WorkloadLayer>& layers, std::uint64_t align)
    : head_dim_(static_cast<std::uint32_t>(w.head_dim)), tokens_(static_cast<std::uint32_t>(w.longest)) {
  for (const WorkloadLayer& layer : layers) {
    if (!layer.in_range) continue;
    out_[layer.layer];
    for (std::size_t i = layer.first; i < layer.end; ++i) {
      const WorkloadRow& r = w.rows[i];
      Head& h = heads_[{r.layer, r.head}];
      const int bits[] = {r.key_bits, r.refetch_bits, r.value_bits, r.query_bits};
      for (std::size_t k = 0; k < h.bits.size(); ++k) h.bits[k] = std::max(h.bits[k], bits[k]);
    }
  }
  const auto place = [&](std::uint64_t bytes) {
    const std::uint64_t base = bytes_;
    bytes_ = (bytes_ + bytes + align - 1) / align * align;
    return base;
  };
  for (auto& [at, h] : heads_)
    for (std::size_t k = 0; k < h.bits.size(); ++k)
      h.base[k] = place(std::uint64_t{tokens_} * head_dim_ / 8 * static_cast<std::uint64_t>(h.bits[k]));
  for (auto& [layer, r] : out_) {
    r.item_bytes = golden::packed_bytes(static_cast<int>(head_dim_), golden::kWordBits);
    r.stride = golden::whole_bursts(r.item_bytes);
    r.items = tokens_ * static_cast<std::uint32_t>(w.heads);
    r.base = place(std::uint64_t{r.stride} * tokens_ * static_cast<std::uint64_t>(w.heads));
  }
}

golden::Region WorkloadLayout::region(const WorkloadRow& row, std::size_t kind, int bits) const {
  const std::uint32_t bytes = head_dim_ * static_cast<std::uint32_t>(bits) / 8;
  return {heads_.at({row.layer, row.head}).base[kind], bytes, bytes, tokens_};
}
golden::Region WorkloadLayout::key(const WorkloadRow& row) const { return region(row, 0, row.key_bits); }
golden::Region WorkloadLayout::refetch(const WorkloadRow& row) const { return region(row, 1, row.refetch_bits); }
golden::Region WorkloadLayout::value(const WorkloadRow& row) const { return region(row, 2, row.value_bits); }
golden::Region WorkloadLayout::query(const WorkloadRow& row) const { return region(row, 3, row.query_bits); }
golden::Region WorkloadLayout::out(int layer) const { return out_.at(layer); }

std::vector<std::uint32_t> positions_of(const Workload& w, const WorkloadLayer& layer,
                                        const std::vector<std::uint32_t>& order) {
  if (!w.encoder) return {static_cast<std::uint32_t>(order.size()) - 1};
  return highest(order, w.rows[layer.first].queries);
}

golden::Shape shape_of(const Workload& w) {
  return {w.layers, w.heads, w.heads, w.head_dim, w.longest, w.longest, !w.encoder, 1.0};
}

golden::Decisions decisions_of(const Workload& w) {
  golden::Decisions d;
  // Digits' widths and V's stand in the rows; what counts here is that a verdict is waited for.
  const auto decides = [&](const WorkloadRow& r) { return !w.encoder && (r.refetch || r.threshold > 0); };
  if (std::any_of(w.rows.begin(), w.rows.end(), decides)) d.digits = {2, {6, 6}};
  const auto rescales = [](const WorkloadRow& r) { return r.rescale_importance; };
  if (std::any_of(w.rows.begin(), w.rows.end(), rescales)) d.decay_shift = kDecayShift;
  return d;
}

WorkloadSource::WorkloadSource(const Workload& workload, const std::vector<WorkloadLayer>& layers,
                               const WorkloadLayout& layout, std::uint64_t seed, OnChoice on_choice)
    : workload_(workload), layers_(layers), layout_(layout), seed_(seed), on_choice_(std::move(on_choice)) {
  for (auto& o : orders_) o.first = -1;
  skip();
}

void WorkloadSource::skip() {
  while (next_ < layers_.size() && !layers_[next_].in_range) ++next_;
}

const std::vector<std::uint32_t>& WorkloadSource::order(std::size_t layer) {
  const WorkloadLayer& l = layers_[layer];
  if (orders_[newest_].first != l.step) {
    newest_ = (newest_ + 1) % kOrders;
    orders_[newest_] = {l.step, token_order(seed_, l.step, order_length(workload_, l))};
  }
  return orders_[newest_].second;
}

bool WorkloadSource::needs_previous() const {
  if (!layers_[next_].follows) return false;
  const WorkloadLayer& before = layers_[next_ - 1];
  return std::any_of(workload_.rows.begin() + static_cast<std::ptrdiff_t>(before.first),
                     workload_.rows.begin() + static_cast<std::ptrdiff_t>(before.end),
                     [](const WorkloadRow& r) { return r.topk; });
}

bool WorkloadSource::begins_step() const {
  const WorkloadLayer& l = layers_[next_];
  return std::any_of(workload_.rows.begin() + static_cast<std::ptrdiff_t>(l.first),
                     workload_.rows.begin() + static_cast<std::ptrdiff_t>(l.end),
                     [](const WorkloadRow& r) { return r.rescale_importance; });
}

std::vector<Choice> WorkloadSource::choices(int round) {
  std::vector<Choice> out;
  if (round != 0) return out;
  candidates_.clear(), expected_.clear();
  const WorkloadLayer& next = layers_[next_];
  if (!next.follows) return out;
  const std::vector<std::uint32_t>& rank = order(next_);
  const WorkloadLayer& before = layers_[next_ - 1];
  for (std::size_t i = before.first; i < before.end; ++i) {
    const WorkloadRow& r = workload_.rows[i];
    if (!r.topk) continue;
    candidates_.push_back(highest(rank, next.begins_step ? static_cast<int>(rank.size()) : r.keys));
    expected_.push_back(highest(rank, r.topk_tokens));
    Choice c;
    c.k = static_cast<std::uint32_t>(r.topk_tokens), c.n = static_cast<std::uint32_t>(candidates_.back().size());
    c.among = {ListSource::From::written, 0, candidates_.back()};
    c.tag.step = static_cast<std::uint32_t>(next.step), c.tag.layer = static_cast<std::uint16_t>(next.layer);
    c.tag.head = static_cast<std::uint16_t>(r.head);
    for (std::uint32_t t : candidates_.back()) c.items.push_back(rank[t]);
    out.push_back(std::move(c));
  }
  return out;
}

LayerPlan WorkloadSource::plan(const std::vector<std::vector<std::uint32_t>>& kept) {
  const WorkloadLayer& layer = layers_[next_];
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (on_choice_) on_choice_(layer, kept[i], expected_[i]);
  }
  const std::vector<std::uint32_t>& rank = order(next_);
  LayerPlan p;
  p.step = layer.step, p.layer = layer.layer;
  p.full_width = workload_.encoder;
  p.positions = positions_of(workload_, layer, rank);
  if (workload_.encoder) p.where = {ListSource::From::written, 0, p.positions};
  p.out = layout_.out(layer.layer);
  p.out_heads = workload_.heads;
  for (std::size_t i = layer.first; i < layer.end; ++i) {
    const WorkloadRow& r = workload_.rows[i];
    HeadPlan& h = p.heads.emplace_back();
    h.kv_head = r.head, h.heads = 1;
    h.live = highest(rank, r.keys);
    h.list = {ListSource::From::written, 0, h.live};
    h.key[0] = layout_.key(r), h.key_bits[0] = r.key_bits;
    if (r.refetch) h.key[1] = layout_.refetch(r), h.key_bits[1] = r.refetch_bits;
    h.value = layout_.value(r), h.value_bits = r.value_bits;
    h.query = layout_.query(r), h.query_bits = r.query_bits;
    h.forced = true, h.forced_refetch = r.refetch;
    h.value_count = workload_.encoder ? 0 : r.values;  // resident: all of them
    h.accumulates = r.accumulate_importance;
    h.priority = &rank;
  }
  ++next_;
  skip();
  return p;
}

}  // namespace winnow
