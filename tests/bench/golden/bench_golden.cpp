// Golden's speed on the shape of SmolLM2-135M: 9 query heads over 3 KV heads, D 64, 1,024 tokens. A row is one query
// position of one query head.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>

#include "golden/walk.h"
#include "traces/synthetic.h"

namespace winnow::golden {
namespace {

struct Model {
  Trace trace;
  FloatSource source;
  std::unique_ptr<Reference> reference;
  explicit Model(int prompt) {
    SyntheticSpec s;
    s.layers = 1, s.heads = 9, s.kv_heads = 3, s.head_dim = 64, s.tokens = 1024, s.prompt = prompt, s.causal = true;
    trace = make_synthetic(s);
    source.shape = shape_of(trace);
    source.q = [this](int l, int h, float* d) { trace.read_q(l, h, d); };
    source.k = [this](int l, int h, float* d) { trace.read_k(l, h, d); };
    source.v = [this](int l, int h, float* d) { trace.read_v(l, h, d); };
    reference = std::make_unique<Reference>(source);
  }
};

Model& model(int prompt) {
  static std::map<int, std::unique_ptr<Model>> all;
  auto& m = all[prompt];
  if (!m) m = std::make_unique<Model>(prompt);
  return *m;
}

Policy policy(std::int64_t index) { return policies()[static_cast<std::size_t>(index)].make(); }

// A whole prompt of 1,024 tokens, one layer.
void Prefill(benchmark::State& state) {
  const Model& m = model(1024);
  const Policy p = policy(state.range(0));
  const Quantized quantized(m.source, *m.reference, p);
  const Layout layout(m.source.shape, p, 1024);
  std::uint64_t rows = 0, sum = 0;
  for (auto _ : state) {
    Walk walk(quantized, layout, nullptr);
    LayerResult r;
    while (walk.next(r)) rows += r.row_heads, sum += r.importance[0];
  }
  benchmark::DoNotOptimize(sum);
  state.SetLabel(p.name);
  state.counters["rows"] = benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsRate);
  state.counters["layers"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(Prefill)->DenseRange(0, 3)->Unit(benchmark::kMillisecond);

// One query over about 1,000 tokens.
void Decode(benchmark::State& state) {
  const Model& m = model(992);
  const Policy p = policy(state.range(0));
  const Quantized quantized(m.source, *m.reference, p);
  Attention attention(quantized);
  std::vector<std::uint32_t> live(1024);
  for (std::uint32_t t = 0; t < 1024; ++t) live[t] = t;
  GroupRow row;
  std::uint64_t rows = 0, sum = 0;
  for (auto _ : state)
    for (int kv = 0; kv < 3; ++kv) {
      const int position = 992 + static_cast<int>(rows % 32);
      attention.run(0, kv, position, live.data(), position + 1, 7, false, row);
      rows += 3, sum += row.p[0];
    }
  benchmark::DoNotOptimize(sum);
  state.SetLabel(p.name);
  state.counters["rows"] = benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsRate);
}
BENCHMARK(Decode)->DenseRange(0, 3)->Unit(benchmark::kMicrosecond);

// The float reference of one layer.
void FloatReference(benchmark::State& state) {
  const Model& m = model(1024);
  double sum = 0;
  for (auto _ : state) sum += Reference(m.source).prompt_max(0, 0);
  benchmark::DoNotOptimize(sum);
  state.counters["rows"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * 9 * 1024, benchmark::Counter::kIsRate);
  state.counters["layers"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(FloatReference)->Unit(benchmark::kMillisecond);

// Quantizing one layer for a policy.
void Quantizing(benchmark::State& state) {
  const Model& m = model(1024);
  const Policy p = policy(state.range(0));
  std::int64_t sum = 0;
  for (auto _ : state) sum += Quantized(m.source, *m.reference, p).head(0, 0).k[0];
  benchmark::DoNotOptimize(sum);
  state.SetLabel(p.name);
}
BENCHMARK(Quantizing)->Arg(0)->Arg(3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace winnow::golden
