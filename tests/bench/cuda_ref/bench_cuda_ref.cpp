// A 1,024-token trace (992 prompt, 32 generated; 9 query heads over 3 KV heads, D 64): golden on one core, the kernels
// on the GPU. Quantizing is part of both; reading the floats and the float reference are part of neither.
#include <benchmark/benchmark.h>

#include "cuda_ref/walk.h"
#include "golden/quant.h"
#include "golden/reference.h"
#include "traces/synthetic.h"

namespace winnow {
namespace {

const Trace& trace() {
  static const Trace one =
      Trace::open("synthetic:layers=2,heads=9,kv_heads=3,head_dim=64,tokens=1024,prompt=992,causal=1,seed=1");
  return one;
}
golden::FloatSource source() {
  golden::FloatSource s;
  s.shape = shape_of(trace());
  s.q = [](int layer, int head, float* dst) { trace().read_q(layer, head, dst); };
  s.k = [](int layer, int head, float* dst) { trace().read_k(layer, head, dst); };
  s.v = [](int layer, int head, float* dst) { trace().read_v(layer, head, dst); };
  return s;
}

const char* const kPolicies[] = {"dense", "spatten", "select"};

void golden_walk(benchmark::State& state) {
  const golden::Policy policy = golden::make_policy(kPolicies[state.range(0)]);
  static const golden::Reference reference(source());
  const golden::Layout layout(source().shape, policy, 1024);
  for (auto _ : state) {
    const golden::Quantized model(source(), reference, policy);
    golden::Walk walk(model, layout, nullptr);
    golden::LayerResult r;
    while (walk.next(r)) benchmark::DoNotOptimize(r.out.data());
  }
  state.SetLabel(kPolicies[state.range(0)]);
}

void cuda_walk(benchmark::State& state) {
  std::string why;
  if (cuda_ref::gpu_name(&why).empty()) {
    state.SkipWithError(("skipped: no GPU (" + why + ")").c_str());
    return;
  }
  const golden::Policy policy = golden::make_policy(kPolicies[state.range(0)]);
  static const auto model = cuda_ref::load(cuda_ref::Backend::gpu, source());
  const golden::Layout layout(source().shape, policy, 1024);
  for (auto _ : state) {
    const auto walk = model->walk(policy, layout);
    golden::LayerResult r;
    while (walk->next(r)) benchmark::DoNotOptimize(r.out.data());
  }
  state.SetLabel(std::string(kPolicies[state.range(0)]) + ", " + cuda_ref::describe(cuda_ref::Backend::gpu));
}

BENCHMARK(golden_walk)->DenseRange(0, 2)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);
BENCHMARK(cuda_walk)->DenseRange(0, 2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace winnow
