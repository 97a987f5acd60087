#include "sim/machine/trace_source.h"

#include <algorithm>
#include <numeric>

#include "golden/policies/rules.h"

namespace winnow {
namespace {

constexpr int kTokens = -1, kHeads = -2;

}  // namespace

TraceSource::TraceSource(const golden::Quantized& model, const golden::Layout& layout, golden::Walk& walk,
                         ImportanceMemory& importance, RunRange range)
    : model_(model),
      layout_(layout),
      walk_(walk),
      importance_(importance),
      shape_(model.shape()),
      policy_(model.policy()),
      range_(range),
      per_head_(model.policy().scope == golden::ImportanceScope::kv_head) {
  if (range_.last_layer < 0) range_.last_layer = shape_.layers - 1;
  if (range_.last_step < 0) range_.last_step = shape_.steps() - 1;
  step_ = range_.first_step, layer_ = range_.first_layer;
}

bool TraceSource::needs_previous() const {
  if (reload_) return true;
  if (layer_ == 0) return policy_.permanent || (per_head_ && policy_.cascades_tokens());
  return (policy_.cascades_tokens() && !per_head_) || policy_.cascades_heads();
}

void TraceSource::reload() {
  golden::LayerResult skipped;
  while (walk_.step() < step_ || walk_.layer() < layer_) walk_.next(skipped);
  const golden::Cascade& c = walk_.cascade();
  importance_.load(c.importance(), c.chances(), c.head_importance());
  live_ = c.live_tokens(), live_heads_ = c.live_heads();
  reload_ = false;
}

void TraceSource::restart_tokens() {
  const int n = shape_.tokens_in(step_);
  if (policy_.permanent && step_ > 0) {
    for (int t = shape_.tokens_in(step_ - 1); t < n; ++t) live_.push_back(static_cast<std::uint32_t>(t));
  } else {
    live_.resize(static_cast<std::size_t>(n));
    std::iota(live_.begin(), live_.end(), 0u);
  }
  if (policy_.permanent && step_ > 0) return;
  live_heads_.resize(static_cast<std::size_t>(shape_.heads));
  std::iota(live_heads_.begin(), live_heads_.end(), 0u);
}

Choice TraceSource::token_choice(const std::vector<std::uint32_t>& from, std::uint32_t k, std::size_t base) const {
  Choice c;
  c.k = k, c.names = from;
  c.tag.step = static_cast<std::uint32_t>(step_), c.tag.layer = static_cast<std::uint16_t>(layer_),
  c.tag.head = kAllHeads;
  c.items.reserve(from.size());
  const int n = shape_.tokens_in(step_);
  for (std::uint32_t t : from)
    c.items.push_back(golden::ranking_item(policy_, static_cast<int>(t), n, shape_.causal,
                                           importance_.tokens()[base + t], importance_.chances()[t]));
  return c;
}

std::vector<Choice> TraceSource::choices(int round) {
  std::vector<Choice> out;
  if (round == 0) {
    asked_.clear();
    if (layer_ == 0) restart_tokens();
    const int n = shape_.tokens_in(step_);
    const auto k = static_cast<std::uint32_t>(golden::kept_tokens(policy_, layer_, shape_.layers, n, shape_.causal));
    if (per_head_) {
      per_head_live_.assign(static_cast<std::size_t>(shape_.kv_heads), live_);
      if (step_ > 0 && k < live_.size())
        for (int kv = 0; kv < shape_.kv_heads; ++kv) {
          out.push_back(token_choice(live_, k, importance_.base(layer_, kv)));
          out.back().tag.head = static_cast<std::uint16_t>(kv);
          asked_.push_back(kv);
        }
    } else if (layer_ > 0 && k < live_.size()) {
      out.push_back(token_choice(live_, k, 0));
      asked_.push_back(kTokens);
    }
    return out;
  }
  const auto k = static_cast<std::uint32_t>(golden::kept_heads(policy_, layer_, shape_.layers, shape_.heads));
  if (layer_ > 0 && k < live_heads_.size()) {
    Choice c;
    c.k = k, c.what = Candidates::heads, c.names = live_heads_;
    c.tag.step = static_cast<std::uint32_t>(step_), c.tag.layer = static_cast<std::uint16_t>(layer_),
    c.tag.head = kAllHeads;
    for (std::uint32_t h : live_heads_) c.items.push_back(importance_.heads()[h]);
    out.push_back(std::move(c));
    asked_.push_back(kHeads);
  }
  return out;
}

LayerPlan TraceSource::plan(const std::vector<std::vector<std::uint32_t>>& kept) {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    const int about = asked_[i];
    std::vector<std::uint32_t>& list = about == kTokens  ? live_
                                       : about == kHeads ? live_heads_
                                                         : per_head_live_[static_cast<std::size_t>(about)];
    std::vector<std::uint32_t> next;
    for (std::uint32_t place : kept[i]) next.push_back(list[place]);
    list = std::move(next);
  }
  LayerPlan p;
  p.step = step_, p.layer = layer_;
  p.full_width = step_ == 0;
  p.causal = step_ == 0 && shape_.causal;
  p.positions = step_ == 0 ? (per_head_ ? per_head_live_[0] : live_)
                           : std::vector<std::uint32_t>{static_cast<std::uint32_t>(shape_.tokens_in(step_) - 1)};
  p.out = layout_.out(layer_);
  p.out_heads = shape_.heads;
  const auto G = static_cast<std::uint32_t>(shape_.group());
  const golden::Digits& digits = model_.digits();
  for (int kv = 0; kv < shape_.kv_heads; ++kv) {
    const golden::HeadCodes& codes = model_.head(layer_, kv);
    HeadPlan& h = p.heads.emplace_back();
    h.kv_head = kv;
    for (std::uint32_t head : live_heads_)
      if (head / G == static_cast<std::uint32_t>(kv)) h.heads |= 1u << (head % G);
    h.live = per_head_ ? per_head_live_[static_cast<std::size_t>(kv)] : live_;
    for (int i = 0; i < digits.count; ++i) {
      h.key[static_cast<std::size_t>(i)] = layout_.key(layer_, kv, i);
      h.key_bits[static_cast<std::size_t>(i)] = digits.width[i];
    }
    h.value = layout_.value(layer_, kv);
    h.value_scale = layout_.value_scale(layer_, kv);
    h.query = layout_.query(layer_, kv);
    h.value_bits = policy_.v_bits;
    std::copy(codes.to_log2.begin(), codes.to_log2.end(), h.constants.to_log2.begin());
    std::copy(codes.to_out.begin(), codes.to_out.end(), h.constants.to_out.begin());
    std::copy(codes.out16.begin(), codes.out16.end(), h.constants.out16.begin());
  }
  // What `normalised` divides by: query rows in which a token was live and visible.
  for (std::size_t j = 0; j < live_.size(); ++j)
    importance_.add_chance(live_[j], p.full_width ? (p.causal ? live_.size() - j : live_.size()) : 1);

  if (++layer_ > range_.last_layer) {
    layer_ = range_.first_layer, ++step_;
    reload_ = !(range_.first_layer == 0 && range_.last_layer == shape_.layers - 1);
  }
  return p;
}

}  // namespace winnow
