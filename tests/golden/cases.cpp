#include "tests/golden/cases.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "golden/basis.h"

namespace winnow::golden::test {

FloatSource Values::source() const {
  FloatSource s;
  s.shape = shape;
  const auto copy = [](const std::vector<float>& x, float* dst) {
    std::memcpy(dst, x.data(), x.size() * sizeof(float));
  };
  const auto heads = static_cast<std::size_t>(shape.heads), kv = static_cast<std::size_t>(shape.kv_heads);
  s.q = [this, copy, heads](int l, int h, float* d) {
    copy(q[static_cast<std::size_t>(l) * heads + static_cast<std::size_t>(h)], d);
  };
  s.k = [this, copy, kv](int l, int h, float* d) {
    copy(k[static_cast<std::size_t>(l) * kv + static_cast<std::size_t>(h)], d);
  };
  s.v = [this, copy, kv](int l, int h, float* d) {
    copy(v[static_cast<std::size_t>(l) * kv + static_cast<std::size_t>(h)], d);
  };
  return s;
}

// Of every tensor that a policy may go by: equals among the heads, weights of 0 and 1, masks and clusters that leave
// nobody, and all.
std::shared_ptr<const HeadTensors> random_tensors(const Shape& s, Random& of_shape) {
  HeadTensors t;
  const int lists = s.layers * s.kv_heads;
  for (int i = 0; i < lists; ++i) t.scores.push_back(static_cast<float>(of_shape.between(0, 9)) / 4);
  // A generator of their own, so that what a test draws behind a shape does not depend on how many there are.
  Random random(static_cast<std::uint64_t>(s.tokens * 1000 + s.prompt * 10 + lists) + 77);
  for (int i = 0; i < lists; ++i) t.distances.push_back(static_cast<float>(random.between(0, 9)) / 4);
  const int off = random.of<int>({0, 25, 60});
  for (int layer = 0; layer < s.layers; ++layer)
    for (int head = 0; head < s.heads; ++head)
      for (int token = 0; token < s.tokens; ++token) {
        const float some =
            random.of<float>({1, 1, 0.999999f, 1e-5f, static_cast<float>(random.between(1, 1000)) / 1000});
        t.weights.push_back(head && random.chance(off) ? 0 : some);
      }
  const int seen = random.of<int>({0, 5, 30, 70, 100}), clusters = random.of<int>({1, 3, 12});
  for (int i = 0; i < lists * (s.steps() - 1) * s.tokens; ++i) t.mask.push_back(random.chance(seen));
  for (int i = 0; i < lists * s.tokens; ++i) t.clusters.push_back(random.between(1, clusters));
  return std::make_shared<const HeadTensors>(std::move(t));
}

Shape random_shape(Random& random) {
  Shape s;
  s.layers = random.between(1, 8);
  s.kv_heads = random.between(1, 3);
  s.heads = s.kv_heads * random.between(1, 4);
  s.head_dim = random.of<int>({8, 8, 16, 24, 32, 40, 64, 96, 128});
  s.causal = random.chance(70);
  s.tokens = random.between(1, random.of<int>({3, 12, 40, 70}));
  s.prompt = s.causal ? random.between(std::max(1, s.tokens - 8), s.tokens) : s.tokens;
  s.attention_scale = 1 / std::sqrt(static_cast<double>(s.head_dim));
  s.tensors = random_tensors(s, random);
  return s;
}

void fewer_layers(Shape& shape, int most) {
  shape.layers = std::min(shape.layers, most);
  const auto lists = static_cast<std::size_t>(shape.layers * shape.kv_heads);
  const auto tokens = static_cast<std::size_t>(shape.tokens), steps = static_cast<std::size_t>(shape.steps() - 1);
  HeadTensors t = *shape.tensors;
  t.scores.resize(lists), t.distances.resize(lists), t.mask.resize(lists * steps * tokens);
  t.clusters.resize(lists * tokens);
  t.weights.resize(static_cast<std::size_t>(shape.layers * shape.heads) * tokens);
  shape.tensors = std::make_shared<const HeadTensors>(std::move(t));
}

Values random_values(const Shape& shape, Random& random, double heat_given) {
  Values out;
  out.shape = shape;
  const auto D = static_cast<std::size_t>(shape.head_dim), n = static_cast<std::size_t>(shape.tokens);
  for (int layer = 0; layer < shape.layers; ++layer) {
    const double heat =
        heat_given > 0 ? heat_given : random.of<double>({0.0, 0.05, 0.5, 1.5, 4.0, 20.0});  // flat to peaked rows
    const auto fill = [&](double size, bool repeat) {
      std::vector<float> x(n * D);
      std::vector<double> channel(D, size);
      for (auto& c : channel)
        if (random.chance(6)) c *= 6;
      if (random.chance(3)) return x;  // a tensor of zeros
      for (std::size_t t = 0; t < n; ++t) {
        const double late = t >= static_cast<std::size_t>(shape.prompt) && random.chance(30) ? 2.5 : 1;
        const bool zero = random.chance(3);
        for (std::size_t d = 0; d < D; ++d)
          x[t * D + d] = zero ? 0.0f : static_cast<float>(channel[d] * late * random.normal());
        if (repeat && t > 0 && random.chance(25)) std::memcpy(&x[t * D], &x[random.below(t) * D], D * sizeof(float));
      }
      return x;
    };
    for (int h = 0; h < shape.heads; ++h) out.q.push_back(fill(heat, false));
    for (int h = 0; h < shape.kv_heads; ++h) out.k.push_back(fill(1, true));
    for (int h = 0; h < shape.kv_heads; ++h) out.v.push_back(fill(random.of<double>({0.01, 1.0, 30.0}), false));
  }
  return out;
}

Case random_case(Random& random) {
  for (;;) {
    Case c;
    Policy& p = c.policy;
    p.name = "random";
    p.msb = random.of<MsbRule>({MsbRule::midpoint, MsbRule::truncate, MsbRule::round});
    p.k_scale = random.chance(50) ? KeyScale::tensor : KeyScale::channel;
    p.v_scale = random.chance(50) ? ValueScale::tensor : ValueScale::token;
    p.v_bits = random.between(2, 12);
    const int kind = random.between(0, 4);
    int digits = 1;
    if (kind == 0) {
      p.k_digits = {random.between(2, 12)};
    } else if (kind == 1) {
      digits = 2;
      c.threshold = random.between(1, random.of<int>({50, 300, 1000}));
      p.threshold = c.threshold / 1000.0;
    } else {
      p.select = random.of<SelectRule>({SelectRule::count, SelectRule::mass, SelectRule::bound});
      p.rest = !p.by_bounds() && random.chance(60);
      const int stages = random.between(1, 3);
      digits = stages + 1;
      if (p.by_bounds()) {
        c.score_threshold = random.of<int>({1, 10, 100, 500, 1000});
        p.score_threshold = c.score_threshold / 1000.0;
      }
      for (int i = 0; i < stages && !p.by_bounds(); ++i) {
        c.select_keep[static_cast<std::size_t>(i)] = random.of<int>({1, 10, 25, 29, 50, 58, 90, 97, 99, 100});
        p.select_keep.push_back(c.select_keep[static_cast<std::size_t>(i)] / 100.0);
      }
    }
    if (digits > 1) {
      p.k_digits.clear();
      int left = 12;
      for (int i = 0; i < digits; ++i) {
        const int w = random.between(2, std::max(2, std::min(8, left - 2 * (digits - 1 - i))));
        p.k_digits.push_back(w), left -= w;
      }
    }
    const auto schedule = [&](int& start, int& end, KeepSchedule& s) {
      if (random.chance(40)) return;
      start = random.between(20, 100), end = random.between(0, 100);
      if (random.chance(30)) end = start;
      s = {start / 100.0, end / 100.0};
    };
    schedule(c.tokens_start, c.tokens_end, p.tokens);
    schedule(c.heads_start, c.heads_end, p.heads);
    if (p.select == SelectRule::none && random.chance(60)) {
      c.local_value = random.of<int>({1, 29, 30, 50, 57, 90});
      p.local_value = c.local_value / 100.0;
      p.renormalise = random.chance(60);
      if (random.chance(50)) p.local_value_resident = ResidentValues::prune;
    }
    if (random.chance(30)) p.out_scale = OutScale::value;
    p.protect_first = random.of<int>({0, 0, 1, 4});
    p.protect_newest = random.of<int>({0, 1, 1, 2, 7});
    p.importance = random.of<ImportanceRule>({ImportanceRule::sum, ImportanceRule::decay, ImportanceRule::normalised});
    p.decay_shift = random.between(1, 6);
    p.scope = random.chance(25) ? ImportanceScope::kv_head : ImportanceScope::shared;
    if (p.scope == ImportanceScope::kv_head && p.importance == ImportanceRule::normalised)
      p.importance = ImportanceRule::sum;
    p.permanent = p.scope == ImportanceScope::shared && random.chance(30);
    if (random.chance(50)) c.tokens_free = random.of<int>({0, 10, 50, 100});
    if (random.chance(50)) c.heads_free = random.of<int>({0, 10, 50, 100});
    p.tokens_free = c.tokens_free / 100.0, p.heads_free = c.heads_free / 100.0;
    if (random.chance(20)) c.newest_share = random.of<int>({3, 29, 50});
    p.protect_newest_share = c.newest_share / 100.0;
    if (p.scope == ImportanceScope::kv_head && !p.tokens.off()) {
      // Half of the time nobody is ranked: who stays follows from places alone.
      if (random.chance(50)) c.tokens_start = c.tokens_end = 0, p.tokens = {0, 0};
      if (random.chance(30)) p.shards = random.between(1, 5), p.shard_block = random.between(1, 8);
      if (random.chance(30)) c.full_heads = random.of<int>({10, 50, 100});
      p.full_heads = c.full_heads / 100.0;
    }
    if (p.digits().bits() > 12 || (p.msb == MsbRule::round && largest_code(p.digits(), p.msb) == 0)) continue;
    validate(p);
    return c;
  }
}

void random_rival(Case& c, Random& random) {
  Policy& p = c.policy;
  while (p.select != SelectRule::none) c = random_case(random);
  do {
    if (random.chance(50)) c.value_threshold = random.of<int>({1, 10, 30, 100, 400, 1000});
    if (random.chance(50)) c.score_threshold = random.of<int>({1, 50, 100, 500, 1000});
    if (random.chance(50)) c.candidates = random.of<int>({1, 12, 25, 50, 90});
  } while (!c.value_threshold && !c.score_threshold && c.candidates == 100);
  p.value_threshold = c.value_threshold / 1000.0, p.score_threshold = c.score_threshold / 1000.0;
  p.candidates = c.candidates / 100.0;
  p.lazy_softmax = random.chance(50);
  if (p.searches() || p.lazy_softmax) {
    c.local_value = 100, p.local_value = 1, p.renormalise = false;
    c.tokens_start = c.tokens_end = 100, p.tokens = {};
    p.shards = 0, c.full_heads = 0, p.full_heads = 0, p.full_every = 0;
  }
  if (p.searches()) c.threshold = 0, p.threshold = 0, p.k_digits = {random.between(4, 12)};
  validate(p);
}

void random_variant(Case& c, Random& random) {
  Policy& p = c.policy;
  if (random.chance(50)) {
    while (p.select != SelectRule::none || p.renormalise) c = random_case(random);
    p.weights = RowWeights::sigmoid;
  } else {
    p.select = SelectRule::anchor, p.select_keep = {}, p.rest = p.compensate = false;
    p.first_q_bits = kWordBits, p.first_exp = FirstExp::exact;
    p.k_digits = {random.between(2, 6), random.between(2, 6)};
    if (largest_code(p.digits(), p.msb) == 0) p.msb = MsbRule::midpoint;
    c.score_threshold = random.of<int>({1, 10, 100, 500, 1000}), p.score_threshold = c.score_threshold / 1000.0;
    c.threshold = 0, p.threshold = 0, c.local_value = 100, p.local_value = 1, p.renormalise = false;
    c.tokens_start = c.tokens_end = 100, p.tokens = {};
    p.shards = 0, c.full_heads = 0, p.full_heads = 0;
    if (!p.protect_first) p.protect_newest = std::max(1, p.protect_newest);
  }
  validate(p);
}

void random_merge(Case& c, Random& random) {
  while (c.policy.select != SelectRule::none || c.policy.k_digits.size() != 1) c = random_case(random);
  Policy& p = c.policy;
  p.scope = ImportanceScope::kv_head, p.permanent = false;
  if (p.importance == ImportanceRule::normalised) p.importance = ImportanceRule::sum;
  c.tokens_start = c.tokens_end = 0, p.tokens = {0, 0};
  c.heads_start = c.heads_end = 100, p.heads = {};
  c.local_value = 100, p.local_value = 1, p.renormalise = false;
  p.shards = 0, p.merge = true;
  c.full_heads = random.of<int>({0, 0, 50}), p.full_heads = c.full_heads / 100.0;
  validate(p);
}

void random_tensor_rule(Case& c, Random& random) {
  Policy& p = c.policy;
  const int kind = random.between(0, 3);
  if (kind != 0) {
    // Weights of heads go with everything, a router with all but a cascade of heads.
    p.head_weights = p.heads.off() && random.chance(60) ? HeadWeights::route : HeadWeights::gate;
  }
  if (kind != 1 && !p.searches() && !p.lazy_softmax && !p.compensate && !p.pages_tokens() && !p.merge) {
    p.scope = ImportanceScope::kv_head, p.permanent = false;
    if (p.importance == ImportanceRule::normalised) p.importance = ImportanceRule::sum;
    c.tokens_start = c.tokens_end = 0, p.tokens = {0, 0};
    p.shards = 0, p.full_every = 0, p.importance_block = 1;
    c.full_heads = random.of<int>({0, 30, 50}), p.full_heads = c.full_heads / 100.0;
    p.protect_newest = std::max(1, p.protect_newest);
    p.token_mask = random.of<TokenMask>({TokenMask::none, TokenMask::trace, TokenMask::cluster});
    if (p.select == SelectRule::anchor)
      p.token_mask = TokenMask::none, p.tokens = {}, c.tokens_start = c.tokens_end = 100;
    if (p.tokens.off()) c.full_heads = 0, p.full_heads = 0;
  }
  if (p.full_heads > 0 && random.chance(70)) p.full_heads_by = HeadMeasure::distances;
  validate(p);
}

void random_full_steps(Case& c, Random& random) {
  Policy& p = c.policy;
  p.scope = ImportanceScope::kv_head, p.importance = ImportanceRule::sum, p.permanent = false;
  c.tokens_start = random.between(1, 90), c.tokens_end = random.between(0, 90);
  c.tokens_free = p.tokens_free = 0;
  p.tokens = {c.tokens_start / 100.0, c.tokens_end / 100.0};
  p.full_every = random.between(2, 5);
  if (random.chance(50)) {
    p.importance_block = random.of<int>({2, 4, 8, 16});
    p.shards = 0, p.protect_newest = std::max(1, p.protect_newest);
    if (random.chance(40)) p.full_every = 0;
  }
  validate(p);
}

void random_first_pass(Case& c, Random& random) {
  Policy& p = c.policy;
  if (p.select == SelectRule::none) return;
  if (p.by_marks()) {
    if (random.chance(25)) p.select_from = random.between(1, 60);
    return;
  }
  if (random.chance(50)) p.first_q_bits = random.between(2, 12);
  if (random.chance(50)) p.first_exp = FirstExp::pow2;
  if (random.chance(25)) p.select_from = random.between(1, 60);
  if (random.chance(50)) {
    p.compensate = p.rest = true;
    p.tokens = {}, c.tokens_start = c.tokens_end = 100;
    p.shards = 0, c.full_heads = 0, p.full_heads = 0, p.full_every = 0;
  }
  validate(p);
}

void random_pages(Case& c, Random& random) {
  Policy& p = c.policy;
  p.pages = random.of<int>({2, 4, 8});
  p.page_key = random.of<PageKey>({PageKey::mean, PageKey::bounds, PageKey::landmark});
  p.page_bits = random.between(2, most_page_bits(p.page_key));
  c.page_keep = random.of<int>({1, 29, 50, 75, 99});
  p.page_keep = c.page_keep / 100.0;
  p.tokens = {}, c.tokens_start = c.tokens_end = 100;
  p.shards = 0, c.full_heads = 0, p.full_heads = 0;
  p.compensate = false;
  if (random.chance(50)) p.protect_first = p.protect_newest = 0;
  if (random.chance(50)) c.tokens_free = 0, p.tokens_free = 0;
  validate(p);
}

std::shared_ptr<const KeyBasis> random_key_basis(const Shape& shape, Random& random) {
  auto basis = std::make_shared<KeyBasis>();
  const auto D = static_cast<std::size_t>(shape.head_dim);
  basis->head_dim = D;
  for (int head = 0; head < shape.layers * shape.kv_heads; ++head) {
    const double identity = random.of<double>({0, 3, 30}), fade = random.of<double>({0, 1, 4, 12});
    const bool no_range = random.chance(4);
    for (std::size_t i = 0; i < D; ++i) {
      const double size = std::exp2(-fade * static_cast<double>(i) / static_cast<double>(D)) / std::sqrt(D + identity);
      for (std::size_t j = 0; j < D; ++j)
        basis->transform.push_back(static_cast<float>(size * (random.normal() + (i == j ? identity : 0))));
      basis->mean.push_back(static_cast<float>(0.3 * random.normal()));
      // Some keys exceed it.
      const double range = size * random.of<double>({2, 4, 8}) * std::sqrt(D + identity * identity);
      basis->range.push_back(no_range || random.chance(10) ? 0.0f : static_cast<float>(range));
    }
  }
  return basis;
}

void set_key_basis(Shape& shape, std::shared_ptr<const KeyBasis> basis) {
  auto tensors = std::make_shared<HeadTensors>(*shape.tensors);
  tensors->key_basis = std::move(basis);
  shape.tensors = std::move(tensors);
}

void random_basis(Case& c, Shape& shape, Random& random) {
  set_key_basis(shape, random_key_basis(shape, random));
  Policy& p = c.policy;
  while (largest_code(p.digits(), MsbRule::round) == 0) c = random_case(random);
  p.msb = MsbRule::round, p.k_scale = KeyScale::tensor;
  p.key_basis = KeyBasisRule::trace, p.basis_resident = random.chance(30);
  validate(p);
}

std::string describe(const Case& c, const Shape& s) {
  std::ostringstream o;
  const Policy& p = c.policy;
  o << "layers " << s.layers << " heads " << s.heads << "/" << s.kv_heads << " D " << s.head_dim << " tokens "
    << s.tokens << " prompt " << s.prompt << (s.causal ? " causal" : " encoder") << "; digits";
  for (int w : p.k_digits) o << ' ' << w;
  o << " msb " << static_cast<int>(p.msb) << " k_scale " << static_cast<int>(p.k_scale) << " v " << p.v_bits << '/'
    << static_cast<int>(p.v_scale) << " threshold " << p.threshold << " select " << static_cast<int>(p.select);
  for (double k : p.select_keep) o << ' ' << k;
  o << " rest " << p.rest << " first " << p.first_q_bits << '/' << static_cast<int>(p.first_exp) << " from "
    << p.select_from << " compensate " << p.compensate << " tokens " << c.tokens_start << ".." << c.tokens_end
    << " heads " << c.heads_start << ".." << c.heads_end << " local " << c.local_value << " renormalise "
    << p.renormalise << " protect " << p.protect_first << ',' << p.protect_newest << " importance "
    << static_cast<int>(p.importance) << '/' << p.decay_shift << " scope " << static_cast<int>(p.scope) << " permanent "
    << p.permanent << " free " << c.tokens_free << ',' << c.heads_free << " newest share " << c.newest_share
    << " shards " << p.shards << '/' << p.shard_block << " full " << c.full_heads << '/' << p.full_every << '/'
    << p.importance_block << " merge " << p.merge << " tensors " << static_cast<int>(p.full_heads_by) << '/'
    << static_cast<int>(p.head_weights) << '/' << static_cast<int>(p.token_mask) << " weights "
    << static_cast<int>(p.weights) << " pages " << p.pages << '/' << static_cast<int>(p.page_key) << '/' << p.page_bits
    << '/' << c.page_keep << " basis " << static_cast<int>(p.key_basis) << '/' << p.basis_resident;
  return o.str();
}

}  // namespace winnow::golden::test
