#include "golden/walk.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "golden/policies/schedule.h"

namespace winnow::golden {
namespace {

std::uint64_t& useful(Accesses& a, Kind k) { return a.useful[static_cast<std::size_t>(k)]; }

}  // namespace

Walk::Walk(const Quantized& model, const Layout& layout, const Reference* reference)
    : model_(model),
      layout_(layout),
      reference_(reference),
      attention_(model),
      pages_(model),
      schedule_{model.shape(), model.policy()},
      cascade_(model.shape(), model.policy()) {}

bool Walk::next(LayerResult& r) {
  const Shape& s = model_.shape();
  if (step_ >= s.steps()) return false;
  if (layer_ == 0) cascade_.begin_step(step_);
  const auto D = static_cast<std::size_t>(s.head_dim), G = static_cast<std::size_t>(s.group());
  const bool prompt = step_ == 0;
  r = {};
  r.step = step_, r.layer = layer_, r.tokens = s.tokens_in(step_);
  const bool whole = model_.decisions().whole(prompt, r.tokens);
  if (prompt)
    r.positions = cascade_.live(layer_, 0);
  else
    r.positions = {static_cast<std::uint32_t>(r.tokens - 1)};
  r.out.assign(r.positions.size() * static_cast<std::size_t>(s.heads) * D, 0);

  std::vector<std::uint64_t> sums(static_cast<std::size_t>(s.tokens));
  for (int kv = 0; kv < s.kv_heads; ++kv) {
    const std::uint32_t heads = schedule_.routed(step_, layer_, kv, cascade_.heads(kv));
    const std::vector<std::uint32_t>& live = candidates(kv, heads, r);
    const std::uint32_t merged = schedule_.merged(step_, layer_, kv);
    r.live.push_back(live);
    r.heads.push_back(heads);
    if (!heads) continue;
    std::fill(sums.begin(), sums.end(), 0);
    for (std::size_t i = 0; i < r.positions.size(); ++i) {
      const int keys = prompt && s.causal ? static_cast<int>(i) + 1 : static_cast<int>(live.size());
      attention_.run(layer_, kv, static_cast<int>(r.positions[i]), live.data(), keys, heads, whole, scratch_, merged);
      for (std::size_t g = 0; g < G; ++g) {
        if (!((heads >> g) & 1)) continue;
        const std::uint16_t* p = &scratch_.p[g * static_cast<std::size_t>(keys)];
        const bool all = !model_.decisions().drops_zeros();
        for (const std::uint32_t slot : scratch_.values) r.weighed += all || p[slot];
        r.candidates += scratch_.candidates.empty() ? static_cast<std::size_t>(keys) : scratch_.candidates[g].size();
        for (int j = 0; j < keys; ++j) sums[static_cast<std::size_t>(j)] += p[j];
        const std::int16_t* out = &scratch_.out[g * D];
        const auto head = static_cast<std::size_t>(kv) * G + g;
        std::copy_n(out, D, &r.out[(i * static_cast<std::size_t>(s.heads) + head) * D]);
        std::uint64_t magnitude = 0;
        for (std::size_t d = 0; d < D; ++d) magnitude += static_cast<std::uint64_t>(std::abs(out[d]));
        cascade_.add_head(static_cast<int>(head), magnitude * model_.head(layer_, kv).out16[g]);
      }
      r.row_heads += static_cast<std::uint64_t>(std::popcount(heads));
      r.flat += static_cast<std::uint64_t>(scratch_.flat);
      r.row_groups += 1, r.refetched += scratch_.refetched;
      r.keys_seen += static_cast<std::uint64_t>(keys), r.values += scratch_.values.size();
      r.survivors += scratch_.stages ? scratch_.survivors[scratch_.stages - 1].size() : static_cast<std::size_t>(keys);
      if (!whole) {
        count(scratch_, live, kv, heads, static_cast<int>(r.positions[i]), r.accesses);
        r.rows.push_back({r.positions[i], static_cast<std::uint16_t>(kv), scratch_});
      }
    }
    if (whole) count_whole(r.positions, live, kv, heads, r.accesses);
    if (model_.decisions().accumulates() && cascade_.earns())
      for (std::size_t j = 0; j < live.size(); ++j) cascade_.add_token(layer_, kv, live[j], sums[j]);
    const auto out_vectors = static_cast<std::uint64_t>(std::popcount(heads)) * r.positions.size();
    useful(r.accesses, Kind::out) += out_vectors * layout_.out(layer_).item_bytes;
    r.accesses.write_bursts += out_vectors * (layout_.out(layer_).stride / kBurstBytes);
  }
  if (std::any_of(r.heads.begin(), r.heads.end(), [](std::uint32_t h) { return h != 0; })) {
    const Region descriptors = layout_.descriptors(layer_);
    read(r.accesses, descriptors, Stream::descriptor, nullptr, descriptors.items);
    useful(r.accesses, Kind::descriptor) += std::uint64_t{descriptors.items} * descriptors.item_bytes;
    const std::vector<std::uint32_t>& live = cascade_.live(layer_, 0);
    for (std::size_t j = 0; j < live.size(); ++j)
      cascade_.add_chance(
          live[j], rows_seen(static_cast<std::uint32_t>(j), static_cast<std::uint32_t>(live.size()), prompt, s.causal));
  }
  cascade_.end_layer(layer_);
  r.importance = cascade_.importance();
  r.head_importance = cascade_.head_importance();
  if (layer_ + 1 < s.layers) r.next_live = cascade_.live_tokens(), r.next_heads = cascade_.live_heads();
  if (reference_) measure(r);
  if (++layer_ == s.layers) layer_ = 0, ++step_;
  return true;
}

const std::vector<std::uint32_t>& Walk::candidates(int kv_head, std::uint32_t heads, LayerResult& r) {
  if (schedule_.merged(step_, layer_, kv_head)) {
    listed_ = cascade_.live(layer_, kv_head);
    listed_.push_back(schedule_.merged_token(step_));
    return listed_;
  }
  const PageChoice choice = schedule_.pages(step_, layer_);
  if (!heads || !choice.chooses()) return cascade_.live(layer_, kv_head);
  pages_.choose(layer_, kv_head, r.tokens - 1, heads, choice, listed_);
  std::vector<std::uint32_t> scored(choice.scored());
  std::iota(scored.begin(), scored.end(), choice.first);
  const Region& page = layout_.page(layer_, kv_head);
  read(r.accesses, page, Stream::key, scored.data(), scored.size());
  useful(r.accesses, Kind::key_msb) += scored.size() * page.item_bytes;
  return listed_;
}

void Walk::skip_prompt() {
  if (step_ == 0) step_ = 1, layer_ = 0;
}

void Walk::read(Accesses& a, const Region& r, Stream stream, const std::uint32_t* list, std::size_t n) const {
  a.stream_bursts[static_cast<std::size_t>(stream)] += bursts(r, list, n);
}

void Walk::count(const GroupRow& row, const std::vector<std::uint32_t>& live, int kv_head, std::uint32_t heads,
                 int position, Accesses& a) const {
  const Decisions& plan = model_.decisions();
  const int D = model_.shape().head_dim;
  const auto G = static_cast<std::uint32_t>(model_.shape().group());
  const std::uint64_t v_bytes = packed_bytes(D, plan.v_bits);
  const auto digit_bytes = [&](int i) { return std::uint64_t{layout_.digit_bytes(layer_, kv_head, i)}; };

  std::vector<std::uint32_t> list;
  for (std::uint32_t g = 0; g < G; ++g)
    if ((heads >> g) & 1) list.push_back(static_cast<std::uint32_t>(position) * G + g);
  const Region& q = layout_.query(layer_, kv_head);
  read(a, q, Stream::query, list.data(), list.size());
  useful(a, Kind::query) += list.size() * q.item_bytes;

  read(a, layout_.key(layer_, kv_head, 0), Stream::key, live.data(), live.size());
  useful(a, Kind::key_msb) += live.size() * digit_bytes(0);
  count_basis(live, kv_head, a);
  if (plan.token_scales) {
    read(a, layout_.value_scale(layer_, kv_head), Stream::value_scale, live.data(), live.size());
    useful(a, Kind::value_scale) += live.size() * packed_bytes(1, kValueScaleBits);
  }
  if (plan.compensates) {
    const auto step = static_cast<std::uint32_t>(step_);
    const Region& sum = layout_.value_sum(layer_, kv_head);
    read(a, sum, Stream::value, &step, 1);
    useful(a, Kind::value) += sum.item_bytes;
  }
  if (row.refetched) {
    read(a, layout_.key(layer_, kv_head, 1), Stream::key, live.data(), live.size());
    useful(a, Kind::key_lsb) += live.size() * digit_bytes(1);
  }
  const auto tokens_of = [&](const std::vector<std::uint32_t>& slots) {
    list.resize(slots.size());
    for (std::size_t j = 0; j < slots.size(); ++j) list[j] = live[slots[j]];
  };
  for (int i = 0; i < row.stages; ++i) {
    tokens_of(row.survivors[i]);
    read(a, layout_.record(layer_, kv_head, i + 1), Stream::record, list.data(), list.size());
    useful(a, Kind::key_lsb) += list.size() * digit_bytes(i + 1);
    if (i == row.stages - 1) useful(a, Kind::value) += list.size() * v_bytes;
  }
  if (!layout_.records()) {
    tokens_of(row.values);
    read(a, layout_.value(layer_, kv_head), Stream::value, list.data(), list.size());
    useful(a, Kind::value) += list.size() * v_bytes;
  }
}

// Token 0's key, and the tables of the keys' basis, once a KV head and step.
void Walk::count_basis(const std::vector<std::uint32_t>& live, int kv_head, Accesses& a) const {
  const Decisions& plan = model_.decisions();
  if (!plan.coded) return;
  if (live.front() == 0) {
    const Region& first = layout_.first_key(layer_, kv_head);
    read(a, first, Stream::key, nullptr, 1);
    useful(a, Kind::key_msb) += first.item_bytes;
  }
  if (plan.basis_resident) return;
  const Region& basis = layout_.basis(layer_, kv_head);
  a.basis_bursts += bursts(basis, nullptr, basis.items);
  a.basis_useful += std::uint64_t{basis.items} * basis.item_bytes;
}

void Walk::count_whole(const std::vector<std::uint32_t>& positions, const std::vector<std::uint32_t>& live, int kv_head,
                       std::uint32_t heads, Accesses& a) const {
  const Decisions& plan = model_.decisions();
  const Digits& d = plan.digits;
  const int D = model_.shape().head_dim;
  const auto G = static_cast<std::uint32_t>(model_.shape().group());
  for (int i = 0; i < d.count; ++i) {
    const bool record = layout_.records() && i > 0;
    read(a, layout_.key(layer_, kv_head, i), record ? Stream::record : Stream::key, live.data(), live.size());
    useful(a, i ? Kind::key_lsb : Kind::key_msb) += live.size() * layout_.digit_bytes(layer_, kv_head, i);
  }
  count_basis(live, kv_head, a);
  if (!layout_.records()) read(a, layout_.value(layer_, kv_head), Stream::value, live.data(), live.size());
  useful(a, Kind::value) += live.size() * packed_bytes(D, plan.v_bits);
  if (plan.token_scales) {
    read(a, layout_.value_scale(layer_, kv_head), Stream::value_scale, live.data(), live.size());
    useful(a, Kind::value_scale) += live.size() * packed_bytes(1, kValueScaleBits);
  }
  const Region& q = layout_.query(layer_, kv_head);
  std::vector<std::uint32_t> list;
  for (std::size_t from = 0; from < positions.size(); from += kQueryChunk) {
    list.clear();
    for (std::size_t i = from; i < std::min(from + kQueryChunk, positions.size()); ++i)
      for (std::uint32_t g = 0; g < G; ++g)
        if ((heads >> g) & 1) list.push_back(positions[i] * G + g);
    read(a, q, Stream::query, list.data(), list.size());
    useful(a, Kind::query) += list.size() * q.item_bytes;
  }
}

void Walk::measure(LayerResult& r) const {
  const Shape& s = model_.shape();
  const auto D = static_cast<std::size_t>(s.head_dim), H = static_cast<std::size_t>(s.heads);
  const auto G = static_cast<std::size_t>(s.group());
  const std::uint32_t first = step_ == 0 ? 0 : static_cast<std::uint32_t>(r.tokens - 1);
  const auto all = static_cast<std::uint32_t>(r.tokens);
  const bool weigh = model_.decisions().weighs_heads;
  std::size_t i = 0;
  for (std::uint32_t position = first; position < all; ++position) {
    const bool ran = i < r.positions.size() && r.positions[i] == position;
    for (std::size_t head = 0; head < H; ++head) {
      const float* ref = reference_->out(r.layer, static_cast<int>(head), static_cast<int>(position));
      const bool kept = ran && ((r.heads[head / G] >> (head % G)) & 1);
      const double unit = model_.head(r.layer, static_cast<int>(head / G)).out_unit[head % G];
      double difference = 0, reference = 0;
      const float weight =
          weigh
              ? s.tensors->weights[s.head_index(r.layer, static_cast<int>(head)) * static_cast<std::size_t>(s.tokens) +
                                   position]
              : 1;
      for (std::size_t d = 0; d < D; ++d) {
        const double y = kept ? r.out[(i * H + head) * D + d] * unit : 0, x = weight * ref[d];
        difference += (y - x) * (y - x);
        reference += x * x;
      }
      r.error.difference_all += difference, r.error.reference_all += reference;
      if (!kept) continue;
      r.error.difference += difference, r.error.reference += reference;
      r.error.rows.push_back(static_cast<float>(reference > 0 ? std::sqrt(difference / reference) : 0));
    }
    i += ran;
  }
}

}  // namespace winnow::golden
