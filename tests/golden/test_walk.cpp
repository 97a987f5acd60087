// golden/walk.h over whole random traces against plain loops: who lives, importance, kept counts by exact fractions,
// outputs of every row, bytes and bursts by listing every address, errors against a float64 softmax.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "golden/policies/decisions.h"
#include "golden/walk.h"
#include "tests/golden/oracle.h"

namespace winnow::golden::test {
namespace {

using Tokens = std::vector<std::uint32_t>;

// floor(share of layer * n), at least 1; shares in percent, the schedule in exact fractions.
int scheduled(int start, int end, int free_percent, int layer, int layers, int n) {
  const int first = (free_percent * layers + 99) / 100;
  std::int64_t share = 100, over = 100;
  if (layer >= first) {
    const int steps = std::max(1, layers - 1 - first), at = layers - 1 - first <= 0 ? 0 : layer - first;
    share = static_cast<std::int64_t>(start) * steps + static_cast<std::int64_t>(end - start) * at;
    over = 100 * static_cast<std::int64_t>(steps);
  }
  return std::max<int>(1, static_cast<int>(share * n / over));
}

// The cascade in dumb loops: maps from token to what it has earned.
struct PlainCascade {
  const Case& c;
  Shape s;
  Tokens live, heads;
  std::vector<std::vector<std::uint64_t>> earned;  // [list][token]; one list, or one a layer and KV head
  std::vector<std::uint64_t> chances, head_earned;
  std::vector<Tokens> own;  // scope kv_head

  PlainCascade(const Case& cs, const Shape& shape) : c(cs), s(shape) {
    const std::size_t lists = per_head() ? static_cast<std::size_t>(s.layers * s.kv_heads) : 1;
    earned.assign(ranked() ? lists : 1, std::vector<std::uint64_t>(static_cast<std::size_t>(s.tokens)));
    chances.assign(static_cast<std::size_t>(s.tokens), 0), head_earned.assign(static_cast<std::size_t>(s.heads), 0);
    own.resize(lists);
  }
  bool per_head() const { return c.policy.scope == ImportanceScope::kv_head; }
  // Lists have an importance each only where any token is ranked.
  bool ranked() const { return per_head() && c.policy.ranks_tokens(); }
  std::size_t list(int layer, int kv) const {
    return per_head() ? static_cast<std::size_t>(layer * s.kv_heads + kv) : 0;
  }

  // Whether fewer than `full_heads` percent of all heads have a score that is larger, or as large and named before.
  bool is_full(int layer, int kv) const {
    const auto at = static_cast<std::size_t>(layer * s.kv_heads + kv);
    std::size_t before = 0;
    const std::vector<float>& by =
        c.policy.full_heads_by == HeadMeasure::distances ? s.tensors->distances : s.tensors->scores;
    for (std::size_t i = 0; i < by.size(); ++i) before += by[i] > by[at] || (by[i] == by[at] && i < at);
    return c.full_heads > 0 && 100 * before < static_cast<std::size_t>(c.full_heads) * by.size();
  }
  // Steps 1, 1 + n, 1 + 2n, ... of `full_every` n.
  bool is_full_step(int step) const {
    for (int full = 1; c.policy.full_every && full <= step; full += c.policy.full_every)
      if (full == step) return true;
    return false;
  }
  // Whether the trace lets a KV head see a token in a step.
  bool is_masked_in(int layer, int kv, int step, int t) const {
    const std::size_t head = static_cast<std::size_t>(layer * s.kv_heads + kv), n = static_cast<std::size_t>(s.tokens);
    if (c.policy.token_mask == TokenMask::cluster)
      return s.tensors->clusters[head * n + static_cast<std::size_t>(t)] ==
             s.tensors->clusters[head * n + static_cast<std::size_t>(s.prompt + step - 1)];
    const std::size_t row = head * static_cast<std::size_t>(s.tokens - s.prompt) + static_cast<std::size_t>(step - 1);
    return c.policy.token_mask == TokenMask::trace && s.tensors->mask[row * n + static_cast<std::size_t>(t)];
  }
  bool earns(int step) const { return c.policy.full_every == 0 || is_full_step(step); }
  Tokens choose(const Tokens& from, int layer, int n, std::size_t from_list, int kv) const {
    const Policy& p = c.policy;
    const int step = n - s.prompt;
    if (is_full(layer, kv) || is_full_step(step)) return from;
    int since = 0;
    while (p.full_every && step > 0 && !is_full_step(step - since)) ++since;
    const int newest = std::max({p.protect_newest, since, c.newest_share ? std::max(1, c.newest_share * n / 100) : 0});
    const auto safe = [&](int t) {
      const bool dealt = p.shards && t / p.shard_block % p.shards == kv % p.shards;
      return t < p.protect_first || (s.causal && t + newest >= n) || dealt || is_masked_in(layer, kv, step, t);
    };
    // A block has what its tokens have, and is safe if one of them is.
    std::vector<std::uint64_t> rank;
    std::size_t sheltered = 0;
    for (std::uint32_t t : from) {
      std::uint64_t x = 0;
      bool any_safe = false;
      for (int u = 0; u < n; ++u) {
        if (u / p.importance_block != static_cast<int>(t) / p.importance_block) continue;
        x += earned[ranked() ? from_list : 0][static_cast<std::size_t>(u)];
        any_safe = any_safe || safe(u);
      }
      if (p.importance == ImportanceRule::normalised) x = chances[t] ? x * 256 / chances[t] : 0;
      rank.push_back(any_safe ? ~std::uint64_t{0} : x);
      sheltered += any_safe;
    }
    const auto most = static_cast<std::size_t>(
        scheduled(c.tokens_start, c.tokens_end, c.tokens_free, layer, s.layers, n - since) + since);
    std::size_t k = sheltered;
    while (p.token_mask == TokenMask::none && k + static_cast<std::size_t>(p.importance_block) <= most)
      k += static_cast<std::size_t>(p.importance_block);
    Tokens kept;
    for (std::uint32_t i : largest_k(rank, k)) kept.push_back(from[i]);
    return kept;
  }
  void begin(int step, int n) {
    const bool fresh = step == 0 || !c.policy.permanent;
    if (fresh) live.clear(), heads.clear();
    for (int t = fresh ? 0 : n - 1; t < n; ++t) live.push_back(static_cast<std::uint32_t>(t));
    for (int h = 0; fresh && h < s.heads; ++h) heads.push_back(static_cast<std::uint32_t>(h));
    if (is_full_step(step))
      for (auto& x : earned) std::fill(x.begin(), x.end(), 0);
    if (step > 0 && c.policy.importance == ImportanceRule::decay)
      for (auto& x : earned)
        for (auto& y : x) y -= y / (std::uint64_t{1} << c.policy.decay_shift);
    if (per_head())
      for (int l = 0; l < s.layers; ++l)
        for (int kv = 0; kv < s.kv_heads; ++kv)
          own[list(l, kv)] = step == 0 ? live : choose(live, l, n, list(l, kv), kv);
  }
  const Tokens& living(int layer, int kv) const { return per_head() ? own[list(layer, kv)] : live; }
  void end(int layer, int n) {
    if (layer + 1 == s.layers) return;
    if (!per_head()) live = choose(live, layer + 1, n, 0, 0);
    std::vector<std::uint64_t> rank;
    for (std::uint32_t h : heads) rank.push_back(head_earned[h]);
    Tokens kept;
    const int k = scheduled(c.heads_start, c.heads_end, c.heads_free, layer + 1, s.layers, s.heads);
    for (std::uint32_t i : largest_k(rank, static_cast<std::size_t>(k))) kept.push_back(heads[i]);
    heads = kept;
  }
};

// Bursts by listing every byte of every item that a fetch asks for.
struct PlainAccesses {
  Accesses a;
  void fetch(const Region& r, int stream, const Tokens& items) {
    std::set<std::uint64_t> touched;
    for (std::uint32_t i : items)
      for (std::uint32_t b = 0; b < r.item_bytes; ++b)
        touched.insert((r.base + static_cast<std::uint64_t>(i) * r.stride + b) / 32);
    a.stream_bursts[static_cast<std::size_t>(stream)] += touched.size();
  }
  void useful_bytes(Kind k, std::size_t items, std::size_t bytes) {
    a.useful[static_cast<std::size_t>(k)] += items * bytes;
  }
  void useful(Kind k, std::size_t items, int words, int bits) {
    a.useful[static_cast<std::size_t>(k)] += items * static_cast<std::size_t>(words * bits) / 8;
  }
};

// Float64 attention output of a row, and what float32 may be off by: scores by D roundings of their terms, twice for
// the quotient, and 1e-6 for the exponential and the sums.
void reference_row(const Values& v, int layer, int head, int position, std::vector<double>& out, double& bound) {
  const Shape& s = v.shape;
  const auto D = static_cast<std::size_t>(s.head_dim);
  const auto& q = v.q[static_cast<std::size_t>(layer * s.heads + head)];
  const auto at = static_cast<std::size_t>(layer * s.kv_heads + head / s.group());
  const std::size_t keys = static_cast<std::size_t>(s.causal ? position + 1 : s.tokens);
  std::vector<double> p(keys);
  double top = -1e300, sum = 0, terms = 0, largest = 0;
  for (std::size_t j = 0; j < keys; ++j) {
    double size = 0;
    for (std::size_t d = 0; d < D; ++d) {
      const double x =
          static_cast<double>(q[static_cast<std::size_t>(position) * D + d]) * v.k[at][j * D + d] * s.attention_scale;
      p[j] += x, size += std::fabs(x);
      largest = std::max(largest, std::fabs(static_cast<double>(v.v[at][j * D + d])));
    }
    terms = std::max(terms, size);
    top = std::max(top, p[j]);
  }
  for (double& x : p) sum += x = std::exp(x - top);
  out.assign(D, 0);
  for (std::size_t d = 0; d < D; ++d)
    for (std::size_t j = 0; j < keys; ++j) out[d] += p[j] / sum * v.v[at][j * D + d];
  bound = largest * (2 * static_cast<double>(D) * 0x1p-24 * terms + 1e-6);
}

float weight_of(const Policy& p, const Shape& s, int layer, int head, int position) {
  const auto at = static_cast<std::size_t>((layer * s.heads + head) * s.tokens + position);
  return p.head_weights == HeadWeights::none ? 1 : s.tensors->weights[at];
}
// A weight that is no more than half of 2^-16 is none.
bool is_routed_away(const Policy& p, const Shape& s, int step, int layer, std::uint32_t head) {
  return step > 0 && p.head_weights == HeadWeights::route &&
         weight_of(p, s, layer, static_cast<int>(head), s.prompt + step - 1) < 0x1p-17f;
}

TEST(Walk, EqualsPlainLoopsOverWholeTraces) {
  Compared compared(1000000);
  Random random(21), first(210), pages(211), variant(212), merge(213), full(214), tensor(215), basis(216);
  std::uint64_t layers = 0, pruned_layers = 0, pruned_heads = 0, newest_gone = 0, returned = 0, records = 0,
                short_steps = 0, paged_rows = 0, pages_dropped = 0, merged_rows = 0, full_steps = 0, between = 0,
                blocks = 0, routed_away = 0, weighed = 0, masked_rows = 0, coded_rows = 0, first_keys = 0;
  double reference_error = 0;
  for (int i = 0; i < 1150; ++i) {
    const bool full_steps_too = i >= 400 && i < 700, coded = i >= 1000;
    Shape shape = random_shape(random);
    Case c = random_case(random);
    if (coded) {
      random_basis(c, shape, basis);
      random_first_pass(c, first);
    } else if (full_steps_too) {
      random_full_steps(c, full);
    } else {
      if (i % 2) random_first_pass(c, first);
      if (i % 3 == 0) random_pages(c, pages);
      if (i % 3 == 2 && i % 4 == 0) random_merge(c, merge);
      if (i % 3 == 1 && i % 4 < 2) random_variant(c, variant);
    }
    if (i >= 700) random_tensor_rule(c, tensor);
    const Policy& p = c.policy;
    const Values values = random_values(shape, random);
    const FloatSource source = values.source();
    const Reference reference(source);
    const Quantized model(source, reference, p);
    const std::uint64_t align = random.of<std::uint64_t>({32, 64, 512, 8192});
    const Layout layout(shape, p, align);
    SCOPED_TRACE(describe(c, shape));
    const int D = shape.head_dim, G = shape.group();
    const auto uD = static_cast<std::size_t>(D), uG = static_cast<std::size_t>(G),
               H = static_cast<std::size_t>(shape.heads);
    const std::vector<int>& widths = p.k_digits;
    const bool selects = p.select != SelectRule::none;

    Walk walk(model, layout, &reference);
    PlainCascade plain(c, shape);
    LayerResult r;
    Tokens last_live;
    for (int step = 0; step < shape.steps(); ++step) {
      const int n = shape.prompt + step;
      const bool whole = step == 0 || (selects && n < p.select_from);
      short_steps += whole && step > 0;
      blocks += step > 0 && p.importance_block > 1;
      full_steps += plain.is_full_step(step), between += step > 0 && !plain.earns(step);
      for (int layer = 0; layer < shape.layers; ++layer) {
        ASSERT_EQ(walk.step(), step);
        ASSERT_EQ(walk.layer(), layer);
        ASSERT_TRUE(walk.next(r));
        if (layer == 0) plain.begin(step, n);
        ASSERT_EQ(r.step, step);
        ASSERT_EQ(r.layer, layer);
        ASSERT_EQ(r.tokens, n);
        const Tokens queries = step == 0 ? plain.living(layer, 0) : Tokens{static_cast<std::uint32_t>(n - 1)};
        ASSERT_EQ(r.positions, queries);
        ASSERT_EQ(r.live.size(), static_cast<std::size_t>(shape.kv_heads));
        std::vector<int> out(queries.size() * H * uD, 0);
        PlainAccesses plain_accesses;
        std::uint64_t row_heads = 0, flat = 0, row_groups = 0, refetched = 0, seen = 0, survivors = 0, with_v = 0;
        std::size_t decode_row = 0;
        bool any_head = false;
        for (int kv = 0; kv < shape.kv_heads; ++kv) {
          std::uint32_t heads = 0;
          int alive = 0;
          for (std::uint32_t h : plain.heads)
            if (static_cast<int>(h) / G == kv && !is_routed_away(p, shape, step, layer, h))
              heads |= 1u << (static_cast<int>(h) % G), ++alive;
          routed_away += step > 0 && p.head_weights == HeadWeights::route && alive < G;
          weighed += static_cast<std::uint64_t>(alive) * (p.head_weights != HeadWeights::none);
          masked_rows += step > 0 && p.masks() && alive;
          Tokens live = plain.living(layer, kv);
          // The first layers see all; of those the share is rounded up.
          if (p.pages && step > 0 && !whole && alive && 100 * layer >= c.tokens_free * shape.layers) {
            const Tokens scored = scored_pages(c, n);
            live = paged(model, c, layer, kv, n - 1, heads);
            paged_rows += !scored.empty(),
                pages_dropped += (static_cast<std::size_t>(n) - live.size()) / static_cast<std::size_t>(p.pages);
            if (!scored.empty()) plain_accesses.fetch(layout.page(layer, kv), 1, scored);
            plain_accesses.useful(Kind::key_msb, scored.size(), D,
                                  (p.page_key == PageKey::bounds ? 2 : 1) * p.page_bits);
          }
          // Tokens left out by place follow as one.
          std::uint32_t merged = 0;
          if (p.merge && step > 0 && live.size() < static_cast<std::size_t>(n) &&
              (p.protect_first > 0 || live.back() + 1 == static_cast<std::uint32_t>(n))) {
            merged = static_cast<std::uint32_t>(n) - static_cast<std::uint32_t>(live.size());
            std::size_t first = 0;
            while (first < live.size() && live[first] == first) ++first;
            ASSERT_TRUE(is_merged(model, c, layer, kv, step, first, first + merged));
            live.push_back(static_cast<std::uint32_t>(shape.tokens + step));
            compared.add(2 * uD + 1), ++merged_rows;
          }
          ASSERT_EQ(r.live[static_cast<std::size_t>(kv)], live);
          ASSERT_EQ(r.heads[static_cast<std::size_t>(kv)], heads);
          compared.add(live.size() + 1);
          if (!alive) continue;
          any_head = true;
          // Of a coded key bit by bit: a channel's lower digits first, the first digit what is left.
          const auto digit_bytes = [&](std::size_t digit) {
            std::size_t bits = 0;
            for (std::size_t d = 0; d < uD; ++d) {
              int left = coded ? model.head(layer, kv).basis.channel[d].width : 12;
              for (std::size_t x = widths.size() - 1; x > digit; --x) left = std::max(0, left - widths[x]);
              bits += static_cast<std::size_t>(!coded ? widths[digit] : digit ? std::min(left, widths[digit]) : left);
            }
            return (bits + 7) / 8;
          };
          for (std::size_t qi = 0; qi < queries.size(); ++qi) {
            Tokens visible;
            for (std::uint32_t t : live)
              if (step > 0 || !shape.causal || t <= queries[qi]) visible.push_back(t);
            const Row row =
                integer_row(model, c, layer, kv, static_cast<int>(queries[qi]), visible, heads, whole, merged);
            for (std::size_t g = 0; g < uG; ++g) {
              const std::size_t head = static_cast<std::size_t>(kv) * uG + g;
              std::uint64_t size = 0;
              for (std::size_t d = 0; d < uD; ++d) {
                out[(qi * H + head) * uD + d] = row.out[g * uD + d];
                size += static_cast<std::uint64_t>(std::abs(row.out[g * uD + d]));
              }
              plain.head_earned[head] += size * model.head(layer, kv).out16[g];
              for (std::size_t j = 0; plain.earns(step) && !p.merge && j < visible.size(); ++j)
                plain.earned[plain.ranked() ? plain.list(layer, kv) : 0][visible[j]] += row.p[g * visible.size() + j];
            }
            row_heads += static_cast<std::uint64_t>(alive), flat += static_cast<std::uint64_t>(row.flat);
            ++row_groups, refetched += row.refetched, seen += visible.size(), with_v += row.values.size();
            survivors += row.survivors.empty() ? visible.size() : row.survivors.back().size();
            if (!whole) {
              ASSERT_LT(decode_row, r.rows.size());
              const RowRecord& record = r.rows[decode_row++];
              ASSERT_EQ(record.position, queries[qi]);
              ASSERT_EQ(static_cast<int>(record.kv_head), kv);
              ASSERT_EQ(record.row.values, row.values);
              ASSERT_TRUE(std::equal(row.p.begin(), row.p.end(), record.row.p.begin(), record.row.p.end()));
              compared.add(row.values.size() + row.p.size());
              // One fetch job a list.
              Tokens q_items, kept;
              for (std::uint32_t g = 0; g < static_cast<std::uint32_t>(G); ++g)
                if ((heads >> g) & 1) q_items.push_back(queries[qi] * static_cast<std::uint32_t>(G) + g);
              plain_accesses.fetch(layout.query(layer, kv), 0, q_items);
              plain_accesses.useful(Kind::query, q_items.size(), D, 12);
              if (p.head_weights != HeadWeights::none) plain_accesses.useful(Kind::query, q_items.size(), 1, 16);
              plain_accesses.fetch(layout.key(layer, kv, 0), 1, live);
              plain_accesses.useful_bytes(Kind::key_msb, live.size(), digit_bytes(0));
              if (p.compensate) {
                // One record of D words of 24 bits, its own whole bursts: item n is that of step n.
                const Region& sum = layout.value_sum(layer, kv);
                ASSERT_EQ(sum.at(static_cast<std::uint64_t>(step)) % 32, 0u);
                plain_accesses.fetch(sum, 2, {static_cast<std::uint32_t>(step)});
                plain_accesses.useful(Kind::value, 1, D, 24);
              }
              if (row.refetched) {
                plain_accesses.fetch(layout.key(layer, kv, 1), 1, live);
                plain_accesses.useful_bytes(Kind::key_lsb, live.size(), digit_bytes(1));
              }
              for (std::size_t st = 0; st < row.survivors.size(); ++st) {
                kept.clear();
                for (std::uint32_t x : row.survivors[st]) kept.push_back(live[x]);
                plain_accesses.fetch(layout.record(layer, kv, static_cast<int>(st) + 1), 4, kept);
                plain_accesses.useful_bytes(Kind::key_lsb, kept.size(), digit_bytes(st + 1));
                ++records;
              }
              kept.clear();
              for (std::uint32_t x : row.values) kept.push_back(live[x]);
              if (!selects) plain_accesses.fetch(layout.value(layer, kv), 2, kept);
              plain_accesses.useful(Kind::value, kept.size(), D, p.v_bits);
            }
          }
          if (coded) {
            // Token 0's key of 12 bits a channel, and the tables: of each channel 2D words of 8 bits and one of 64.
            coded_rows += queries.size();
            if (live[0] == 0) plain_accesses.fetch(layout.first_key(layer, kv), 1, {0}), ++first_keys;
            plain_accesses.useful(Kind::key_msb, live[0] == 0, D, 12);
            Tokens channels(uD);
            std::iota(channels.begin(), channels.end(), 0u);
            if (!p.basis_resident) {
              PlainAccesses tables;
              tables.fetch(layout.basis(layer, kv), 0, channels);
              plain_accesses.a.basis_bursts += tables.a.stream_bursts[0];
              plain_accesses.a.basis_useful += uD * (2 * uD + 8);
            }
          }
          if (p.v_scale == ValueScale::token) {
            plain_accesses.fetch(layout.value_scale(layer, kv), 3, live);
            plain_accesses.useful(Kind::value_scale, live.size(), 1, 16);
          }
          if (whole) {
            for (std::size_t digit = 0; digit < widths.size(); ++digit) {
              plain_accesses.fetch(layout.key(layer, kv, static_cast<int>(digit)), selects && digit > 0 ? 4 : 1, live);
              plain_accesses.useful_bytes(digit ? Kind::key_lsb : Kind::key_msb, live.size(), digit_bytes(digit));
            }
            if (!selects) plain_accesses.fetch(layout.value(layer, kv), 2, live);
            plain_accesses.useful(Kind::value, live.size(), D, p.v_bits);
            for (std::size_t from = 0; from < queries.size(); from += 8) {
              Tokens items;
              for (std::size_t x = from; x < std::min(from + 8, queries.size()); ++x)
                for (std::uint32_t g = 0; g < static_cast<std::uint32_t>(G); ++g)
                  if ((heads >> g) & 1) items.push_back(queries[x] * static_cast<std::uint32_t>(G) + g);
              plain_accesses.fetch(layout.query(layer, kv), 0, items);
            }
            plain_accesses.useful(Kind::query, queries.size() * static_cast<std::size_t>(alive), D, 12);
            if (p.head_weights != HeadWeights::none)
              plain_accesses.useful(Kind::query, queries.size() * static_cast<std::size_t>(alive), 1, 16);
          }
          plain_accesses.useful(Kind::out, queries.size() * static_cast<std::size_t>(alive), D, 12);
          plain_accesses.a.write_bursts += queries.size() * static_cast<std::size_t>(alive) * ((uD * 12 / 8 + 31) / 32);
        }
        if (any_head)
          for (std::uint32_t t : plain.living(layer, 0))
            for (std::uint32_t x : queries) plain.chances[t] += step > 0 || !shape.causal || t <= x;
        plain.end(layer, n);

        ASSERT_EQ(r.rows.size(), decode_row);
        ASSERT_TRUE(std::equal(out.begin(), out.end(), r.out.begin(), r.out.end()));
        std::vector<std::uint64_t> flat_earned;
        for (const auto& x : plain.earned) flat_earned.insert(flat_earned.end(), x.begin(), x.end());
        ASSERT_EQ(r.importance, flat_earned);
        ASSERT_EQ(r.head_importance, plain.head_earned);
        ASSERT_EQ(walk.cascade().chances(), plain.chances);
        compared.add(out.size() + flat_earned.size() + plain.head_earned.size() + plain.chances.size());
        if (layer + 1 < shape.layers) {
          ASSERT_EQ(r.next_live, plain.live);
          ASSERT_EQ(r.next_heads, plain.heads);
          compared.add(plain.live.size() + plain.heads.size());
        } else {
          ASSERT_TRUE(r.next_live.empty());
        }
        // Scales of all query heads, asleep ones' too: 8 bytes each, once a layer.
        Tokens all_heads(coded ? 2 * H + static_cast<std::size_t>(shape.kv_heads) : H);
        std::iota(all_heads.begin(), all_heads.end(), 0u);
        if (any_head) {
          plain_accesses.fetch(layout.descriptors(layer), 5, all_heads);
          plain_accesses.useful(Kind::descriptor, all_heads.size(), 1, 64);
        }
        ASSERT_EQ(r.accesses.useful, plain_accesses.a.useful);
        ASSERT_EQ(r.accesses.stream_bursts, plain_accesses.a.stream_bursts);
        ASSERT_EQ(r.accesses.write_bursts, plain_accesses.a.write_bursts);
        ASSERT_EQ(r.accesses.basis_bursts, plain_accesses.a.basis_bursts);
        ASSERT_EQ(r.accesses.basis_useful, plain_accesses.a.basis_useful);
        ASSERT_EQ(r.row_heads, row_heads);
        ASSERT_EQ(r.flat, flat);
        ASSERT_EQ(r.row_groups, row_groups);
        ASSERT_EQ(r.refetched, refetched);
        ASSERT_EQ(r.keys_seen, seen);
        ASSERT_EQ(r.survivors, survivors);
        ASSERT_EQ(r.values, with_v);
        compared.add(21);

        // Error sums over what ran, and over all query positions of the step.
        double difference = 0, norm = 0, difference_all = 0, norm_all = 0;
        std::size_t error_rows = 0;
        for (int position = step == 0 ? 0 : n - 1; position < n; ++position) {
          const auto it = std::find(queries.begin(), queries.end(), static_cast<std::uint32_t>(position));
          for (int head = 0; head < shape.heads; ++head) {
            const float* exact = reference.out(layer, head, position);
            std::vector<double> real;
            double bound = 0;
            reference_row(values, layer, head, position, real, bound);
            const bool kept = it != queries.end() && ((r.heads[static_cast<std::size_t>(head / G)] >> (head % G)) & 1);
            const double unit = model.head(layer, head / G).out_unit[static_cast<std::size_t>(head % G)];
            double d2 = 0, size = 0;
            for (std::size_t d = 0; d < uD; ++d) {
              const double y =
                  kept
                      ? out[(static_cast<std::size_t>(it - queries.begin()) * H + static_cast<std::size_t>(head)) * uD +
                            d] *
                            unit
                      : 0;
              const double x = weight_of(p, shape, layer, head, position) * exact[d];
              d2 += (y - x) * (y - x);
              size += x * x;
              ASSERT_LE(std::fabs(exact[d] - real[d]), bound + 1e-30);
              if (bound > 0) reference_error = std::max(reference_error, std::fabs(exact[d] - real[d]) / bound);
            }
            compared.add(uD);
            difference_all += d2, norm_all += size;
            if (!kept) continue;
            difference += d2, norm += size;
            ASSERT_LT(error_rows, r.error.rows.size());
            ASSERT_FLOAT_EQ(r.error.rows[error_rows], static_cast<float>(size > 0 ? std::sqrt(d2 / size) : 0));
            ++error_rows;
          }
        }
        ASSERT_EQ(r.error.rows.size(), error_rows);
        ASSERT_DOUBLE_EQ(r.error.difference, difference);
        ASSERT_DOUBLE_EQ(r.error.reference, norm);
        ASSERT_DOUBLE_EQ(r.error.difference_all, difference_all);
        ASSERT_DOUBLE_EQ(r.error.reference_all, norm_all);
        compared.add(4 + error_rows);

        ++layers, pruned_layers += plain.living(layer, 0).size() < static_cast<std::size_t>(n);
        pruned_heads += plain.heads.size() < H;
        newest_gone += step > 0 && !plain.living(layer, 0).empty() &&
                       plain.living(layer, 0).back() + 1 != static_cast<std::uint32_t>(n);
        if (layer == 0 && step > 0) returned += plain.living(0, 0).size() > last_live.size() + 1;
        last_live = plain.living(layer, 0);
      }
    }
    ASSERT_FALSE(walk.next(r));
  }
  std::printf("%llu rows behind a page stage, %llu pages left out\n", static_cast<unsigned long long>(paged_rows),
              static_cast<unsigned long long>(pages_dropped));
  EXPECT_GT(paged_rows, 500u);
  std::printf("%llu rows of keys in a basis of their own, of %llu fetches with token 0\n",
              static_cast<unsigned long long>(coded_rows), static_cast<unsigned long long>(first_keys));
  EXPECT_GT(coded_rows, 5000u);
  EXPECT_GT(first_keys, 500u);
  std::printf("%llu rows with a merged token\n", static_cast<unsigned long long>(merged_rows));
  EXPECT_GT(merged_rows, 100u);
  std::printf("%llu KV heads of which a router left out a head, %llu heads weighed, %llu rows behind a mask\n",
              static_cast<unsigned long long>(routed_away), static_cast<unsigned long long>(weighed),
              static_cast<unsigned long long>(masked_rows));
  EXPECT_GT(routed_away, 200u);
  EXPECT_GT(weighed, 1000u);
  EXPECT_GT(masked_rows, 500u);
  std::printf(
      "%llu layers: %llu with tokens pruned, %llu with heads pruned, %llu without the newest token, %llu steps in "
      "which tokens returned, %llu record fetches, %llu steps too short to select, %llu steps that say whom %llu "
      "between them see, %llu steps that rank blocks; reference at %.2f of its bound\n",
      static_cast<unsigned long long>(layers), static_cast<unsigned long long>(pruned_layers),
      static_cast<unsigned long long>(pruned_heads), static_cast<unsigned long long>(newest_gone),
      static_cast<unsigned long long>(returned), static_cast<unsigned long long>(records),
      static_cast<unsigned long long>(short_steps), static_cast<unsigned long long>(full_steps),
      static_cast<unsigned long long>(between), static_cast<unsigned long long>(blocks), reference_error);
  EXPECT_GT(blocks, 150u);
  EXPECT_GT(full_steps, 100u);
  EXPECT_GT(between, 150u);
  EXPECT_GT(short_steps, 20u);
  EXPECT_GT(pruned_layers, 500u);
  EXPECT_GT(pruned_heads, 500u);
  EXPECT_GT(newest_gone, 50u);
  EXPECT_GT(returned, 80u);
  EXPECT_GT(records, 500u);
}

// The same trace twice, from objects of their own, gives the same results.
TEST(Walk, Repeats) {
  Compared compared(10000);
  Random random(22);
  Shape shape{6, 6, 2, 32, 40, 34, true, 0.2};
  shape.tensors = random_tensors(shape, random);
  set_key_basis(shape, random_key_basis(shape, random));
  const Values values = random_values(shape, random, 1.5);
  const FloatSource source = values.source();
  for (const auto& entry : policies()) {
    LayerResult a, b;
    const Policy p = entry.make();
    const Reference ra(source), rb(source);
    const Quantized ma(source, ra, p), mb(source, rb, p);
    const Layout layout(shape, p, 1024);
    Walk wa(ma, layout, &ra), wb(mb, layout, &rb);
    while (wa.next(a)) {
      ASSERT_TRUE(wb.next(b));
      ASSERT_EQ(a.out, b.out);
      ASSERT_EQ(a.importance, b.importance);
      ASSERT_TRUE(a.accesses == b.accesses);
      ASSERT_EQ(a.error.difference, b.error.difference);
      compared.add(a.out.size() + a.importance.size() + 2);
    }
    ASSERT_FALSE(wb.next(b));
  }
}

// 0.29 * 100 is 28.999999999999996 in float64; the rule says 29.
TEST(Rules, KeptCountsAreFloorsOfExactShares) {
  Compared compared(100000);
  for (int percent = 0; percent <= 100; ++percent)
    for (int n = 1; n <= 1200; ++n) {
      ASSERT_EQ(kept_count(share_of_floor(percent / 100.0), n), std::max(1, percent * n / 100)) << percent << ' ' << n;
      compared.add();
    }
}

}  // namespace
}  // namespace winnow::golden::test
