// Simulation speed of the whole machine with values: simulated cycles a second of one core's time (items_per_second;
// what other programs take of the core does not count), with every block as a SystemC module, and by plain calls.
// Golden runs before, untimed, where a range begins; outputs are checked by tests/sim/machine.
#include <benchmark/benchmark.h>

#include <ctime>

#include "sim/engines/prepare.h"
#include "sim/machine/systemc_machine.h"

namespace winnow {
namespace {

double core_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

enum class Kernel { systemc, plain };

void simulate(benchmark::State& state, const char* machine, const char* policy, const char* trace, IndexRange steps,
              Kernel kernel) {
  RunOptions options;
  options.machine = machine, options.policy = policy, options.trace = trace, options.steps = steps;
  const Prepared p = prepare(options);
  Cycle cycles = 0;
  double bursts = 0;
  for (auto _ : state) {
    golden::Walk walk(*p.model, *p.layout, nullptr);
    Workpiece piece{p.shape,
                    p.model->decisions(),
                    golden::build_image(*p.model, *p.layout),
                    1,
                    false,
                    p.shape.tokens_in(p.range.last_step)};
    MachineModel m(
        p.machine, std::move(piece),
        [&](ImportanceMemory& importance) {
          auto source = std::make_unique<TraceSource>(*p.model, *p.layout, walk, importance, p.range);
          source->reload();
          return source;
        },
        [](const LayerPlan&, const std::vector<GroupRecord>&, const LayerCounts&) {});
    const double begin = core_seconds();
    if (kernel == Kernel::systemc)
      run_systemc(m, p.machine.clock_ghz, {});
    else
      while (m.begin_cycle()) m.tick();
    state.SetIterationTime(core_seconds() - begin);
    cycles += m.now();
    bursts += static_cast<double>(m.parts().fetcher.reads());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(cycles));
  state.counters["cycles"] = static_cast<double>(cycles) / static_cast<double>(state.iterations());
  state.counters["bursts_a_cycle"] = bursts / static_cast<double>(cycles);
}

constexpr const char* kEncoder = "synthetic:layers=1,heads=12,head_dim=64,tokens=384,prompt=384,causal=0,seed=1";
constexpr const char* kDecoder = "synthetic:layers=1,heads=12,head_dim=64,tokens=1024,prompt=1000,causal=1,seed=1";

void compute_bound(benchmark::State& s, Kernel k) { simulate(s, "spatten", "dense", kEncoder, {}, k); }
void memory_bound(benchmark::State& s, Kernel k) { simulate(s, "spatten", "dense", kDecoder, {1, 24}, k); }
void memory_bound_eighth(benchmark::State& s, Kernel k) { simulate(s, "spatten-eighth", "dense", kDecoder, {1, 4}, k); }
void select_decode(benchmark::State& s, Kernel k) { simulate(s, "spatten", "select", kDecoder, {1, 24}, k); }

#define WINNOW_MACHINE_BENCH(what)                                                                                  \
  BENCHMARK_CAPTURE(what, systemc, Kernel::systemc)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(2); \
  BENCHMARK_CAPTURE(what, plain, Kernel::plain)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(2)

WINNOW_MACHINE_BENCH(compute_bound);
WINNOW_MACHINE_BENCH(memory_bound);
WINNOW_MACHINE_BENCH(memory_bound_eighth);
WINNOW_MACHINE_BENCH(select_decode);

}  // namespace
}  // namespace winnow
