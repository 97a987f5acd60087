#include "tests/golden/oracle.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace winnow::golden::test {
namespace {

using Wide = Int128;

Wide floor_div(Wide a, Wide b) {
  const Wide q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
Wide power2(int n) { return static_cast<Wide>(1) << n; }
// floor(x * mantissa / 2^shift + 1/2)
Wide times(Wide x, Scale s) {
  if (s.shift <= 0) return x * s.mantissa * power2(-s.shift);
  if (s.shift > 100) return 0;
  return floor_div(2 * x * s.mantissa + power2(s.shift), power2(s.shift + 1));
}

std::uint64_t exponential(Wide t) {
  const Wide whole = t / 4096, fraction = t % 4096;
  if (whole > 20) return 0;
  static const std::vector<std::int64_t> table = [] {
    std::vector<std::int64_t> x;
    for (int i = 0; i <= 64; ++i) x.push_back(std::llround(std::exp2(20 - i / 64.0)));
    return x;
  }();
  const auto i = static_cast<std::size_t>(fraction / 64);
  const Wide y = table[i] - (table[i] - table[i + 1]) * (fraction % 64) / 64;
  return static_cast<std::uint64_t>(
      floor_div(2 * y + power2(static_cast<int>(whole)), power2(static_cast<int>(whole) + 1)));
}

constexpr std::uint64_t kLimit = (std::uint64_t{1} << 40) - 1;
std::uint64_t limited(Wide x) { return x > static_cast<Wide>(kLimit) ? kLimit : static_cast<std::uint64_t>(x); }

// rest * 2^(d / 4096), floored, saturated.
std::uint64_t moved(std::uint64_t rest, Wide d) {
  if (rest == 0) return 0;
  const Wide whole = -floor_div(-d, 4096);  // ceiling; 0..4095 / 4096 are taken back
  const Wide y = exponential(whole * 4096 - d);
  if (whole <= -60) return 0;
  if (whole > 60) return kLimit;
  const Wide product = static_cast<Wide>(rest) * y;
  return whole >= 0 ? limited(product * power2(static_cast<int>(whole)) / power2(20))
                    : limited(product / power2(20) / power2(static_cast<int>(-whole)));
}

bool lives(std::uint32_t heads, std::size_t g) { return (heads >> g) & 1; }

int width_sum(const std::vector<int>& widths, int from) {
  int n = 0;
  for (std::size_t i = static_cast<std::size_t>(from); i < widths.size(); ++i) n += widths[i];
  return n;
}

// A query as a pass sees it, in units of the exact codes: that of a selection's first pass has first_q_bits bits under
// the power of two that its largest code needs.
std::vector<std::int64_t> query_of(const HeadCodes& c, const Policy& p, std::size_t D, std::size_t G,
                                   std::size_t position, std::size_t g, bool first) {
  const auto at = (p.key_basis == KeyBasisRule::none ? c.q : c.turned).begin() +
                  static_cast<std::ptrdiff_t>((position * G + g) * D);
  std::vector<std::int64_t> q(at, at + static_cast<std::ptrdiff_t>(D));
  if (!first || p.first_q_bits == 12) return q;
  std::int64_t largest = 0, unit = 1, most = 1;
  for (std::int64_t x : q) largest = std::max(largest, std::abs(x));
  for (int i = 0; i < p.first_q_bits - 1; ++i) most *= 2;
  while (largest >= most * unit) unit *= 2;
  for (std::int64_t& x : q)
    x = unit * std::max(1 - most, std::min(most - 1, static_cast<std::int64_t>(floor_div(2 * x + unit, 2 * unit))));
  return q;
}
// Score in full code units on digits 0..last.
std::int64_t score(const HeadCodes& c, const Policy& p, const std::vector<std::int64_t>& q, std::size_t token,
                   int last) {
  std::int64_t s = 0;
  const std::size_t D = q.size();
  for (std::size_t d = 0; d < D; ++d) s += q[d] * reading(c.k[token * D + d], p.k_digits, p.msb, last);
  // Token 0 has all of its key from the first pass on.
  if (p.key_basis != KeyBasisRule::none && token == 0)
    for (std::size_t d = 0; d < D; ++d)
      s += q[d] * c.basis.first[d] * static_cast<std::int64_t>(power2(c.basis.first_shift));
  return s;
}
std::int64_t sum_of(const std::vector<std::int64_t>& q) {
  std::int64_t s = 0;
  for (std::int64_t x : q) s += x;
  return s;
}
// 2^-octaves of a selection's first pass, in units of 2^-20: the scale's mantissa has five bits.
std::uint64_t whole_octaves(Wide below, Scale to_log2) {
  const Wide mantissa = floor_div(to_log2.mantissa + 1024, 2048) * 2048;  // up to 65536
  const int shift = to_log2.shift + 12;
  const Wide n = shift <= 0    ? below * mantissa * power2(std::min(-shift, 40))
                 : shift > 100 ? 0
                               : floor_div(2 * below * mantissa + power2(shift), power2(shift + 1));
  return n > 20 ? 0 : static_cast<std::uint64_t>(power2(20 - static_cast<int>(n)));
}
// Twice the half-step's share of a score.
std::int64_t half_step(const Policy& p, std::int64_t sum, int last) {
  if (p.msb != MsbRule::midpoint) return 0;
  return sum * ((1 << width_sum(p.k_digits, last + 1)) - 1);
}

// V's sum over tokens 0..position, channel d, in codes of V's largest scale times 2^(10 - v_bits): each token's part is
// rounded, ties up.
Wide value_sum(const HeadCodes& c, const Policy& p, std::size_t D, std::size_t position, std::size_t d) {
  Wide sum = 0;
  for (std::size_t t = 0; t <= position; ++t) {
    const Wide x = static_cast<Wide>(c.v[t * D + d]) * (c.v16.empty() ? 65536 : c.v16[t]) * power2(12 - p.v_bits);
    sum += floor_div(2 * x + power2(18), power2(19));
  }
  return sum;
}

}  // namespace

std::int64_t reading(std::int64_t code, const std::vector<int>& widths, MsbRule rule, int last) {
  if (rule != MsbRule::round) {
    const std::int64_t step = static_cast<std::int64_t>(power2(width_sum(widths, last + 1)));
    return static_cast<std::int64_t>(floor_div(code, step)) * step;
  }
  // Rounded digit by digit from the finest: the nearest multiple, ties up, of what the finer step left.
  std::int64_t step = 1;
  for (int i = static_cast<int>(widths.size()) - 1; i > last; --i) {
    const std::int64_t coarse = step << widths[static_cast<std::size_t>(i)];
    code = static_cast<std::int64_t>(floor_div(2 * code + coarse, 2 * coarse)) * coarse;
    step = coarse;
  }
  return code;
}

std::vector<std::uint32_t> largest_k(const std::vector<std::uint64_t>& x, std::size_t k) {
  std::vector<std::uint32_t> order(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return x[a] > x[b]; });
  order.resize(std::min(k, order.size()));
  std::sort(order.begin(), order.end());
  return order;
}

// A3's search, from its rule: each dimension's slots in order of its codes, of which the ends not yet taken compete.
std::vector<std::uint32_t> searched(const HeadCodes& c, const std::vector<std::int64_t>& q,
                                    const std::vector<std::uint32_t>& tokens, int iterations) {
  const std::size_t D = q.size(), n = tokens.size();
  std::vector<std::vector<std::uint32_t>> order(D);
  const auto code = [&](std::size_t d, std::uint32_t slot) { return std::int64_t{c.k[tokens[slot] * D + d]}; };
  for (std::size_t d = 0; d < D; ++d) {
    for (std::uint32_t j = 0; j < n; ++j) order[d].push_back(j);
    std::sort(order[d].begin(), order[d].end(),
              [&](auto a, auto b) { return code(d, a) != code(d, b) ? code(d, a) < code(d, b) : a < b; });
  }
  std::vector<std::size_t> high(D, 0), low(D, 0);  // taken of each side
  std::vector<std::int64_t> score(n, 0);
  std::int64_t total = 0;
  const auto step = [&](int sign, std::vector<std::size_t>& taken) -> std::int64_t {
    std::size_t best = D;
    std::int64_t best_product = 0;
    std::uint32_t best_slot = 0;
    for (std::size_t d = 0; d < D; ++d) {
      if (taken[d] == n) continue;
      const bool descending = sign > 0 ? q[d] >= 0 : q[d] < 0;
      const std::uint32_t slot = descending ? order[d][n - 1 - taken[d]] : order[d][taken[d]];
      const std::int64_t product = q[d] * code(d, slot);
      if (best == D || sign * product > sign * best_product) best = d, best_product = product, best_slot = slot;
    }
    if (best == D) return 0;
    ++taken[best];
    if (sign * best_product <= 0) return 0;
    score[best_slot] += best_product;
    return best_product;
  };
  for (int i = 0; i < iterations; ++i) {
    const bool both = total >= 0;
    total += step(1, high);
    if (both) total += step(-1, low);
  }
  std::vector<std::uint32_t> found;
  for (std::uint32_t j = 0; j < n; ++j)
    if (score[j] > 0) found.push_back(j);
  std::uint32_t most = 0;
  for (std::uint32_t j = 1; j < n; ++j)
    if (score[j] > score[most]) most = j;
  if (found.empty()) found.push_back(most);
  return found;
}

bool is_merged(const Quantized& m, const Case& cs, int layer, int kv_head, int step, std::size_t first,
               std::size_t end) {
  const HeadCodes& c = m.head(layer, kv_head);
  const auto D = static_cast<std::size_t>(m.shape().head_dim);
  const std::size_t at = static_cast<std::size_t>(m.shape().tokens + step) * D;
  const auto n = static_cast<Wide>(end - first);
  const auto nearest = [](Wide sum, Wide over) { return floor_div(2 * sum + over, 2 * over); };
  const Wide limit = power2(cs.policy.v_bits - 1) - 1;
  const auto value_sum = [&](std::size_t d) {
    Wide sum = 0;
    for (std::size_t t = first; t < end; ++t)
      sum += static_cast<Wide>(c.v[t * D + d]) * (c.v16.empty() ? 65536 : c.v16[t]);
    return sum;
  };
  Wide scale = 65536;
  if (!c.v16.empty()) {
    // The smallest scale under which every mean fits its bits.
    Wide largest = 0;
    for (std::size_t d = 0; d < D; ++d) largest = std::max(largest, value_sum(d) < 0 ? -value_sum(d) : value_sum(d));
    scale = 0;
    while (scale < 65535 && scale * n * limit < largest) ++scale;
    if (c.v16[at / D] != scale) return false;
  }
  for (std::size_t d = 0; d < D; ++d) {
    Wide sum = 0;
    for (std::size_t t = first; t < end; ++t) sum += c.k[t * D + d];
    if (c.k[at + d] != nearest(sum, n)) return false;
    const Wide v = scale == 0 ? 0 : std::max(-limit, std::min(limit, nearest(value_sum(d), n * scale)));
    if (c.v[at + d] != v) return false;
  }
  return true;
}

// Complete pages without a protected token, if there are more than stay of them.
std::vector<std::uint32_t> scored_pages(const Case& c, int tokens) {
  const Policy& p = c.policy;
  const int newest = std::max(p.protect_newest, c.newest_share ? std::max(1, c.newest_share * tokens / 100) : 0);
  std::vector<std::uint32_t> pages;
  int all = 0;
  for (int first = 0; first < tokens; first += p.pages, ++all) {
    bool stays = first + p.pages > tokens;
    for (int t = first; t < first + p.pages; ++t) stays = stays || t < p.protect_first || t >= tokens - newest;
    if (!stays) pages.push_back(static_cast<std::uint32_t>(first / p.pages));
  }
  const int keep = std::max(1, all * c.page_keep / 100) - (all - static_cast<int>(pages.size()));
  if (std::max(1, keep) >= static_cast<int>(pages.size())) pages.clear();
  return pages;
}

std::vector<std::uint32_t> paged(const Quantized& m, const Case& cs, int layer, int kv_head, int position,
                                 std::uint32_t heads) {
  const HeadCodes& c = m.head(layer, kv_head);
  const Policy& p = cs.policy;
  const auto D = static_cast<std::size_t>(m.shape().head_dim), G = static_cast<std::size_t>(m.shape().group());
  const int tokens = position + 1, all = (tokens + p.pages - 1) / p.pages;
  const std::vector<std::uint32_t> pages = scored_pages(cs, tokens);
  std::vector<bool> stays(static_cast<std::size_t>(all), true);
  if (!pages.empty()) {
    const Wide step = power2(std::max(0, width_sum(p.k_digits, 0) - p.page_bits));
    const Wide most = power2(p.page_bits - 1);
    std::vector<std::uint64_t> rank(pages.size(), 0);
    for (std::size_t g = 0; g < G; ++g) {
      if (!lives(heads, g)) continue;
      const std::vector<std::int64_t> q = query_of(c, p, D, G, static_cast<std::size_t>(position), g, false);
      std::vector<Wide> s;
      for (std::uint32_t page : pages) {
        Wide score = 0;
        for (std::size_t d = 0; d < D; ++d) {
          std::vector<Wide> codes;
          for (int t = 0; t < p.pages; ++t)
            codes.push_back(c.k[(page * static_cast<std::size_t>(p.pages) + static_cast<std::size_t>(t)) * D + d]);
          const auto nearest = [&](Wide sum, Wide over) {
            return std::max(-most, std::min(most - 1, floor_div(2 * sum + over, 2 * over)));
          };
          Wide sum = 0;
          for (Wide x : codes) sum += x;
          const Wide key = p.page_key == PageKey::mean       ? nearest(sum, step * p.pages)
                           : p.page_key == PageKey::landmark ? nearest(codes.back(), step)
                           : q[d] >= 0 ? floor_div(*std::max_element(codes.begin(), codes.end()), step)
                                       : floor_div(*std::min_element(codes.begin(), codes.end()), step);
          score += q[d] * key * step;
        }
        s.push_back(score);
      }
      const Wide top = *std::max_element(s.begin(), s.end());
      Wide sum = 0;
      std::vector<Wide> e;
      for (Wide x : s)
        sum += e.emplace_back(exponential(times(top - x, {c.to_log2[g].mantissa, c.to_log2[g].shift + 2})));
      for (std::size_t i = 0; i < s.size(); ++i)
        rank[i] = std::max(rank[i], static_cast<std::uint64_t>(std::min<Wide>(
                                        65535, floor_div(2 * (e[i] * (power2(52) / sum)) + power2(36), power2(37)))));
    }
    const int keep = std::max(1, std::max(1, all * cs.page_keep / 100) - (all - static_cast<int>(pages.size())));
    for (std::uint32_t page : pages) stays[page] = false;
    for (std::uint32_t i : largest_k(rank, static_cast<std::size_t>(keep))) stays[pages[i]] = true;
  }
  std::vector<std::uint32_t> list;
  for (int t = 0; t < tokens; ++t)
    if (stays[static_cast<std::size_t>(t / p.pages)]) list.push_back(static_cast<std::uint32_t>(t));
  return list;
}

static double weight_of(const Shape& s, int layer, int kv_head, std::size_t g, std::size_t position) {
  const std::size_t head = static_cast<std::size_t>(layer * s.heads + kv_head * s.group()) + g;
  return s.tensors->weights[head * static_cast<std::size_t>(s.tokens) + position];
}

Row integer_row(const Quantized& m, const Case& cs, int layer, int kv_head, int position_,
                const std::vector<std::uint32_t>& visible, std::uint32_t heads, bool full_width, std::uint32_t merged) {
  const HeadCodes& c = m.head(layer, kv_head);
  const Policy& p = cs.policy;
  const auto D = static_cast<std::size_t>(m.shape().head_dim), G = static_cast<std::size_t>(m.shape().group());
  const std::size_t N = visible.size(), position = static_cast<std::size_t>(position_);
  const int digits = static_cast<int>(p.k_digits.size());
  Row r;
  r.p.assign(G * N, 0), r.out.assign(G * D, 0), r.denominator.assign(G, 0);
  std::vector<std::uint32_t> slots(N);
  for (std::size_t j = 0; j < N; ++j) slots[j] = static_cast<std::uint32_t>(j);
  std::vector<std::uint64_t> rest(G, 0);
  std::vector<Wide> twice_top(G, 0);
  std::map<std::pair<std::size_t, std::uint32_t>, std::uint64_t> e;  // (head, slot)

  const auto log2_of_tokens = [&] {
    // Bit by bit: the largest x with 2^(x / 4096) <= n, by repeated squaring in 64 fraction bits cut to 31.
    const auto n = static_cast<std::uint64_t>(std::max(m.shape().prompt, position_ + 1));
    int whole = 0;
    while (n >> (whole + 1)) ++whole;
    Wide x = static_cast<Wide>(n) * power2(31 - whole), log = whole;
    for (int i = 0; i < 12; ++i) {
      x = x * x / power2(31), log *= 2;
      if (x >= power2(32)) x /= 2, ++log;
    }
    return log;
  };
  const auto sigmoid = [&](Wide x) -> std::uint64_t {
    const Wide e = static_cast<Wide>(exponential(x < 0 ? -x : x));
    const auto chord = [](Wide i) { return (2 * 65536 * 64 + 64 + i) / (2 * (64 + i)); };
    const Wide i = e / 16384, y = chord(i) - (e % 16384 ? (chord(i) - chord(i + 1)) * (e % 16384) / 16384 : 0);
    return static_cast<std::uint64_t>(std::min<Wide>(65535, x < 0 ? 65536 - y : y));
  };
  const auto sigmoids = [&](int digit) {
    std::fill(r.p.begin(), r.p.end(), 0);
    for (std::size_t g = 0; g < G; ++g) {
      if (!lives(heads, g)) continue;
      const std::vector<std::int64_t> q = query_of(c, p, D, G, position, g, false);
      r.denominator[g] = 0;
      for (std::uint32_t j : slots) {
        const Wide twice = 2 * static_cast<Wide>(score(c, p, q, visible[j], digit)) + half_step(p, sum_of(q), digit);
        const std::uint64_t x =
            sigmoid(times(twice, {c.to_log2[g].mantissa, c.to_log2[g].shift + 1}) - log2_of_tokens());
        r.p[g * N + j] = static_cast<std::uint32_t>(x), r.denominator[g] = std::max(r.denominator[g], x);
      }
    }
  };
  const auto softmax = [&](int digit, bool last) {
    if (p.weights == RowWeights::sigmoid) return sigmoids(digit);
    const bool first = p.select != SelectRule::none && digit == 0 && !last;
    std::fill(r.p.begin(), r.p.end(), 0);
    const std::vector<std::uint32_t> all = slots;
    for (std::size_t g = 0; g < G; ++g) {
      if (!lives(heads, g)) continue;
      const std::vector<std::int64_t> q = query_of(c, p, D, G, position, g, first);
      const std::vector<std::uint32_t>& slots = r.candidates.empty() ? all : r.candidates[g];
      std::vector<std::int64_t> s;
      for (std::uint32_t j : slots) s.push_back(score(c, p, q, visible[j], digit));
      const std::int64_t top = *std::max_element(s.begin(), s.end());
      const Wide twice = 2 * static_cast<Wide>(top) + half_step(p, sum_of(q), digit);
      // log2 units of 2^-12 of half the difference
      if (rest[g])
        rest[g] = moved(rest[g], times(twice_top[g] - twice, {c.to_log2[g].mantissa, c.to_log2[g].shift + 1}));
      twice_top[g] = twice;
      Wide sum = 0;
      for (std::size_t i = 0; i < slots.size(); ++i)
        sum += e[{g, slots[i]}] =
            first && p.first_exp == FirstExp::pow2 ? whole_octaves(top - s[i], c.to_log2[g])
            : cs.score_threshold && p.select != SelectRule::anchor &&
                    times(top - s[i], c.to_log2[g]) >
                        static_cast<Wide>(std::floor(4096 * std::log2(1000.0 / cs.score_threshold)))
                ? 0
                : exponential(times(top - s[i], c.to_log2[g]));
      if (merged) {
        // What the last slot weighs counts `merged` times, in the sum and beside it.
        auto& of = e[{g, slots.back()}];
        sum += static_cast<Wide>(of) * (merged - 1);
        of *= merged;
      }
      r.denominator[g] = limited(last ? sum + rest[g] : sum);
      const Wide reciprocal = power2(52) / r.denominator[g];
      for (std::uint32_t j : slots)
        r.p[g * N + j] = static_cast<std::uint32_t>(
            std::min<Wide>(65535, p.lazy_softmax ? floor_div(static_cast<Wide>(e[{g, j}]) + 8, 16)
                                                 : floor_div(2 * (e[{g, j}] * reciprocal) + power2(36), power2(37))));
      const Wide skip16 = (2 * 65536 * static_cast<Wide>(cs.value_threshold) + 1000) / 2000;
      for (std::uint32_t j : slots)
        if (e[{g, j}] < 1048576 && static_cast<Wide>(e[{g, j}]) * 65536 < skip16 * r.denominator[g]) r.p[g * N + j] = 0;
    }
  };

  if (cs.candidates < 100 && !(full_width && m.shape().causal)) {
    r.candidates.resize(G);
    for (std::size_t g = 0; g < G; ++g)
      if (lives(heads, g))
        r.candidates[g] =
            searched(c, query_of(c, p, D, G, position, g, false), visible,
                     static_cast<int>(std::max<std::size_t>(1, N * static_cast<std::size_t>(cs.candidates) / 100)));
    softmax(0, true);
  } else if (full_width || digits == 1) {
    softmax(digits - 1, true);
  } else if (p.select == SelectRule::none) {
    softmax(0, true);
    const Wide theta16 = (2 * 65536 * cs.threshold + 1000) / 2000;
    for (std::size_t g = 0; g < G; ++g)
      if (lives(heads, g) &&
          (p.weights == RowWeights::sigmoid ? r.denominator[g] < theta16 : power2(36) < theta16 * r.denominator[g]))
        ++r.flat;
    r.refetched = r.flat > 0;
    if (r.refetched) softmax(1, true);
  } else {
    for (int i = 0; i < digits - 1; ++i) {
      if (p.select == SelectRule::anchor) {
        // Who is within the margin of the largest among the first and the newest, in any head, or is one of these.
        const int newest =
            std::max(p.protect_newest, cs.newest_share ? std::max(1, static_cast<int>(N) * cs.newest_share / 100) : 0);
        const auto makes = [&](std::uint32_t token) {
          return static_cast<int>(token) < p.protect_first || static_cast<int>(token) >= static_cast<int>(N) - newest;
        };
        std::vector<std::uint32_t> next;
        for (std::uint32_t j : slots) {
          bool stays = makes(visible[j]);
          for (std::size_t g = 0; g < G && !stays; ++g) {
            if (!lives(heads, g)) continue;
            const std::vector<std::int64_t> q = query_of(c, p, D, G, position, g, false);
            std::int64_t anchor = std::numeric_limits<std::int64_t>::min();
            for (std::uint32_t x : slots)
              if (makes(visible[x])) anchor = std::max(anchor, score(c, p, q, visible[x], i));
            const std::int64_t s = score(c, p, q, visible[j], i);
            stays = s >= anchor || times(anchor - s, c.to_log2[g]) <=
                                       static_cast<Wide>(std::floor(4096 * std::log2(1000.0 / cs.score_threshold)));
          }
          if (stays) next.push_back(j);
        }
        slots = next;
        r.survivors.push_back(slots);
        continue;
      }
      if (p.select == SelectRule::bound) {
        // Who may still come within the threshold of the largest, if the unread bits of both are as they need to be.
        std::vector<std::uint32_t> next;
        std::vector<std::vector<bool>> marked(G);
        int unread = 0;
        for (int rest_of = i + 1; rest_of < digits; ++rest_of) unread += p.k_digits[static_cast<std::size_t>(rest_of)];
        for (std::size_t g = 0; g < G; ++g) {
          marked[g].assign(slots.size(), false);
          if (!lives(heads, g)) continue;
          const std::vector<std::int64_t> q = query_of(c, p, D, G, position, g, false);
          std::vector<std::int64_t> s;
          for (std::uint32_t j : slots) s.push_back(score(c, p, q, visible[j], i));
          Wide size = 0;
          for (std::int64_t x : q) size += x < 0 ? -x : x;
          const Wide limit = static_cast<Wide>(std::floor(4096 * std::log2(1000.0 / cs.score_threshold))) +
                             times(size * (power2(unread) - 1), c.to_log2[g]) + 1;
          const std::int64_t top = *std::max_element(s.begin(), s.end());
          for (std::size_t j = 0; j < s.size(); ++j) marked[g][j] = times(top - s[j], c.to_log2[g]) <= limit;
        }
        for (std::size_t j = 0; j < slots.size(); ++j) {
          bool any = false;
          for (std::size_t g = 0; g < G; ++g) any = any || marked[g][j];
          if (any) next.push_back(slots[j]);
        }
        slots = next;
        r.survivors.push_back(slots);
        continue;
      }
      softmax(i, false);
      std::vector<std::uint64_t> item;
      Wide total = 0;
      for (std::uint32_t j : slots) {
        std::uint64_t sum = 0, most = 0;
        for (std::size_t g = 0; g < G; ++g) sum += r.p[g * N + j], most = std::max<std::uint64_t>(most, r.p[g * N + j]);
        item.push_back(p.select == SelectRule::mass ? sum : most);
        total += item.back();
      }
      const Wide percent = cs.select_keep[static_cast<std::size_t>(i)];
      std::size_t k = 0;
      if (p.select == SelectRule::count) {
        k = static_cast<std::size_t>((percent * slots.size() + 99) / 100);
      } else {
        const Wide mu16 = (2 * 65536 * percent + 100) / 200, target = (mu16 * total + 65535) / 65536;
        std::vector<std::uint64_t> sorted = item;
        std::sort(sorted.rbegin(), sorted.rend());
        Wide reached = 0;
        while (k < sorted.size() && (k == 0 || reached < target)) reached += sorted[k++];
      }
      const std::vector<std::uint32_t> kept = largest_k(item, std::max<std::size_t>(1, k));
      std::vector<std::uint32_t> next;
      for (std::uint32_t x : kept) next.push_back(slots[x]);
      for (std::size_t g = 0; g < G; ++g) {
        if (!lives(heads, g)) continue;
        Wide out = rest[g];
        for (std::uint32_t j : slots)
          if (std::find(next.begin(), next.end(), j) == next.end()) out += e[{g, j}];
        rest[g] = p.rest ? limited(out) : 0;
      }
      slots = next;
      r.survivors.push_back(slots);
    }
    softmax(digits - 1, true);
  }

  r.values = slots;
  if (cs.local_value < 100 && (!full_width || p.local_value_resident == ResidentValues::prune)) {
    std::vector<std::uint64_t> item;
    for (std::uint32_t j : slots) {
      std::uint64_t sum = 0;
      for (std::size_t g = 0; g < G; ++g) sum += r.p[g * N + j];
      item.push_back(sum);
    }
    r.values.clear();
    for (std::uint32_t x :
         largest_k(item, std::max<std::size_t>(1, slots.size() * static_cast<std::size_t>(cs.local_value) / 100)))
      r.values.push_back(slots[x]);
  }
  for (std::size_t g = 0; g < G; ++g) {
    if (!lives(heads, g)) continue;
    const bool compensated = p.compensate && !full_width;
    Wide mean = 0;  // 2^32 is 1
    if (compensated && slots.size() < N) {
      const Wide left = static_cast<Wide>(N - slots.size());
      const Wide share =
          floor_div(2 * (static_cast<Wide>(rest[g]) * (power2(52) / r.denominator[g])) + power2(20), power2(21));
      int length = 0;
      while (power2(length + 1) <= left) ++length;
      const Wide inverse = std::min<Wide>(65535, power2(length + 16) / left);
      mean = times(share, {static_cast<std::uint32_t>(inverse), length + 16});
    }
    std::vector<Wide> w;
    Wide most = 0, kept = 0;
    for (std::uint32_t j : r.values) {
      const Wide v16 = c.v16.empty() ? 65536 : c.v16[visible[j]];
      if (compensated)
        w.push_back(
            floor_div(2 * (256 * static_cast<Wide>(r.p[g * N + j]) - floor_div(2 * mean + 256, 512)) * v16 + 256, 512));
      else
        w.push_back(static_cast<Wide>(r.p[g * N + j]) * v16);
      most = std::max(most, w.back() < 0 ? -w.back() : w.back());
      kept += r.p[g * N + j];
    }
    int exponent = 0;
    while (most >= power2((compensated ? 11 : 12) + exponent) || (compensated && mean >= power2(20 + exponent)))
      ++exponent;
    for (auto& x : w) {
      x = floor_div(2 * x + power2(exponent), power2(exponent + 1));
      x = compensated ? std::max<Wide>(-2047, std::min<Wide>(2047, x)) : std::min<Wide>(4095, x);
    }
    Scale of_sum{static_cast<std::uint32_t>(0), exponent + 10 - p.v_bits};
    Wide mantissa = mean;
    while (mantissa >= 65536) mantissa /= 2, --of_sum.shift;
    of_sum.mantissa = static_cast<std::uint32_t>(mantissa);
    Scale scale = c.to_out[g];
    if (p.lazy_softmax) {
      // scale * 65536 * 16 / denominator, both factors cut to 16 bits
      Scale inverse{};
      while (power2(inverse.shift + 1) <= r.denominator[g]) ++inverse.shift;
      inverse.mantissa =
          static_cast<std::uint32_t>(std::min<Wide>(65535, power2(inverse.shift + 16) / r.denominator[g]));
      Wide product = static_cast<Wide>(scale.mantissa) * inverse.mantissa;
      int shift = scale.shift + inverse.shift - 4;
      while (product >= 65536) product /= 2, --shift;
      scale = product ? Scale{static_cast<std::uint32_t>(product), shift} : Scale{};
    }
    if (cs.local_value < 100 && p.renormalise) {
      // scale * 65536 / kept, both factors cut to 16 bits
      Scale inverse{};
      if (kept > 0) {
        inverse.shift = 0;
        while (power2(inverse.shift + 1) <= kept) ++inverse.shift;  // kept in [2^shift, 2^(shift+1))
        inverse.mantissa = static_cast<std::uint32_t>(std::min<Wide>(65535, power2(inverse.shift + 16) / kept));
      }
      Wide product = static_cast<Wide>(scale.mantissa) * inverse.mantissa;
      int shift = scale.shift + inverse.shift;
      while (product >= 65536) product /= 2, --shift;
      scale = product ? Scale{static_cast<std::uint32_t>(product), shift} : Scale{};
    }
    if (p.head_weights != HeadWeights::none) {
      // 65535 is 1; else the scale times weight / 65536, both with 16 bits in front, cut to 16.
      const Wide weight = std::llround(
          std::min(65535.0, std::floor(65536.0 * weight_of(m.shape(), layer, kv_head, g, position) + 0.5)));
      if (weight < 65535) {
        Wide leading = weight;
        int shift = scale.shift + 16;
        while (leading && leading < 32768) leading *= 2, ++shift;
        Wide product = static_cast<Wide>(scale.mantissa) * leading;
        while (product >= 65536) product /= 2, --shift;
        scale = product ? Scale{static_cast<std::uint32_t>(product), shift} : Scale{};
      }
    }
    for (std::size_t d = 0; d < D; ++d) {
      Wide sum = compensated ? times(value_sum(c, p, D, position, d), of_sum) : 0;
      for (std::size_t i = 0; i < r.values.size(); ++i) sum += w[i] * c.v[visible[r.values[i]] * D + d];
      const Wide y = times(sum, {scale.mantissa, scale.shift - exponent});
      r.out[g * D + d] = static_cast<int>(std::max<Wide>(-2047, std::min<Wide>(2047, y)));
    }
  }
  return r;
}

void bound_row(const Quantized& m, int layer, int kv_head, int position_, const std::vector<std::uint32_t>& visible,
               std::uint32_t heads, bool full_width, const GroupRow& golden, Bounds& b) {
  const HeadCodes& c = m.head(layer, kv_head);
  const Policy& p = m.policy();
  const auto D = static_cast<std::size_t>(m.shape().head_dim), G = static_cast<std::size_t>(m.shape().group());
  const std::size_t N = visible.size(), position = static_cast<std::size_t>(position_);
  const int digits = static_cast<int>(p.k_digits.size());
  constexpr double kUlp = 0x1p-20, kChord = 1.67e-5;
  // Power of two of a rounded distance: 2^-13 from rounding to 12 fraction bits, 2^-16 of it from the scale's mantissa,
  // and the chord's error on top.
  const auto relative = [&](double t) { return std::exp2(0x1p-13 + std::fabs(t) * 0x1p-16) * (1 + kChord) - 1; };

  // Which digits each pass saw and who was in it.
  std::vector<int> passes;
  std::vector<std::vector<std::uint32_t>> in(1);
  for (std::uint32_t j = 0; j < N; ++j) in[0].push_back(j);
  if (full_width || digits == 1) {
    passes = {digits - 1};
  } else if (p.select == SelectRule::none) {
    passes = {golden.refetched ? 1 : 0};
  } else {
    for (int i = 0; i < digits; ++i) passes.push_back(i);
    for (int i = 0; i + 1 < digits; ++i) in.push_back(golden.survivors[i]);
  }

  for (std::size_t g = 0; g < G; ++g) {
    if (!lives(heads, g)) continue;
    const double log2_unit = c.score_unit[g] * 1.4426950408889634;
    double rest = 0, rest_error = 0, before = 0, Z = 0, Z_error = 0;
    std::map<std::uint32_t, std::pair<double, double>> e;  // slot: value, error
    for (std::size_t pass = 0; pass < passes.size(); ++pass) {
      const bool first = pass + 1 < passes.size() && pass == 0;
      const bool pow2 = first && p.first_exp == FirstExp::pow2;
      const std::vector<std::int64_t> q = query_of(c, p, D, G, position, g, first);
      std::vector<double> s;
      for (std::uint32_t j : in[pass]) s.push_back(static_cast<double>(score(c, p, q, visible[j], passes[pass])));
      double top = s[0];
      for (double x : s) top = std::max(top, x);
      const double maximum = (top + 0.5 * static_cast<double>(half_step(p, sum_of(q), passes[pass]))) * log2_unit;
      if (rest > 0) {
        const double d = before - maximum, f = std::exp2(std::min(d, 60.0));
        rest_error = rest_error * f * (1 + relative(d)) + rest * f * relative(d) + kUlp;
        rest = rest * f;
        if (rest > 0x1p20) rest = 0x1p20;  // saturates
      }
      before = maximum;
      e.clear();
      Z = Z_error = 0;
      for (std::size_t i = 0; i < s.size(); ++i) {
        const double t = (top - s[i]) * log2_unit, x = std::exp2(-t);
        // Whole octaves: half of one from rounding, 1/32 of the distance and 2^-16 of it from the scale.
        const double error =
            x * (pow2 ? std::exp2(0.5 + t * (0x1p-5 + 0x1p-16)) - 1 : relative(std::min(t, 40.0))) + kUlp;
        e[in[pass][i]] = {x, error};
        Z += x, Z_error += error;
      }
      if (pass + 1 < passes.size() && p.rest)
        for (std::uint32_t j : in[pass])
          if (!std::binary_search(in[pass + 1].begin(), in[pass + 1].end(), j))
            rest += e[j].first, rest_error += e[j].second;
      if (rest > 0x1p20) rest = 0x1p20;
    }
    Z += rest, Z_error += rest_error;
    Z = std::min(Z, 0x1p20);
    ++b.denominators;
    const double z_error = std::fabs(static_cast<double>(golden.denominator[g]) * kUlp - Z);
    ASSERT_LE(z_error, Z_error + kUlp) << "denominator of head " << g;
    b.denominator_ratio = std::max(b.denominator_ratio, z_error / (Z_error + kUlp));

    std::map<std::uint32_t, std::pair<double, double>> prob;
    for (std::uint32_t j = 0; j < N; ++j) {
      const auto it = e.find(j);
      const double x = it == e.end() ? 0 : it->second.first, x_error = it == e.end() ? 0 : it->second.second;
      const double exact = x / Z;
      double bound = Z > Z_error ? (x_error + exact * Z_error) / (Z - Z_error) : 1;
      bound += (0.5 + 0x1p-15) / 65536;
      if (exact * 65536 + bound * 65536 > 65535) bound += 1.0 / 65536;  // 1 is 65535
      if (it == e.end()) bound = 0;
      const double error = std::fabs(golden.p[g * N + j] / 65536.0 - exact);
      ASSERT_LE(error, bound) << "probability of slot " << j << " head " << g;
      b.p_error = std::max(b.p_error, error);
      if (rest == 0) b.p_error_plain = std::max(b.p_error_plain, error);
      if (bound > 0) b.p_ratio = std::max(b.p_ratio, error / bound);
      ++b.probabilities;
      prob[j] = {exact, bound};
    }

    // Weights: half a unit under the row's exponent, a whole one where 4096 saturates.
    std::uint64_t most = 0;
    double kept = 0, kept_error = 0;
    const auto wide = [&](std::uint32_t j) {
      return static_cast<std::uint64_t>(golden.p[g * N + j]) * (c.v16.empty() ? 65536u : c.v16[visible[j]]);
    };
    for (std::uint32_t j : golden.values)
      most = std::max(most, wide(j)), kept += prob[j].first, kept_error += prob[j].second;
    double step = 1;
    while (static_cast<double>(most) >= 4096 * step) step *= 2;
    // Compensated: the mean of what was left out, and the largest exponent that the row may have.
    const bool compensated = p.compensate && !full_width;
    double mean = 0, mean_error = 0;
    if (compensated) {
      const double left = static_cast<double>(N - in.back().size());
      if (left > 0 && Z <= 2 * Z_error) {
        b.unbounded += D;
        continue;
      }
      if (left > 0) {
        mean = rest / Z / left;
        mean_error = ((rest_error + rest / Z * Z_error) / (Z - Z_error) + rest * 0x1p-32 + 0x1p-32) / left +
                     mean * 0x1p-15 + 0x1p-32;
      }
      double largest = (mean + mean_error) * 0x1p-9;  // brings the mean below 2^20
      for (std::uint32_t j : golden.values) {
        const double v16 = c.v16.empty() ? 1.0 : c.v16[visible[j]] / 65536.0;
        largest = std::max(largest, (std::fabs(golden.p[g * N + j] / 65536.0 - mean) + mean_error + 0x1p-24) * v16);
      }
      step = 1;
      while (largest * 4294967296.0 >= 2048 * step) step *= 2;
    }
    const bool renormalise = p.local_value < 1 && p.renormalise;
    for (std::size_t d = 0; d < D; ++d) {
      double y = 0, error = 0;
      for (std::uint32_t j : golden.values) {
        const double unit = c.v_unit * (c.v16.empty() ? 1.0 : c.v16[visible[j]] / 65536.0);
        const double v = c.v[visible[j] * D + d] * unit;
        const double weight = static_cast<double>(wide(j)) >= 4095 * step ? 1.0 : 0.5;
        y += (prob[j].first - mean) * v;
        error += (prob[j].second + mean_error) * std::fabs(v);
        if (compensated) {
          error += 0x1p-25 * std::fabs(v) + (step + 0x1p-1) * 0x1p-32 * std::fabs(c.v[visible[j] * D + d] * c.v_unit);
          continue;
        }
        if (step > 1) error += weight * step / 4294967296.0 * std::fabs(c.v[visible[j] * D + d] * c.v_unit);
      }
      if (compensated) {
        const double sum = c.v_unit * std::ldexp(static_cast<double>(value_sum(c, p, D, position, d)), p.v_bits - 10);
        y += mean * sum;
        error += (mean_error + mean * 0x1p-15) * std::fabs(sum) + 0.5 * step * 0x1p-32 * c.v_unit;
      }
      if (renormalise) {
        if (kept <= 2 * kept_error) {
          ++b.unbounded;
          continue;
        }
        error = (error + std::fabs(y / kept) * kept_error) / (kept - kept_error);
        y /= kept;
      }
      // Mantissas: to_out rounded to 16 bits; its product with the renormaliser, and that, cut to 16.
      error += (std::fabs(y) + error) * (renormalise ? 0x1p-16 + 0x1p-14 : 0x1p-16);
      const double unit = c.out_unit[g];
      if (unit == 0) {
        ASSERT_EQ(golden.out[g * D + d], 0);
        continue;
      }
      y = std::max(-2047.0, std::min(2047.0, y / unit));
      error = error / unit + 0.5 + 1e-6;
      const double off = std::fabs(golden.out[g * D + d] - y);
      ASSERT_LE(off, error) << "output " << d << " of head " << g;
      const double part = off * unit / (c.v_unit * ((1 << (p.v_bits - 1)) - 1));
      b.out_error = std::max(b.out_error, part);
      if (rest == 0 && !renormalise) b.out_error_plain = std::max(b.out_error_plain, part);
      b.out_ratio = std::max(b.out_ratio, off / error);
      ++b.outputs;
    }
  }
}

}  // namespace winnow::golden::test
