// Mean select cycles of the top-k engine over 1,000 random inputs, both pivot rules, and the model's speed.
//   bench_topk --benchmark_filter=Select
// Counters are means a job: select (passes alone, ceil(n/P) + 3 each), load and filter apart, and reference, the figure
// of a plain random-pivot quick-select.
#include <benchmark/benchmark.h>

#include "tests/models/topk/drive.h"

namespace winnow::topk {
namespace {

constexpr unsigned kInputs = 1000;

struct Shape {
  unsigned n, k;
  double reference;
};
constexpr Shape kShapes[] = {{1024, 512, 255}, {993, 307, 240}, {307, 92, 97}, {102, 20, 46}};

std::vector<std::vector<std::uint64_t>> inputs(unsigned n) {
  test::Random random(2026);
  std::vector<std::vector<std::uint64_t>> all(kInputs, std::vector<std::uint64_t>(n));
  for (auto& v : all)
    for (auto& x : v) x = random.below(1u << 18);
  return all;
}

void Select(benchmark::State& state) {
  const Shape shape = kShapes[state.range(0)];
  const auto pivot = static_cast<PivotRule>(state.range(1));
  const Job job = state.range(2) ? Job{shape.n, Rule::mass, 62259} : Job{shape.n, Rule::count, shape.k};
  const auto all = inputs(shape.n);
  Stats stats;
  std::uint64_t cycles = 0;
  for (auto _ : state) {
    Engine engine({16, 64, 18, pivot, 1});
    test::Random random(1);
    for (const auto& items : all) cycles += test::run(engine, job, items, random).cycles;
    stats = engine.stats();
  }
  const double jobs = kInputs;
  state.counters["select"] = static_cast<double>(stats.select_cycles) / jobs;
  state.counters["passes"] = static_cast<double>(stats.passes) / jobs;
  state.counters["load"] = static_cast<double>(stats.load_cycles) / jobs;
  state.counters["filter"] = static_cast<double>(stats.filter_cycles) / jobs;
  if (!state.range(2)) {
    state.counters["reference"] = shape.reference;
    state.counters["gain"] = shape.reference * jobs / static_cast<double>(stats.select_cycles);
  }
  state.counters["cycles/s"] = benchmark::Counter(static_cast<double>(cycles), benchmark::Counter::kIsRate);
  state.SetLabel("n " + std::to_string(shape.n) + (state.range(2) ? " mass 0.95" : " k " + std::to_string(shape.k)) +
                 (pivot == PivotRule::random ? " random" : " sampled"));
}
BENCHMARK(Select)->ArgsProduct({{0, 1, 2, 3}, {0, 1}, {0, 1}})->Unit(benchmark::kMillisecond);

// An engine without a job: what it costs the machine in each of the many cycles that it waits.
void Idle(benchmark::State& state) {
  Engine engine({16, 64, 18, PivotRule::sampled, 1});
  const Inputs in;
  for (auto _ : state) {
    benchmark::DoNotOptimize(engine.comb());
    engine.tick(in);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Idle);

}  // namespace
}  // namespace winnow::topk
