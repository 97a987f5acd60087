// How far golden is from float on the shipped traces of real models: scores, probabilities, outputs; the policies side
// by side. golden/README.md carries the printed figures.
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "golden/walk.h"
#include "tests/golden/common.h"
#include "traces/trace.h"

namespace winnow::golden::test {
namespace {

const std::string kSamples = std::string(WINNOW_SOURCE_DIR) + "/traces/samples/";
const char* const kNames[] = {"smollm2-160", "minilm-128"};

FloatSource source_of(const Trace& trace) {
  FloatSource s;
  s.shape = shape_of(trace);
  s.q = [&trace](int l, int h, float* d) { trace.read_q(l, h, d); };
  s.k = [&trace](int l, int h, float* d) { trace.read_k(l, h, d); };
  s.v = [&trace](int l, int h, float* d) { trace.read_v(l, h, d); };
  return s;
}

// Of a model that was not trained for the policy, or an encoder, whose heads nobody has measured.
bool lacks_tensors(const Policy& p, const HeadTensors& t) {
  const bool by_distance = p.full_heads_by == HeadMeasure::distances;
  return (p.full_heads > 0 && (by_distance ? t.distances : t.scores).empty()) || p.masks() ||
         p.head_weights != HeadWeights::none;
}

struct Figures {
  double mean = 0, worst = 0, all = 0, p99 = 0;  // output error, fractions
  int worst_layer = 0;
  std::vector<double> by_layer;
  double kv_bytes = 0, burst_bytes = 0;                       // of decode steps
  double flat = 0, refetched = 0, survivors = 0, values = 0;  // shares, decode steps
  std::uint64_t outputs = 0;
};

Figures run(const FloatSource& source, const Reference& reference, const Policy& p) {
  const Quantized model(source, reference, p);
  const Layout layout(source.shape, p, 1024);
  Walk walk(model, layout, &reference);
  LayerResult r;
  const auto L = static_cast<std::size_t>(source.shape.layers);
  std::vector<ErrorSums> sums(L);
  std::vector<float> rows;
  Figures f;
  double row_heads = 0, groups = 0, flat = 0, refetched = 0, seen = 0, survivors = 0, values = 0;
  while (walk.next(r)) {
    ErrorSums& s = sums[static_cast<std::size_t>(r.layer)];
    s.difference += r.error.difference, s.reference += r.error.reference;
    s.difference_all += r.error.difference_all, s.reference_all += r.error.reference_all;
    rows.insert(rows.end(), r.error.rows.begin(), r.error.rows.end());
    f.outputs += r.out.size();
    if (r.step == 0) continue;
    f.kv_bytes += static_cast<double>(r.accesses.kv_useful());
    f.burst_bytes += 32.0 * static_cast<double>(r.accesses.kv_bursts());
    row_heads += static_cast<double>(r.row_heads), groups += static_cast<double>(r.row_groups);
    flat += static_cast<double>(r.flat), refetched += static_cast<double>(r.refetched);
    seen += static_cast<double>(r.keys_seen), survivors += static_cast<double>(r.survivors),
        values += static_cast<double>(r.values);
  }
  for (std::size_t l = 0; l < L; ++l) {
    const double e = std::sqrt(sums[l].difference / sums[l].reference);
    f.by_layer.push_back(e);
    f.mean += e / static_cast<double>(L);
    f.all += std::sqrt(sums[l].difference_all / sums[l].reference_all) / static_cast<double>(L);
    if (e > f.worst) f.worst = e, f.worst_layer = static_cast<int>(l);
  }
  std::sort(rows.begin(), rows.end());
  f.p99 = rows[rows.size() * 99 / 100];
  if (groups > 0)
    f.flat = flat / row_heads, f.refetched = refetched / groups, f.survivors = survivors / seen,
    f.values = values / seen;
  return f;
}

class Samples : public testing::TestWithParam<const char*> {};

// Scores, probabilities and outputs of dense 12 bit against float64 on the trace's own values.
TEST_P(Samples, DenseTwelveBitsStaysWithinHalfAPercent) {
  const Trace trace = Trace::open(kSamples + GetParam() + ".safetensors");
  const FloatSource source = source_of(trace);
  const Shape& s = source.shape;
  const Reference reference(source);
  const Policy dense = make_policy("dense");
  const Quantized model(source, reference, dense);
  Compared compared(100000);
  const auto D = static_cast<std::size_t>(s.head_dim), n = static_cast<std::size_t>(s.tokens),
             G = static_cast<std::size_t>(s.group());
  std::vector<float> q(n * D), k(n * D);
  std::vector<std::uint32_t> live(n);
  for (std::size_t t = 0; t < n; ++t) live[t] = static_cast<std::uint32_t>(t);
  Attention attention(model);
  double score2 = 0, score_most = 0, p2 = 0, p_most = 0, variation = 0, pairs = 0, rows = 0, spread2 = 0, first = 0,
         first_largest = 0, flat = 0;
  for (int layer = 0; layer < s.layers; ++layer)
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      source.k(layer, kv, k.data());
      const HeadCodes& c = model.head(layer, kv);
      std::vector<GroupRow> golden(n);
      for (std::size_t t = 0; t < n; ++t)
        attention.run(layer, kv, static_cast<int>(t), live.data(), s.causal ? static_cast<int>(t) + 1 : s.tokens,
                      (1u << G) - 1, true, golden[t]);
      for (std::size_t g = 0; g < G; ++g) {
        source.q(layer, kv * static_cast<int>(G) + static_cast<int>(g), q.data());
        for (std::size_t t = 0; t < n; ++t) {
          const std::size_t keys = s.causal ? t + 1 : n;
          std::vector<double> x(keys), off(keys);
          double top = -1e300, sum = 0, tv = 0, mean = 0, mean_off = 0;
          for (std::size_t j = 0; j < keys; ++j) {
            std::int64_t code = 0;
            for (std::size_t d = 0; d < D; ++d) {
              x[j] += static_cast<double>(q[t * D + d]) * k[j * D + d] * s.attention_scale;
              code += c.q[(t * G + g) * D + d] * c.k[j * D + d];
            }
            off[j] = static_cast<double>(code) * c.score_unit[g] - x[j];
            mean += x[j] / static_cast<double>(keys), mean_off += off[j] / static_cast<double>(keys);
            top = std::max(top, x[j]);
          }
          for (std::size_t j = 0; j < keys; ++j) {
            score2 += off[j] * off[j], score_most = std::max(score_most, std::fabs(off[j]));
            spread2 += (x[j] - mean) * (x[j] - mean);
            sum += std::exp(x[j] - top);
          }
          for (std::size_t j = 0; j < keys; ++j) {
            const double error = std::fabs(golden[t].p[g * keys + j] / 65536.0 - std::exp(x[j] - top) / sum);
            p2 += error * error, p_most = std::max(p_most, error), tv += error / 2;
          }
          first += std::exp(x[0] - top) / sum, first_largest += x[0] == top, flat += 1 / sum < 0.1;
          variation += tv, pairs += static_cast<double>(keys), rows += 1;
        }
      }
    }
  compared.add(static_cast<std::uint64_t>(2 * pairs));
  const Figures f = run(source, reference, dense);
  compared.add(f.outputs);
  std::printf("%s, dense 12 bit\n", GetParam());
  std::printf(
      "  score        rms %.4f, largest %.3f (natural-log units; scores spread by %.2f rms around a row's mean)\n",
      std::sqrt(score2 / pairs), score_most, std::sqrt(spread2 / pairs));
  std::printf("  probability  rms %.2g, largest %.4f; a row's total variation %.3f %% (mean)\n", std::sqrt(p2 / pairs),
              p_most, 100 * variation / rows);
  std::printf(
      "  output       mean over layers %.3f %%, worst layer %.3f %% (layer %d), rows' 99th percentile %.3f %%\n",
      100 * f.mean, 100 * f.worst, f.worst_layer, 100 * f.p99);
  std::printf(
      "  float: the first token has %.0f %% of all probability and is the largest of %.0f %% of rows; %.0f %% of rows "
      "have max p < 0.1\n",
      100 * first / rows, 100 * first_largest / rows, 100 * flat / rows);
  std::printf("  by layer (%%):");
  for (double e : f.by_layer) std::printf(" %.2f", 100 * e);
  std::printf("\n");
  EXPECT_LE(f.mean, 0.005);
  EXPECT_LE(f.worst, 0.0125);
  EXPECT_LE(std::sqrt(score2 / pairs), 0.02);
  EXPECT_LE(variation / rows, 0.01);
}

Policy with(Policy p, const char* name, auto&& change) {
  p.name = name;
  change(p);
  return p;
}

std::vector<Policy> table() {
  std::vector<Policy> all;
  for (const auto& entry : policies())
    if (!entry.make().codes_keys()) all.push_back(entry.make());  // the samples have no basis
  const Policy dense = make_policy("dense"), select = make_policy("select");
  const auto bits = [&](const char* name, int b, ValueScale v, KeyScale k) {
    all.push_back(with(dense, name, [&](Policy& p) { p.k_digits = {b}, p.v_bits = b, p.v_scale = v, p.k_scale = k; }));
  };
  bits("8 bit per tensor", 8, ValueScale::tensor, KeyScale::tensor);
  bits("8 bit, K channel, V token", 8, ValueScale::token, KeyScale::channel);
  bits("6 bit per tensor", 6, ValueScale::tensor, KeyScale::tensor);
  bits("6 bit, K channel, V token", 6, ValueScale::token, KeyScale::channel);
  const auto progressive = [&](const char* name, std::vector<int> digits, int v) {
    all.push_back(with(dense, name, [&](Policy& p) { p.k_digits = digits, p.v_bits = v, p.threshold = 0.1; }));
  };
  progressive("progressive 8+4, V8", {8, 4}, 8);
  progressive("progressive 6+4, V8", {6, 4}, 8);
  const auto local = [&](const char* name, bool renormalise) {
    all.push_back(with(dense, name, [&](Policy& p) {
      p.local_value = 0.3, p.renormalise = renormalise, p.local_value_resident = ResidentValues::prune;
    }));
  };
  local("local V 0.3", false);
  local("local V 0.3, renormalised", true);
  const auto cascade = [&](const char* name, int newest, ImportanceRule rule) {
    all.push_back(with(dense, name, [&](Policy& p) {
      p.tokens = tokens_from_average(0.5), p.protect_newest = newest, p.importance = rule;
    }));
  };
  cascade("cascade 0.5", 1, ImportanceRule::sum);
  cascade("cascade 0.5, newest 32", 32, ImportanceRule::sum);
  cascade("cascade 0.5, decay", 1, ImportanceRule::decay);
  cascade("cascade 0.5, normalised", 1, ImportanceRule::normalised);
  all.push_back(with(dense, "heads 0.9", [](Policy& p) { p.heads = heads_from_average(0.9); }));
  all.push_back(with(dense, "per KV head 0.5, newest 32", [](Policy& p) {
    p.tokens = tokens_from_average(0.5), p.protect_newest = 32, p.scope = ImportanceScope::kv_head;
  }));
  const auto selecting = [&](const char* name, std::vector<int> digits, MsbRule msb, std::vector<double> keep, int v,
                             bool rest, SelectRule rule = SelectRule::mass) {
    all.push_back(with(select, name, [&](Policy& p) {
      p.k_digits = digits, p.msb = msb, p.select_keep = keep, p.v_bits = v, p.rest = rest, p.select = rule;
    }));
  };
  selecting("K 4+4 mid-point, 0.97, V8", {4, 4}, MsbRule::midpoint, {0.97}, 8, true);
  selecting("K 4+4 rounded, 0.97, V8, no rest", {4, 4}, MsbRule::round, {0.97}, 8, false);
  selecting("K 4+4 count 0.25, V8, no rest", {4, 4}, MsbRule::round, {0.25}, 8, false, SelectRule::count);
  selecting("K 3+3 rounded, 0.98, V6", {3, 3}, MsbRule::round, {0.98}, 6, true);
  selecting("K 4+2 rounded, 0.97, V6", {4, 2}, MsbRule::round, {0.97}, 6, true);
  selecting("K 3+3 rounded, 0.95, V6", {3, 3}, MsbRule::round, {0.95}, 6, true);
  selecting("K 2+2+2 rounded, 0.99, 0.97, V6", {2, 2, 2}, MsbRule::round, {0.99, 0.97}, 6, true);
  selecting("K 2+2+4 rounded, 0.99, 0.97, V8", {2, 2, 4}, MsbRule::round, {0.99, 0.97}, 8, true);
  return all;
}

// Every part of every policy on real values, open loop (a pruned layer's output does not feed the next).
TEST_P(Samples, PoliciesSideBySide) {
  const Trace trace = Trace::open(kSamples + GetParam() + ".safetensors");
  const FloatSource source = source_of(trace);
  const Shape& s = source.shape;
  const Reference reference(source);
  Compared compared(100000);
  double fp32 = 0;
  for (int step = 1; step < s.steps(); ++step) fp32 += 2.0 * 4 * s.layers * s.kv_heads * s.head_dim * s.tokens_in(step);
  std::printf(
      "%s: output error in %%, mean over layers / worst layer / rows' p99 / pruned rows counted as 0; decode: K+V "
      "bytes, and the "
      "bursts that bring them, below FP32's; tokens left by selection or with V; flat query heads, refetches\n",
      GetParam());
  std::map<std::string, Figures> by_name;
  for (const Policy& p : table()) {
    if (lacks_tensors(p, *source.shape.tensors)) continue;
    const Figures f = run(source, reference, p);
    by_name[p.name] = f;
    compared.add(f.outputs);
    std::printf("  %-34s %7.2f %7.2f %7.2f %7.2f", p.name.c_str(), 100 * f.mean, 100 * f.worst, 100 * f.p99,
                100 * f.all);
    if (fp32 > 0)
      std::printf("  %5.2fx %5.2fx  %5.1f %% %5.1f %%  %5.1f %% %5.1f %%", fp32 / f.kv_bytes, fp32 / f.burst_bytes,
                  100 * f.survivors, 100 * f.values, 100 * f.flat, 100 * f.refetched);
    std::printf("\n");
  }
  // What accuracy of real models turns on, in this trace's open loop.
  const auto error = [&](const char* name) { return by_name.at(name).mean; };
  EXPECT_LT(error("dense"), 0.005);
  EXPECT_LT(error("8 bit, K channel, V token"), error("6 bit, K channel, V token"));
  EXPECT_LT(error("6 bit, K channel, V token"), error("6 bit per tensor"));
  if (s.causal) {
    EXPECT_LT(error("cascade 0.5, newest 32"), error("cascade 0.5"));
    EXPECT_LT(error("K 4+4 mid-point, 0.97, V8"), error("spatten"));
    EXPECT_GT(by_name.at("select").kv_bytes, 0);
    EXPECT_LT(by_name.at("K 3+3 rounded, 0.98, V6").kv_bytes, by_name.at("select").kv_bytes);
    EXPECT_EQ(by_name.at("dense").kv_bytes * 32, fp32 * 12);
  }
}

// A decode step's outputs against float, and against those of another policy under the same scales: relative norms over
// all decode steps of a layer, mean over layers.
struct Decode {
  double error = 0, p99 = 0, apart = 0, kept = 0, reduction = 0;
  std::vector<std::vector<std::int16_t>> out;  // a layer each, steps after one another
};
Decode decode(const FloatSource& source, const Reference& reference, const Policy& p, const Decode* against) {
  const Quantized model(source, reference, p);
  const Layout layout(source.shape, p, 1024);
  Walk walk(model, layout, &reference);
  LayerResult r;
  const Shape& s = source.shape;
  const auto L = static_cast<std::size_t>(s.layers), D = static_cast<std::size_t>(s.head_dim),
             G = static_cast<std::size_t>(s.group());
  Decode x;
  x.out.resize(L);
  std::vector<double> difference(L), norm(L);
  std::vector<float> rows;
  double seen = 0, survivors = 0, bytes = 0, fp32 = 0;
  while (walk.next(r)) {
    if (r.step == 0) continue;
    const auto l = static_cast<std::size_t>(r.layer);
    difference[l] += r.error.difference, norm[l] += r.error.reference;
    rows.insert(rows.end(), r.error.rows.begin(), r.error.rows.end());
    x.out[l].insert(x.out[l].end(), r.out.begin(), r.out.end());
    seen += static_cast<double>(r.keys_seen), survivors += static_cast<double>(r.survivors);
    bytes += static_cast<double>(r.accesses.kv_useful());
    fp32 += 8.0 * static_cast<double>(r.keys_seen) * s.head_dim;
  }
  for (std::size_t l = 0; l < L; ++l) {
    x.error += std::sqrt(difference[l] / norm[l]) / static_cast<double>(L);
    if (!against) continue;
    double apart = 0, size = 0;
    for (std::size_t i = 0; i < x.out[l].size(); ++i) {
      const std::size_t head = i / D % static_cast<std::size_t>(s.heads);
      const double unit = model.head(r.layer = static_cast<int>(l), static_cast<int>(head / G)).out_unit[head % G];
      apart += unit * unit * (x.out[l][i] - against->out[l][i]) * (x.out[l][i] - against->out[l][i]);
      size += unit * unit * against->out[l][i] * against->out[l][i];
    }
    x.apart += std::sqrt(apart / size) / static_cast<double>(L);
  }
  std::sort(rows.begin(), rows.end());
  x.p99 = rows[rows.size() * 99 / 100], x.kept = survivors / seen, x.reduction = fp32 / bytes;
  return x;
}

TEST(FirstPass, CrudeBesideExact) {
  const Trace trace = Trace::open(kSamples + "smollm2-160.safetensors");
  const FloatSource source = source_of(trace);
  const Reference reference(source);
  Compared compared(100000);
  std::printf(
      "smollm2-160, decode steps: output error against float, rows' p99, distance from the exact first pass; kept, K+V "
      "bytes below FP32's\n");
  struct Rule {
    const char* name;
    std::vector<int> digits;
    double mass;
    int v_bits;
  };
  for (const Rule& rule : {Rule{"K 4+4, 0.97, V8", {4, 4}, 0.97, 8}, Rule{"K 4+4, 0.95, V6", {4, 4}, 0.95, 6}}) {
    const auto policy = [&](int bits, FirstExp e, bool compensate) {
      Policy p = make_policy("select");
      p.k_digits = rule.digits, p.select_keep = {rule.mass}, p.v_bits = rule.v_bits;
      p.first_q_bits = bits, p.first_exp = e, p.compensate = compensate;
      return p;
    };
    std::map<std::tuple<bool, bool, int>, Decode> all;
    for (const bool compensate : {false, true}) {
      const Decode exact = decode(source, reference, policy(12, FirstExp::exact, compensate), nullptr);
      for (const bool pow2 : {false, true})
        for (int bits : {12, 8, 6, 5, 4}) {
          const Decode d =
              decode(source, reference, policy(bits, pow2 ? FirstExp::pow2 : FirstExp::exact, compensate), &exact);
          for (const auto& layer : d.out) compared.add(layer.size());
          std::printf("  %s, q %2d, %-5s, %-11s  %6.3f %% %6.2f %%  %6.3f %%  %5.1f %%  %5.2fx\n", rule.name, bits,
                      pow2 ? "pow2" : "exact", compensate ? "compensated" : "", 100 * d.error, 100 * d.p99,
                      100 * d.apart, 100 * d.kept, d.reduction);
          all[{compensate, pow2, bits}] = d;
        }
      const auto error = [&](bool pow2, int bits) { return all.at({compensate, pow2, bits}).error; };
      EXPECT_EQ((all.at({compensate, false, 12}).apart), 0);
      EXPECT_LT(error(false, 8), exact.error * 1.02);
      EXPECT_LT(error(true, 8), exact.error * 1.05);
      EXPECT_GT(error(false, 4), error(false, 8));
    }
    for (const bool pow2 : {false, true})
      for (int bits : {12, 8, 6, 5, 4})
        EXPECT_LT((all.at({true, pow2, bits}).error), (all.at({false, pow2, bits}).error)) << "compensation must help";
  }
}

// An encoder selects nothing, so the options change no bit there.
TEST(FirstPass, AnEncoderSelectsNothing) {
  const Trace trace = Trace::open(kSamples + "minilm-128.safetensors");
  const FloatSource source = source_of(trace);
  const Reference reference(source);
  Compared compared(100000);
  Policy plain = make_policy("select"), crude = plain;
  crude.first_q_bits = 4, crude.first_exp = FirstExp::pow2, crude.compensate = true;
  const Quantized a(source, reference, plain), b(source, reference, crude);
  const Layout la(source.shape, plain, 1024), lb(source.shape, crude, 1024);
  Walk wa(a, la, nullptr), wb(b, lb, nullptr);
  LayerResult ra, rb;
  while (wa.next(ra)) {
    ASSERT_TRUE(wb.next(rb));
    ASSERT_EQ(ra.out, rb.out);
    ASSERT_EQ(ra.accesses.useful, rb.accesses.useful);
    compared.add(ra.out.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Real, Samples, testing::ValuesIn(kNames), [](const auto& info) {
  return std::string(info.param).substr(0, std::string(info.param).find('-'));
});

}  // namespace
}  // namespace winnow::golden::test
