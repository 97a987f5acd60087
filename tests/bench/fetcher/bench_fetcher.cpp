// Cost of the memory side's timing cores in host time.
//   bench_fetcher
// FetchConvert: fetcher and converter load 1,024 tokens of K, then of V, D 64, over and over, full size (32 lanes, 16
// channels). `ideal` is a memory that answers a burst a channel and cycle after 20 cycles (its own cost is in),
// `hbm2` the real one. kcycles/s and bursts/s are host speed, bursts/cycle the simulated rate.
#include <benchmark/benchmark.h>

#include <cstring>

#include "models/converter/converter.h"
#include "models/converter/unpack.h"
#include "models/dram/memory.h"
#include "models/fetcher/fetcher.h"
#include "models/writeback/writeback.h"
#include "tests/support/fetch_side.h"

namespace winnow {
namespace {

constexpr std::size_t kImage = 4 << 20;

class IdealMemory {
 public:
  explicit IdealMemory(int channels) : image_(kImage) {
    for (int c = 0; c < channels; ++c) channels_.push_back(std::make_unique<Channel>());
    for (std::size_t i = 0; i < kImage; ++i) image_[i] = static_cast<std::uint8_t>(i * 37 >> 3);
  }
  MemoryPorts ports() {
    MemoryPorts p;
    for (auto& c : channels_) p.requests.push_back(&c->in), p.returns.push_back(&c->out);
    return p;
  }
  void tick(Cycle now) {
    for (auto& c : channels_) {
      if (c->head != c->tail && c->delay[c->head % 64].due <= now && c->out.can_push(now)) {
        const Entry& e = c->delay[c->head++ % 64];
        dram::Return& r = c->out.push(now);
        r.address = e.address;
        r.tag = e.tag;
        std::memcpy(r.data.data(), &image_[e.address], kBurstBytes);
      }
      if (c->in.can_pop(now) && c->tail - c->head < 64) {
        const dram::Request& r = c->in.peek();
        c->delay[c->tail++ % 64] = Entry{now + 20, r.address, r.tag};
        c->in.pop(now);
      }
    }
  }

 private:
  struct Entry {
    Cycle due;
    std::uint64_t address;
    std::uint32_t tag;
  };
  struct Channel {
    Fifo<dram::Request> in{4};
    Fifo<dram::Return> out{16};
    Entry delay[64];
    std::uint64_t head = 0, tail = 0;
  };
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::uint8_t> image_;
};

struct RealMemory {
  dram::Memory memory;
  explicit RealMemory(int channels) : memory(config(channels), std::vector<std::uint8_t>(kImage, 0x5a)) {}
  static dram::MemoryConfig config(int channels) {
    dram::MemoryConfig c;
    c.channels = channels;
    return c;
  }
  MemoryPorts ports() { return ports_of(memory); }
  void tick(Cycle now) { memory.tick(now); }
};

FetchJob job(Stream stream, int key_bits, int value_bits, std::uint32_t items, std::uint64_t base) {
  FetchJob j;
  j.stream = stream;
  j.key_bits = static_cast<std::uint8_t>(key_bits), j.value_bits = static_cast<std::uint8_t>(value_bits);
  j.words = 64, j.items = items, j.base = base;
  j.item_bytes = j.stride_bytes = static_cast<std::uint32_t>((key_bits + value_bits) * 8);
  return j;
}

// range(0): bits of a word; range(1): 0 streams of K and V, 1 records of both.
template <class Memory>
void FetchConvert(benchmark::State& state) {
  const int bits = static_cast<int>(state.range(0));
  const bool records = state.range(1);
  Memory memory(16);
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  test::FetchSide side({}, {}, jobs, writes, memory.ports());
  Fetcher& fetcher = side.fetcher;
  KvBuffer key({"key_buffer", "key buffer", "", ""}, 2, 1024, 64, 8),
      value({"value_buffer", "value buffer", "", ""}, 2, 1024, 64, 8);
  ScaleStore scales(2, 1024);
  ValueSums sums(2, 64);
  QueryRegisters queries(16, 64);
  HeadConstants constants(1, 1);
  Converter converter({}, side.lists, side.started, side.data, {key, value, scales, sums, queries, constants});
  std::uint64_t sent = 0;
  Cycle now = 0;
  for (int h = 0; h < 2; ++h) key.begin(h, 1024, 0), value.begin(h, 1024, 0);
  for (auto _ : state) {
    for (Cycle end = now + 1000; now < end; ++now) {
      if (jobs.can_push(now)) {
        FetchJob j = records    ? job(Stream::record, bits, bits, 1024, sent % 8 * (256 << 10))
                     : sent % 2 ? job(Stream::value, 0, bits, 1024, sent % 16 * (128 << 10))
                                : job(Stream::key, bits, 0, 1024, sent % 16 * (128 << 10));
        j.half = static_cast<std::uint8_t>((records ? sent : sent / 2) % 2);
        jobs.push(now, j);
        ++sent;
      }
      memory.tick(now);
      fetcher.tick(now);
      converter.tick(now);
      for (int h = 0; h < 2; ++h) {
        if (key.loaded(h, now)) key.begin(h, 1024, now);
        if (value.loaded(h, now)) value.begin(h, 1024, now);
      }
    }
  }
  const auto cycles = static_cast<double>(now), bursts = static_cast<double>(converter.bursts());
  state.counters["kcycles/s"] = benchmark::Counter(cycles / 1000, benchmark::Counter::kIsRate);
  state.counters["bursts/s"] = benchmark::Counter(bursts, benchmark::Counter::kIsRate);
  state.counters["bursts/cycle"] = bursts / cycles;
  state.counters["vectors/cycle"] = static_cast<double>(converter.vectors()) / cycles;
}
void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"bits", "records"})->Unit(benchmark::kMicrosecond);
  b->Args({12, 0})->Args({8, 0})->Args({4, 0})->Args({12, 1})->Args({6, 1});
}
BENCHMARK(FetchConvert<IdealMemory>)->Apply(shapes)->Name("FetchConvert/ideal");
BENCHMARK(FetchConvert<RealMemory>)->Apply(shapes)->Name("FetchConvert/hbm2");

// Nothing to do: what an idle cycle of all the blocks here costs.
void Idle(benchmark::State& state) {
  IdealMemory memory(16);
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  Fifo<OutputVector> outputs(2);
  test::FetchSide side({}, {}, jobs, writes, memory.ports());
  Fetcher& fetcher = side.fetcher;
  KvBuffer key({"key_buffer", "key buffer", "", ""}, 2, 1024, 64, 8),
      value({"value_buffer", "value buffer", "", ""}, 2, 1024, 64, 8);
  ScaleStore scales(2, 1024);
  ValueSums sums(2, 64);
  QueryRegisters queries(16, 64);
  HeadConstants constants(1, 1);
  Converter converter({}, side.lists, side.started, side.data, {key, value, scales, sums, queries, constants});
  WriteBack writeback(outputs, writes);
  Cycle now = 0;
  for (auto _ : state) {
    fetcher.tick(now);
    converter.tick(now);
    writeback.tick(now);
    ++now;
    benchmark::ClobberMemory();
  }
}
BENCHMARK(Idle);

void IdealMemoryAlone(benchmark::State& state) {
  IdealMemory memory(16);
  auto ports = memory.ports();
  Cycle now = 0;
  for (auto _ : state) {
    for (std::size_t c = 0; c < 16; ++c) {
      if (ports.requests[c]->can_push(now)) {
        dram::Request& r = ports.requests[c]->push(now);
        r.address = now * 512 % kImage + c * 32;
        r.tag = 0;
      }
      if (ports.returns[c]->can_pop(now)) ports.returns[c]->pop(now);
    }
    memory.tick(now++);
  }
}
BENCHMARK(IdealMemoryAlone);

void Unpack(benchmark::State& state) {
  const int bits = static_cast<int>(state.range(0));
  std::vector<std::uint8_t> bytes(96 + 16, 0x5a);
  std::int16_t out[64];
  for (auto _ : state) {
    converter::unpack(bytes.data(), bits, true, 64, out);
    benchmark::DoNotOptimize(out);
    benchmark::ClobberMemory();
  }
  state.counters["words/s"] = benchmark::Counter(64, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Unpack)->Arg(2)->Arg(4)->Arg(8)->Arg(11)->Arg(12);

}  // namespace
}  // namespace winnow
