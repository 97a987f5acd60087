#include "golden/session.h"

#include <algorithm>
#include <string>

#include "golden/error.h"
#include "golden/policies/schedule.h"

namespace winnow::golden {
namespace {

// Float attention is slow, and is asked for only where the policy scales outputs by it.
Reference reference_for(const FloatSource& source, const Policy& policy) {
  return Reference(decisions_of(policy, source.shape).out_by_value ? FloatSource{} : source);
}

}  // namespace

void SessionTotals::add(const LayerResult& r, const Shape& s) {
  accesses += r.accesses;
  layers += 1;
  dense_elements += std::uint64_t{2} * static_cast<std::uint64_t>(r.tokens) * static_cast<std::uint64_t>(s.kv_heads) *
                    static_cast<std::uint64_t>(s.head_dim);
  // A row of a causal prompt sees the tokens up to its own.
  const auto n = static_cast<std::uint64_t>(r.tokens), kv_heads = static_cast<std::uint64_t>(s.kv_heads);
  tokens += kv_heads * (r.step > 0 ? n : s.causal ? n * (n + 1) / 2 : n * n);
  keys += r.keys_seen, survivors += r.survivors, values += r.values;
}

Session::Session(const FloatSource& source, const Policy& policy, std::uint64_t align)
    : reference_(reference_for(source, policy)),
      model_(source, reference_, policy),
      layout_(source.shape, policy, align),
      walk_(model_, layout_, nullptr) {
  const Shape& s = model_.shape();
  const auto n = static_cast<std::size_t>(s.tokens), D = static_cast<std::size_t>(s.head_dim);
  std::vector<float> q(n * D), k(n * D), v(n * D);
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      source.k(layer, kv, k.data()), source.v(layer, kv, v.data());
      HeadQuantizer& made = quantizers_.emplace_back(s, model_.decisions(), s.kv_index(layer, kv), k.data(), v.data());
      for (int g = 0; g < s.group(); ++g) {
        const int head = kv * s.group() + g;
        source.q(layer, head, q.data());
        made.read_query(static_cast<std::size_t>(g), q.data());
        const double measured = model_.decisions().out_by_value ? 0 : reference_.prompt_max(layer, head);
        largest_output_ =
            std::max(largest_output_, largest_output(model_.decisions(), model_.head(layer, kv), measured));
      }
    }
}

void Session::replay_prompt() {
  if (!Schedule{model_.shape(), model_.policy()}.needs_prompt()) walk_.skip_prompt();
  while (walk_.step() == 0) walk_.next(result_);
}

const LayerResult& Session::prompt_layer(const float* q, const float* k, const float* v, float* out) {
  if (walk_.step() != 0) throw Error("session: prompt: has run already: a step comes next");
  const Shape& s = model_.shape();
  const auto P = static_cast<std::size_t>(s.prompt), D = static_cast<std::size_t>(s.head_dim);
  const auto H = static_cast<std::size_t>(s.heads), G = static_cast<std::size_t>(s.group());
  const int layer = walk_.layer();
  for (int kv = 0; kv < s.kv_heads; ++kv) {
    const float *ks = k + static_cast<std::size_t>(kv) * P * D, *vs = v + static_cast<std::size_t>(kv) * P * D;
    HeadQuantizer& quantizer = this->quantizer(layer, kv);
    quantizer = HeadQuantizer(s, model_.decisions(), s.kv_index(layer, kv), ks, vs);
    HeadCodes& c = model_.codes(layer, kv);
    const auto row = [&](std::size_t g) { return q + (static_cast<std::size_t>(kv) * G + g) * P * D; };
    for (std::size_t g = 0; g < G; ++g) quantizer.read_query(g, row(g));
    quantizer.begin(c);
    for (std::size_t t = 0; t < P; ++t) {
      quantizer.put_key(c, t, ks + t * D), quantizer.put_value(c, t, vs + t * D);
      for (std::size_t g = 0; g < G; ++g) quantizer.put_query(c, t, g, row(g) + t * D);
    }
    for (std::size_t g = 0; g < G; ++g) {
      const int head = kv * s.group() + static_cast<int>(g);
      const double measured = model_.decisions().out_by_value ? 0 : reference_.prompt_max(layer, head);
      set_output_scale(model_.decisions(), s.causal, largest_output(model_.decisions(), c, measured), largest_output_,
                       g, c);
    }
  }
  walk_.next(result_);
  prompt_totals_.add(result_, s);
  std::fill_n(out, H * P * D, 0.0f);
  for (std::size_t i = 0; i < result_.positions.size(); ++i)
    for (std::size_t h = 0; h < H; ++h) {
      const double unit = model_.head(layer, static_cast<int>(h / G)).out_unit[h % G];
      const std::int16_t* codes = &result_.out[(i * H + h) * D];
      float* to = out + (h * P + result_.positions[i]) * D;
      for (std::size_t d = 0; d < D; ++d) to[d] = static_cast<float>(codes[d] * unit);
    }
  return result_;
}

const LayerResult& Session::step_layer(const float* q, const float* k, const float* v, float* out) {
  const Shape& s = model_.shape();
  if (walk_.step() == 0) throw Error("session: step: the prompt has not run: replay_prompt or prompt_layer come first");
  if (walk_.step() >= s.steps())
    throw Error("session: step: " + std::to_string(walk_.step()) + ": there are " + std::to_string(s.steps() - 1) +
                " steps behind the prompt");
  const auto D = static_cast<std::size_t>(s.head_dim), G = static_cast<std::size_t>(s.group());
  const auto token = static_cast<std::size_t>(s.tokens_in(walk_.step()) - 1);
  const int layer = walk_.layer();
  for (int kv = 0; kv < s.kv_heads; ++kv) {
    const auto at = static_cast<std::size_t>(kv);
    const HeadQuantizer& quantizer = this->quantizer(layer, kv);
    HeadCodes& c = model_.codes(layer, kv);
    quantizer.put_key(c, token, k + at * D);
    quantizer.put_value(c, token, v + at * D);
    if (model_.decisions().merges) quantizer.put_merged(c, static_cast<std::size_t>(walk_.step()));
    for (std::size_t g = 0; g < G; ++g) quantizer.put_query(c, token, g, q + (at * G + g) * D);
  }
  walk_.next(result_);
  step_totals_.add(result_, s);
  for (std::size_t h = 0; h < static_cast<std::size_t>(s.heads); ++h) {
    const double unit = model_.head(layer, static_cast<int>(h / G)).out_unit[h % G];
    for (std::size_t d = 0; d < D; ++d) out[h * D + d] = static_cast<float>(result_.out[h * D + d] * unit);
  }
  return result_;
}

}  // namespace winnow::golden
