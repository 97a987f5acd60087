// Bursts a second of the HBM2 model: one channel under a stream, all 16 channels as the machine runs them
// (one request a channel and cycle, returns popped every cycle), and channels with nothing to do.
#include <benchmark/benchmark.h>

#include <vector>

#include "models/dram/driver.h"
#include "models/dram/memory.h"

namespace winnow::dram {
namespace {

enum Kind { sequential, random_rows, gather, mixed };

// 100,000 bursts; gather: 96 B records, every fourth taken.
RequestStream make_stream(Kind kind) {
  RequestStream s;
  std::uint64_t x = 1;
  const auto random = [&x] { return (x = x * 6364136223846793005ULL + 1442695040888963407ULL) >> 32; };
  while (s.bursts.size() < 100'000) {
    const std::uint64_t i = s.requests;
    if (kind == sequential) s.add(false, i * 32, 32);
    if (kind == random_rows) s.add(false, random() % (1 << 23) * 32, 32);
    if (kind == gather) s.add(false, (i * 4 + random() % 4) * 96, 96);
    if (kind == mixed) s.add(i / 64 % 4 == 3, (i / 64 % 4 << 26) + i / 256 * 2048 + i % 64 * 32, 32);
  }
  return s;
}

void one_channel(benchmark::State& state) {
  const Spec& spec = default_spec();
  const RequestStream stream = make_stream(static_cast<Kind>(state.range(0)));
  DriverConfig config;
  config.controller = spec.controller(state.range(1) == 2 ? "ch" : "pc");
  std::uint64_t cycles = 0, bursts = 0;
  for (auto _ : state) {
    const DriverResult r = drive(spec, config, stream);
    cycles += r.cycles;
    bursts += r.bursts;
  }
  state.counters["bursts/s"] = benchmark::Counter(static_cast<double>(bursts), benchmark::Counter::kIsRate);
  state.counters["cycles/s"] = benchmark::Counter(static_cast<double>(cycles), benchmark::Counter::kIsRate);
  state.counters["bursts/cycle"] = static_cast<double>(bursts) / static_cast<double>(cycles);
}
BENCHMARK(one_channel)
    ->ArgNames({"stream", "pseudo"})
    ->ArgsProduct({{sequential, random_rows, gather, mixed}, {1, 2}})
    ->Unit(benchmark::kMillisecond);

// Sequential addresses over all channels; `random` takes rows at random instead.
void all_channels(benchmark::State& state) {
  const int channels = static_cast<int>(state.range(0));
  const bool random = state.range(1) != 0;
  MemoryConfig config;
  config.channels = channels;
  constexpr std::uint64_t kImage = 64 << 20;
  Memory memory(config, std::vector<std::uint8_t>(kImage));
  std::vector<std::uint64_t> next(static_cast<std::size_t>(channels));
  std::uint64_t x = 1, bursts = 0, sum = 0;
  Cycle now = 0;
  const std::uint64_t lines = kImage / 32 / static_cast<std::uint64_t>(channels);
  for (auto _ : state)
    for (int k = 0; k < 10'000; ++k, ++now) {
      for (int c = 0; c < channels; ++c) {
        auto& in = memory.requests(c);
        auto& out = memory.returns(c);
        if (in.can_push(now)) {
          std::uint64_t& line = next[static_cast<std::size_t>(c)];
          line = random ? (x = x * 6364136223846793005ULL + 1442695040888963407ULL) >> 32 : line + 1;
          Request& r = in.push(now);
          r.address = (line % lines * static_cast<std::uint64_t>(channels) + static_cast<std::uint64_t>(c)) * 32;
          r.write = false;
        }
        if (out.can_pop(now)) {
          sum += out.peek().data[0] + 1;
          out.pop(now);
          ++bursts;
        }
      }
      memory.tick(now);
    }
  benchmark::DoNotOptimize(sum);
  state.counters["bursts/s"] = benchmark::Counter(static_cast<double>(bursts), benchmark::Counter::kIsRate);
  state.counters["cycles/s"] = benchmark::Counter(static_cast<double>(now), benchmark::Counter::kIsRate);
  state.counters["bursts/cycle"] = static_cast<double>(bursts) / static_cast<double>(now);
}
BENCHMARK(all_channels)
    ->ArgNames({"channels", "random"})
    ->Args({2, 0})
    ->Args({16, 0})
    ->Args({16, 1})
    ->Unit(benchmark::kMillisecond);

void idle_channels(benchmark::State& state) {
  MemoryConfig config;
  Memory memory(config);
  Cycle now = 0;
  for (auto _ : state)
    for (int k = 0; k < 100'000; ++k) memory.tick(now++);
  state.counters["cycles/s"] = benchmark::Counter(static_cast<double>(now), benchmark::Counter::kIsRate);
}
BENCHMARK(idle_channels)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace winnow::dram
