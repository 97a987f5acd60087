#include "sim/machine/trace_source.h"

#include <algorithm>
#include <utility>

namespace winnow {
namespace {

constexpr int kTokens = -1, kHeads = -2;

}  // namespace

TraceSource::TraceSource(const golden::Quantized& model, const golden::Layout& layout, golden::Walk& walk,
                         ImportanceMemory& importance, RunRange range, int sequence)
    : model_(model),
      layout_(layout),
      walk_(walk),
      importance_(importance),
      shape_(model.shape()),
      schedule_{model.shape(), model.policy()},
      range_(range),
      per_head_(schedule_.per_kv_head()),
      sequence_(sequence) {
  if (range_.last_layer < 0) range_.last_layer = shape_.layers - 1;
  if (range_.last_step < 0) range_.last_step = shape_.steps() - 1;
  step_ = range_.first_step, layer_ = range_.first_layer;
}

bool TraceSource::needs_previous() const { return reload_ || schedule_.needs_previous(step_, layer_); }

void TraceSource::reload() {
  golden::LayerResult skipped;
  while (walk_.step() < step_ || walk_.layer() < layer_) walk_.next(skipped);
  const golden::Cascade& c = walk_.cascade();
  importance_.load(c.importance(), c.chances(), c.head_importance(), sequence_);
  live_ = c.live_tokens(), live_heads_ = c.live_heads();
  live_from_ = heads_from_ = ListSource::From::written;
  reload_ = false;
}

// A step begins: what lives is known before anything is chosen.
std::vector<std::uint32_t> TraceSource::joining() {
  if (layer_ != 0) return {};
  schedule_.begin_step(step_, live_, live_heads_);
  if (schedule_.restarts(step_)) {
    live_from_ = heads_from_ = ListSource::From::everyone;
    return {};
  }
  if (live_from_ != ListSource::From::before) return {};
  const auto joined = static_cast<std::uint32_t>(shape_.tokens_in(step_)) - schedule_.joins_from(step_);
  return {live_.end() - joined, live_.end()};
}

Choice TraceSource::choice(std::uint32_t k, const std::vector<std::uint32_t>& from, ListSource::From where) const {
  Choice c;
  c.k = k, c.n = static_cast<std::uint32_t>(from.size());
  c.among.from = where;
  if (where == ListSource::From::written) c.among.names = from;
  c.tag.step = static_cast<std::uint32_t>(step_), c.tag.layer = static_cast<std::uint16_t>(layer_),
  c.tag.head = kAllHeads;
  return c;
}

std::vector<Choice> TraceSource::choices(int round) {
  std::vector<Choice> out;
  if (round == 0) {
    asked_.clear();
    if (per_head_) per_head_live_.assign(static_cast<std::size_t>(shape_.kv_heads), live_);
    for (int kv = 0; kv < (per_head_ ? shape_.kv_heads : 1); ++kv) {
      const golden::TokenChoice rule = schedule_.tokens(step_, layer_, kv);
      if (rule.keep >= live_.size() || rule.by_place) continue;
      out.push_back(choice(rule.keep, live_, live_from_));
      out.back().rule = rule;
      if (per_head_) out.back().tag.head = static_cast<std::uint16_t>(kv);
      asked_.push_back(per_head_ ? kv : kTokens);
    }
    return out;
  }
  const std::uint32_t k = schedule_.heads(layer_);
  if (k < live_heads_.size()) {
    out.push_back(choice(k, live_heads_, heads_from_));
    out.back().what = Candidates::heads;
    asked_.push_back(kHeads);
  }
  return out;
}

LayerPlan TraceSource::plan(const std::vector<std::vector<std::uint32_t>>& kept) {
  std::vector<ListSource> lists(static_cast<std::size_t>(shape_.kv_heads));
  for (ListSource& list : lists) {
    list.from = live_from_;
    if (live_from_ == ListSource::From::written) list.names = live_;
  }
  for (int kv = 0; kv < shape_.kv_heads; ++kv)
    if (by_place(kv)) {
      const auto at = static_cast<std::size_t>(kv);
      per_head_live_[at] = schedule_.placed(step_, layer_, kv);
      if (schedule_.merged(step_, layer_, kv)) per_head_live_[at].push_back(schedule_.merged_token(step_));
      lists[at] = {ListSource::From::placed, 0, per_head_live_[at]};
    }
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    const int about = asked_[i];
    const ListSource chosen{ListSource::From::chosen, static_cast<std::uint32_t>(i), {}};
    if (about == kTokens) lists.assign(lists.size(), chosen);
    if (about == kHeads) heads_from_ = ListSource::From::before;
    if (about >= 0) lists[static_cast<std::size_t>(about)] = chosen;
    std::vector<std::uint32_t>& list = about == kTokens  ? live_
                                       : about == kHeads ? live_heads_
                                                         : per_head_live_[static_cast<std::size_t>(about)];
    list = kept[i];
  }
  LayerPlan p;
  p.sequence = sequence_;
  p.step = step_, p.layer = layer_, p.tokens = shape_.tokens_in(step_);
  p.full_width = model_.decisions().whole(step_ == 0, shape_.tokens_in(step_));
  p.causal = step_ == 0 && shape_.causal;
  p.positions = step_ == 0 ? (per_head_ ? per_head_live_[0] : live_)
                           : std::vector<std::uint32_t>{static_cast<std::uint32_t>(shape_.tokens_in(step_) - 1)};
  if (step_ == 0) p.where = lists.front();
  p.out = layout_.out(layer_);
  p.descriptors = layout_.descriptors(layer_);
  p.out_heads = shape_.heads;
  const golden::Digits& digits = model_.digits();
  for (int kv = 0; kv < shape_.kv_heads; ++kv) {
    HeadPlan& h = p.heads.emplace_back();
    h.kv_head = kv;
    h.heads = schedule_.routed(step_, layer_, kv, golden::head_bits(live_heads_, shape_.group(), kv));
    h.live = per_head_ ? per_head_live_[static_cast<std::size_t>(kv)] : live_;
    h.list = std::move(lists[static_cast<std::size_t>(kv)]);
    for (int i = 0; i < digits.count; ++i) {
      h.key[static_cast<std::size_t>(i)] = layout_.key(layer_, kv, i);
      h.key_bits[static_cast<std::size_t>(i)] = digits.width[i];
    }
    h.merged = schedule_.merged(step_, layer_, kv);
    h.pages = schedule_.pages(step_, layer_);
    if (h.pages.chooses()) h.page = layout_.page(layer_, kv);
    h.value = layout_.value(layer_, kv);
    h.value_scale = layout_.value_scale(layer_, kv);
    if (model_.decisions().compensates) h.value_sum = layout_.value_sum(layer_, kv);
    h.query = layout_.query(layer_, kv);
    h.value_bits = model_.decisions().v_bits;
    h.accumulates = model_.decisions().accumulates() && schedule_.earns(step_);
  }
  // With a list a KV head each layer chooses among those that the step began with.
  if (!per_head_) live_from_ = ListSource::From::before;
  if (++layer_ > range_.last_layer) {
    layer_ = range_.first_layer, ++step_;
    reload_ = !(range_.first_layer == 0 && range_.last_layer == shape_.layers - 1);
  }
  return p;
}

}  // namespace winnow
