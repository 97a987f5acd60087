// Words in the buffers against the memory image, over random jobs, lists, widths and machines; cycles in every
// order of evaluation; rates and stalls of the contract.
#include "golden/error.h"
#include "golden/layout.h"
#include "tests/models/converter/machine.h"

namespace winnow::test {
namespace {

constexpr std::size_t kImage = 1 << 18;

MachineCase random_case(std::uint64_t seed) {
  Random random(seed * 31 + 5);
  MachineCase c;
  const int lanes[] = {4, 8, 16, 32}, channels[] = {1, 2, 16}, interleaves[] = {32, 64, 256, 1024, 2048};
  const int dims[] = {8, 24, 32, 64, 64, 64, 96, 128, 256}, banks[] = {1, 2, 3, 6, 8, 16, 32};
  const unsigned chance[] = {100, 40, 10};
  const auto depth = [&](int places) { return static_cast<int>(2 + random.below(static_cast<unsigned>(places))); };
  c.fetcher.lanes = random.pick(lanes);
  c.grid.channels = random.pick(channels), c.grid.interleave_bytes = random.pick(interleaves);
  c.fetcher.address_fifo = depth(63), c.fetcher.data_fifo = depth(63);
  c.jobs_ahead = depth(8);
  c.converter = {random.pick(dims), random.pick(banks), static_cast<int>(1 + random.below(32)), 12};
  c.query_entries = static_cast<int>(1 + random.below(8));
  c.offer = random.pick(chance), c.begin = random.pick(chance), c.read = random.pick(chance);
  c.seed = seed;
  return c;
}

MachineResult run_fake(const MachineCase& c, const std::array<int, 4>& order) {
  Random random(c.seed + 77);
  const unsigned latency[] = {0, 10, 100}, accept[] = {100, 70, 25};
  FakeMemory memory(c.grid.channels, c.grid.interleave_bytes, random.pick(latency), random.pick(accept),
                    random_image(kImage, c.seed), c.seed);
  return Machine<FakeMemory>(c, memory, memory.ports(), kImage).run(order);
}

TEST(Converter, EveryWordOfRandomJobsOverRandomMachines) {
  MachineResult sum;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const MachineResult r = run_fake(random_case(seed), {0, 1, 2, 3});
    sum.words += r.words, sum.bursts += r.bursts, sum.shared += r.shared, sum.conflicts += r.conflicts;
    sum.early += r.early, sum.cycles += r.cycles, sum.shape_only += r.shape_only;
    if (HasFailure()) break;
  }
  std::cout << sum.words << " words compared, " << sum.bursts << " bursts, " << sum.shared << " shared, "
            << sum.conflicts << " bank conflicts, " << sum.early << " jobs sent before their target was armed, "
            << sum.shape_only << " shape-only jobs, " << sum.cycles << " cycles\n";
  EXPECT_GT(sum.words, 5'000'000u);
  EXPECT_GT(sum.conflicts, 1000u);
  EXPECT_GT(sum.early, 100u);
  EXPECT_GT(sum.shape_only, 20u);
}

TEST(Converter, SameCyclesInEveryOrderOfEvaluation) {
  std::uint64_t compared = 0, runs = 0;
  for (std::uint64_t seed = 200; seed < 206; ++seed) {
    const MachineResult first = run_fake(random_case(seed), {0, 1, 2, 3});
    std::array<int, 4> order{0, 1, 2, 3};
    while (std::next_permutation(order.begin(), order.end())) {
      const MachineResult other = run_fake(random_case(seed), order);
      EXPECT_EQ(first.cycles, other.cycles) << "seed " << seed;
      EXPECT_TRUE(first == other) << "seed " << seed;
      compared += other.words;
      ++runs;
    }
  }
  std::cout << runs << " runs of one cycle count each compared, with " << compared << " words\n";
  EXPECT_EQ(runs, 6u * 23);
}

TEST(Converter, OverTheRealMemory) {
  struct Real {
    dram::Memory memory;
    void tick(Cycle now) { memory.tick(now); }
    const std::vector<std::uint8_t>& image() const { return memory.image(); }
  };
  MachineResult sum;
  for (std::uint64_t seed = 300; seed < 330; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const MachineCase c = random_case(seed);
    dram::MemoryConfig config;
    config.channels = c.grid.channels;
    config.interleave_bytes = c.grid.interleave_bytes;
    Real real{dram::Memory(config, random_image(kImage, seed))};
    const MachineResult r = Machine<Real>(c, real, ports_of(real.memory), kImage).run({0, 1, 2, 3});
    sum.words += r.words, sum.bursts += r.bursts, sum.cycles += r.cycles;
    EXPECT_EQ(real.memory.statistics().reads_returned, r.bursts);
  }
  std::cout << sum.words << " words compared, " << sum.bursts << " bursts in " << sum.cycles << " cycles\n";
  EXPECT_GT(sum.words, 1'000'000u);
}

// Converter alone behind data FIFOs that are filled by hand: times of the contract.
struct Bare {
  explicit Bare(int banks = 8)
      : data(32, 64),
        queue(8),
        key({"key_buffer", "key buffer", "", ""}, 2, 1024, 64, banks),
        value({"value_buffer", "value buffer", "", ""}, 2, 1024, 64, banks),
        scales(2, 1024),
        queries(16, 64),
        converter({64, banks, 32, 12}, lists, queue, data, {key, value, scales, sums, queries, constants}) {}
  // The job's bursts, random, all there at cycle `now`.
  void fill(const FetchJob& job, Cycle now) {
    OwnedJob o{job, {}};
    const Expected e = expected_bursts(o, 32);
    queue.push(now, job);
    queue.add(e.bursts);
    for (int l = 0; l < 32; ++l)
      for (std::size_t i = 0; i < e.lane[static_cast<std::size_t>(l)].size(); ++i)
        data.write(l, data.reserve(l), next_burst(), now);
  }
  Burst next_burst() {
    Burst b;
    for (auto& byte : b) byte = static_cast<std::uint8_t>(random.next() >> 20);
    return b;
  }
  Random random{1};
  Lists lists{1};
  DataFifos data;
  StartedJobs queue;
  KvBuffer key, value;
  ScaleStore scales;
  ValueSums sums{2, 64};
  QueryRegisters queries;
  HeadConstants constants{9, 2};
  Converter converter;
};

FetchJob key_job(std::uint32_t items, int bits) {
  FetchJob j;
  j.key_bits = static_cast<std::uint8_t>(bits), j.words = 64, j.items = items;
  j.item_bytes = j.stride_bytes = static_cast<std::uint32_t>(bits * 8);
  return j;
}

TEST(Converter, ArrayWidthOfVectorsACycle) {
  int compared = 0;
  for (int bits = 2; bits <= 12; ++bits, ++compared) {
    Bare b;
    const FetchJob j = key_job(512, bits);  // at most 1,536 of the lanes' 2,048 bursts
    b.key.begin(0, j.items, 0);
    b.fill(j, 0);
    Cycle now = 1;
    for (; !b.key.loaded(0, now); ++now) b.converter.tick(now);
    // Bursts taken in 1, first vectors in 2, the last in 65, there in 66.
    EXPECT_EQ(now, 1u + 1 + 64) << bits << " bits";
  }
  std::cout << compared << " loads compared\n";
}

// A layer's scales: a burst of them a cycle, to the place that the job names, and readable once all are there.
TEST(Converter, DescriptorsGoToTheirPlace) {
  Bare b;
  b.constants.take(true);
  const std::uint16_t place = b.constants.take(true);
  const ConstantsRef first = b.constants.at(place, 0);
  FetchJob j;
  j.stream = Stream::descriptor, j.half = static_cast<std::uint8_t>(place), j.words = 1, j.items = 9;
  j.item_bytes = j.stride_bytes = 8;
  std::array<Burst, 3> bursts{};
  for (int h = 0; h < 9; ++h)
    golden::put_descriptor(
        &bursts[static_cast<std::size_t>(h / 4)][static_cast<std::size_t>(8 * (h % 4))],
        {{40000u + static_cast<unsigned>(h), 20 - 10 * h}, {50000u, h}, static_cast<std::uint16_t>(9 + h)});
  b.queue.push(0, j);
  b.queue.add(3);
  for (int lane = 0; lane < 3; ++lane)
    b.data.write(lane, b.data.reserve(lane), bursts[static_cast<std::size_t>(lane)], 0);
  EXPECT_THROW(b.constants.of(first), std::logic_error);
  Cycle now = 1;
  for (; !b.constants.loaded(first, now) && now < 50; ++now) b.converter.tick(now);
  // Taken in 1, words in 2 to 4, there in 5.
  EXPECT_EQ(now, 5u);
  for (int h = 0; h < 9; ++h) {
    const golden::Descriptor& d = b.constants.of(b.constants.at(place, h));
    EXPECT_EQ(d.to_log2.mantissa, 40000u + static_cast<unsigned>(h));
    EXPECT_EQ(d.to_log2.shift, 20 - 10 * h);
    EXPECT_EQ(d.to_out.mantissa, 50000u);
    EXPECT_EQ(d.to_out.shift, h);
    EXPECT_EQ(d.out16, 9 + h);
  }
}

// Each stage puts the same load off by a cycle; the array's width a cycle stays.
TEST(Converter, StagesAreLatencyAlone) {
  for (int latency : {1, 3, 4, 9}) {
    Bare b;
    Converter converter({64, 8, 16, 12, latency}, b.lists, b.queue, b.data,
                        {b.key, b.value, b.scales, b.sums, b.queries, b.constants});
    FetchJob scales;
    scales.stream = Stream::value_scale, scales.half = 0, scales.words = 1, scales.items = 160;
    scales.item_bytes = scales.stride_bytes = 2;
    b.key.begin(0, 64, 0);
    b.key.begin(1, 64, 0);
    b.scales.begin(0, 160, 0);
    FetchJob second = key_job(64, 12);
    second.half = 1;
    b.fill(key_job(64, 12), 0);
    b.fill(second, 1);
    b.fill(scales, 2);
    Cycle now = 3, first = 0, both = 0;
    for (; !b.scales.loaded(0, now); ++now) {
      if (!first && b.key.loaded(0, now)) first = now;
      if (!both && b.key.loaded(1, now)) both = now;
      converter.tick(now);
    }
    EXPECT_EQ(first, 3u + 8 + static_cast<Cycle>(latency));
    EXPECT_EQ(both, first + 8);
    EXPECT_EQ(now, both + 10);  // 16 scales a cycle
  }
  std::cout << "12 times compared\n";
}

TEST(Converter, JobsFollowWithoutABubble) {
  Bare b;
  b.key.begin(0, 64, 0);
  b.key.begin(1, 64, 0);
  FetchJob second = key_job(64, 12);
  second.half = 1;
  b.fill(key_job(64, 12), 0);
  b.fill(second, 1);
  Cycle now = 2, first = 0;
  for (; !b.key.loaded(1, now); ++now) {
    if (!first && b.key.loaded(0, now)) first = now;
    b.converter.tick(now);
  }
  EXPECT_EQ(first, 3u + 8);
  EXPECT_EQ(now, first + 8);  // eight vectors in each cycle in between
  EXPECT_EQ(b.converter.jobs_done(now), 2u);
  std::cout << "3 times compared\n";
}

TEST(Converter, RecordsOfOneBankWaitForEachOther) {
  Bare b;
  FetchJob j;
  j.stream = Stream::record;
  j.key_bits = 2, j.value_bits = 2, j.words = 64, j.items = 32, j.item_bytes = j.stride_bytes = 32;
  b.key.begin(0, 32, 0);
  b.value.begin(0, 32, 0);
  b.fill(j, 0);
  Cycle now = 1;
  std::vector<std::uint64_t> delivered;
  for (; !b.key.loaded(0, now); ++now) {
    b.converter.tick(now);
    delivered.push_back(b.key.vector_writes());
  }
  // 32 lanes are whole after cycle 1; 4 share each of 8 banks.
  EXPECT_EQ(delivered, (std::vector<std::uint64_t>{0, 8, 16, 24, 32}));
  EXPECT_EQ(b.converter.bank_conflicts(), 24u + 16 + 8);
  EXPECT_TRUE(b.value.loaded(0, now));
  std::cout << delivered.size() + 1 << " counts compared\n";
}

// A plane of two bits, then records of 2, 4 and 3 more: what can be read in the end is the code put together.
TEST(Converter, DigitsAreMergedAndReadAfterTheLast) {
  std::uint64_t words = 0;
  for (int loads = 1; loads <= 4; ++loads) {
    Bare b;
    const int widths[] = {2, 2, 4, 3};
    const std::uint32_t items = 100;
    std::vector<int> want(items * 64, 0);
    b.key.begin(1, items, 0, golden::kWordBits, loads);
    b.value.begin(1, items, 0);
    Cycle now = 0;
    int held = 0;
    for (int d = 0; d < loads; ++d) {
      const int w = widths[d];
      FetchJob j = key_job(items, w);
      j.half = 1, j.held = static_cast<std::uint8_t>(held), j.key_signed = d == 0;
      held += w;
      if (d % 2) {
        j.stream = Stream::record;
        j.item_bytes = j.stride_bytes = 32;
      }
      // The bytes that fill() draws, put in order: burst i of a stream, or record i, is in lane i mod 32.
      Random replay = b.random;
      OwnedJob o{j, {}};
      const Expected e = expected_bursts(o, 32);
      std::vector<std::uint8_t> bytes(e.bursts * 32);
      for (std::size_t l = 0; l < 32; ++l)
        for (std::size_t i = 0; i < e.lane[l].size(); ++i)
          for (std::size_t k = 0; k < 32; ++k) bytes[e.lane[l][i] + k] = static_cast<std::uint8_t>(replay.next() >> 20);
      for (std::uint32_t s = 0; s < items; ++s)
        for (int i = 0; i < 64; ++i) {
          int& code = want[s * 64 + static_cast<std::uint32_t>(i)];
          code = code * (1 << w) + word_at(&bytes[s * j.stride_bytes], i, w, d == 0);
        }
      b.fill(j, now);
      const std::uint64_t before = b.key.vector_writes();
      for (++now; b.key.vector_writes() < before + items && now < 1000; ++now) {
        EXPECT_FALSE(b.key.loaded(1, now));
        b.converter.tick(now);
        if (d + 1 < loads) {
          EXPECT_FALSE(b.key.slot_ready(1, 0, now + 1));
          EXPECT_FALSE(b.key.row_ready(1, 0, now + 1));
        }
      }
    }
    ASSERT_TRUE(b.key.loaded(1, now));
    for (std::uint32_t s = 0; s < items; ++s)
      for (std::uint32_t i = 0; i < 64; ++i, ++words)
        ASSERT_EQ(b.key.slot(1, s)[i], want[s * 64 + i]) << loads << " loads, slot " << s;
  }
  std::cout << words << " words compared\n";
  EXPECT_EQ(words, 4u * 100 * 64);
}

// With every lane full, those that waited go first: each 32 records are through in 4 cycles, none waits longer.
TEST(Converter, NoLaneWaitsTwiceForTheSameOthers) {
  Bare b;
  FetchJob j;
  j.stream = Stream::record;
  j.value_bits = 4, j.words = 64, j.items = 640, j.item_bytes = j.stride_bytes = 32;
  b.value.begin(0, 640, 0);
  b.fill(j, 0);
  int compared = 0;
  for (Cycle now = 1; now <= 1 + 80; ++now) {
    b.converter.tick(now);
    EXPECT_EQ(b.value.vector_writes(), 8 * (now - 1));
    ++compared;
    if ((now - 1) % 4) continue;
    for (std::uint32_t s = 0; s < 8 * (now - 1); ++s, ++compared)
      EXPECT_TRUE(b.value.slot_ready(0, s, now + 1)) << s << " in " << now;
  }
  EXPECT_TRUE(b.value.loaded(0, 82));
  std::cout << compared << " answers compared\n";
}

TEST(Converter, WaitsAreNamed) {
  int compared = 0;
  {
    Bare b;
    b.fill(key_job(8, 12), 0);
    for (Cycle now = 1; now <= 10; ++now) b.converter.tick(now);
    EXPECT_EQ(b.converter.stats().cycles_of(b.converter.kKeyBuffer), 9u);
    b.key.begin(0, 8, 10);
    b.converter.tick(11);
    b.converter.tick(12);
    EXPECT_TRUE(b.key.loaded(0, 13));
    compared += 2;
  }
  {
    Bare b;
    b.key.begin(0, 8, 0);
    b.queue.push(0, key_job(8, 12));  // no burst comes
    for (Cycle now = 1; now <= 10; ++now) b.converter.tick(now);
    EXPECT_EQ(b.converter.stats().cycles_of(b.converter.kFetcher), 9u);
    ++compared;
  }
  {
    Bare b;
    FetchJob j = key_job(20, 12);
    j.stream = Stream::query;
    b.fill(j, 0);  // 16 registers for 20 queries
    for (Cycle now = 1; now <= 30; ++now) b.converter.tick(now);
    EXPECT_EQ(b.queries.pushed(), 16u);
    EXPECT_EQ(b.converter.stats().cycles_of(b.converter.kQueryRegisters), 30u - 1 - 16);
    compared += 2;
  }
  std::cout << compared << " counts compared\n";
}

TEST(Converter, RefusesWhatDoesNotFit) {
  Bare b;
  int refused = 0;
  const auto bad = [&](ConverterParams p, const std::string& name) {
    try {
      Converter c(p, b.lists, b.queue, b.data, {b.key, b.value, b.scales, b.sums, b.queries, b.constants});
      ADD_FAILURE() << name << " accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
      ++refused;
    }
  };
  bad({60, 8, 32, 12}, "head dimension");
  bad({512, 8, 32, 12}, "head dimension");
  bad({32, 8, 32, 12}, "head dimension");  // the buffers hold 64
  bad({64, 16, 32, 12}, "vectors_per_cycle");
  bad({64, 8, 0, 12}, "scales_per_cycle");
  bad({64, 8, 32, 8}, "max_word_bits");
  bad({64, 8, 32, 12, 0}, "latency");
  EXPECT_EQ(refused, 7);
  // A target that expects fewer vectors, or others first, and a width the shifter does not know.
  b.key.begin(0, 7, 0);
  b.fill(key_job(8, 12), 0);
  EXPECT_THROW(b.converter.tick(1), std::logic_error);
  Bare d;
  d.key.begin(0, 16, 0);
  FetchJob second = key_job(8, 12);
  second.first = 8;
  d.fill(second, 0);
  EXPECT_THROW(d.converter.tick(1), std::logic_error);
  Bare c;
  c.fill(key_job(8, 14), 0);
  EXPECT_THROW(c.converter.tick(1), std::logic_error);
  std::cout << refused + 3 << " refusals compared\n";
}

}  // namespace
}  // namespace winnow::test
