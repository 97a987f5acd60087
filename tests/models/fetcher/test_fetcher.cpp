// The fetcher on random jobs over a memory that delays and reorders: order restored, nothing lost, asked twice
// or sent to a foreign channel, and no dependence on the order of evaluation.
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "golden/error.h"
#include "tests/models/fetcher/support.h"

namespace winnow::test {
namespace {

constexpr std::size_t kImage = 1 << 20;

struct Case {
  FetcherParams params;
  MemoryGrid grid;
  int jobs_ahead = 8;
  unsigned max_latency, accept, take, write;  // percent, but for the latency
  std::uint64_t seed;
  int jobs = 12;
};

struct Outcome {
  Cycle cycles = 0;
  std::vector<FakeMemory::Access> log;
  std::uint64_t compared = 0, shared = 0, writes = 0;
  bool operator==(const Outcome&) const = default;
};

// order: the sequence in which memory (0), fetcher (1) and sink (2) are evaluated.
Outcome run(const Case& s, const std::array<int, 3>& order) {
  Random random(s.seed);
  const int lanes = s.params.lanes;
  FakeMemory memory(s.grid.channels, s.grid.interleave_bytes, s.max_latency, s.accept, random_image(kImage, 7), s.seed);
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  FetchSide side(s.params, s.grid, jobs, writes, memory.ports(), s.jobs_ahead);
  Fetcher& fetcher = side.fetcher;

  // Reads keep to the lower half of the image, writes go to the upper one.
  std::vector<OwnedJob> work;
  std::vector<std::deque<std::uint64_t>> want(static_cast<std::size_t>(lanes));
  std::uint64_t bursts = 0, shared = 0;
  std::vector<std::uint64_t> bursts_of_job, bursts_of_epoch(kEpochs);
  for (int i = 0; i < s.jobs; ++i) {
    work.push_back(random_job(random, 64, 200, kImage / 2));
    if (random.percent(5)) work.back().job.items = 0;
    work.back().job.epoch = static_cast<std::uint8_t>(i % 7);
    const Expected e = expected_bursts(work.back(), lanes);
    for (int l = 0; l < lanes; ++l)
      for (std::uint64_t b : e.lane[static_cast<std::size_t>(l)]) want[static_cast<std::size_t>(l)].push_back(b);
    bursts += e.bursts;
    shared += e.shared;
    bursts_of_job.push_back(e.bursts);
    bursts_of_epoch[static_cast<std::size_t>(i % 7 % kEpochs)] += e.bursts;
  }
  for (auto& w : work)
    if (!w.list.empty()) w.job.list = side.lists.take(w.list);

  Outcome out;
  Random sink(s.seed + 1), source(s.seed + 2);
  std::map<std::uint64_t, Burst> written;
  std::uint64_t job_seen = 0;
  std::size_t next_job = 0;
  for (Cycle now = 0;; ++now) {
    if (now > 2'000'000) throw std::runtime_error("does not end");
    if (next_job < work.size() && source.percent(30) && jobs.can_push(now)) jobs.push(now, work[next_job++].job);
    if (source.percent(s.write) && writes.can_push(now)) {
      WriteBurst w;
      w.address = kImage / 2 + source.below(kImage / 2 / 32) * 32;
      for (auto& b : w.data) b = static_cast<std::uint8_t>(source.next());
      written[w.address] = w.data;
      writes.push(now, w);
      ++out.writes;
    }
    for (int who : order) {
      if (who == 0) memory.tick(now);
      if (who == 1) fetcher.tick(now);
      if (who != 2) continue;
      const LaneMask ready = side.data.ready(now);
      for (int l = 0; l < lanes; ++l) {
        if (!(ready >> l & 1) || !sink.percent(s.take)) continue;
        auto& w = want[static_cast<std::size_t>(l)];
        if (w.empty()) throw std::runtime_error("a burst nobody asked for");
        const Burst& got = side.data.front(l);
        if (!std::equal(got.begin(), got.end(), memory.image().begin() + static_cast<std::ptrdiff_t>(w.front())))
          throw std::runtime_error("lane " + std::to_string(l) + " got another burst than " +
                                   std::to_string(w.front()));
        w.pop_front();
        side.data.pop(l, now);
        ++out.compared;
      }
      if (side.started.can_pop(now) && sink.percent(s.take)) {
        const FetchJob& j = side.started.peek();
        EXPECT_EQ(j.base, work[job_seen].job.base);
        EXPECT_EQ(j.items, work[job_seen].job.items);
        side.started.pop(now);
        ++job_seen;
      }
      // Counts of jobs the generator has left are final.
      if (job_seen > 1) {
        EXPECT_EQ(side.started.made(job_seen - 2), bursts_of_job[job_seen - 2]);
      }
    }
    if (next_job == work.size() && fetcher.idle() && side.data.held() == 0 && out.compared == bursts &&
        side.started.drained() && now > 1000) {
      out.cycles = now;
      break;
    }
  }
  // Writes that were accepted last may still wait in a request FIFO: let the memory take them.
  for (Cycle now = out.cycles + 1; now < out.cycles + 400; ++now) memory.tick(now);
  for (const auto& [address, data] : written) {
    if (!std::equal(data.begin(), data.end(), memory.image().begin() + static_cast<std::ptrdiff_t>(address)))
      ADD_FAILURE() << "write to " << address << " lost";
    ++out.compared;
  }
  out.log = memory.log();
  out.shared = shared;
  std::uint64_t reads = 0, items = 0, useful = 0;
  for (const auto& a : out.log) reads += !a.write;
  EXPECT_EQ(reads, bursts);
  EXPECT_EQ(fetcher.reads(), bursts);
  EXPECT_EQ(fetcher.writes(), out.writes);
  std::uint64_t traffic_bursts = 0, traffic_shared = 0;
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    std::uint64_t sum = 0, after = 0;
    for (int k = 0; k < kStreams; ++k) sum += fetcher.traffic(static_cast<Stream>(k), epoch).bursts;
    EXPECT_EQ(sum, bursts_of_epoch[epoch]);
    if (epoch % 2) fetcher.close(epoch);
    for (int k = 0; k < kStreams; ++k) after += fetcher.traffic(static_cast<Stream>(k), epoch).bursts;
    EXPECT_EQ(after, epoch % 2 ? 0 : sum);
  }
  for (int k = 0; k < kStreams; ++k) {
    const Traffic t = fetcher.traffic(static_cast<Stream>(k));
    traffic_bursts += t.bursts, traffic_shared += t.shared_bursts, items += t.items, useful += t.useful_bytes;
  }
  std::uint64_t want_items = 0, want_useful = 0;
  for (const auto& w : work) {
    want_items += w.job.items;
    const unsigned bits = w.job.stream == Stream::value_scale ? 16 : w.job.key_bits + w.job.value_bits;
    want_useful += std::uint64_t{w.job.items} * w.job.words * bits / 8;
  }
  EXPECT_EQ(traffic_bursts, bursts);
  EXPECT_EQ(traffic_shared, shared);
  EXPECT_EQ(items, want_items);
  EXPECT_EQ(useful, want_useful);
  EXPECT_EQ(fetcher.stats().cycles(), out.cycles + 1);
  return out;
}

TEST(Fetcher, RandomJobsComeInOrderOverEveryShape) {
  std::uint64_t compared = 0, shared = 0, runs = 0, writes = 0;
  for (int interleave : {32, 64, 256, 1024, 2048})
    for (int channels : {1, 2, 16, 32})
      for (int lanes : {1, 4, 8, 32}) {
        Random random(static_cast<std::uint64_t>(interleave * 10000 + channels * 100 + lanes));
        Case s;
        const auto depth = [&](unsigned places) { return static_cast<int>(2 + random.below(places)); };
        s.params = {lanes, depth(63), depth(63)};
        s.grid = {channels, interleave};
        s.jobs_ahead = depth(8);
        const unsigned latency[] = {0, 5, 60, 300}, chance[] = {100, 60, 20};
        s.max_latency = random.pick(latency);
        s.accept = random.pick(chance);
        s.take = random.pick(chance);
        s.write = random.percent(50) ? 0 : 20;
        s.seed = random.next() % 100000;
        SCOPED_TRACE(testing::Message() << interleave << " B, " << channels << " channels, " << lanes << " lanes");
        const Outcome o = run(s, {0, 1, 2});
        compared += o.compared, shared += o.shared, writes += o.writes, ++runs;
      }
  std::cout << runs << " runs, " << compared << " bursts compared (" << writes << " of them writes), " << shared
            << " shared bursts counted\n";
  EXPECT_GT(compared, 100000u);
  EXPECT_GT(shared, 1000u);
  EXPECT_GT(writes, 1000u);
}

TEST(Fetcher, SameCyclesAndRequestsInEveryOrderOfEvaluation) {
  std::uint64_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Case s;
    s.params.lanes = seed % 2 ? 32 : 4;
    s.grid.channels = seed % 3 ? 16 : 2;
    s.params.data_fifo = seed % 2 ? 64 : 3;
    s.params.address_fifo = seed % 3 ? 64 : 2;
    s.max_latency = 40, s.accept = 80, s.take = seed % 2 ? 100 : 30, s.write = 10, s.seed = seed;
    const Outcome first = run(s, {0, 1, 2});
    for (std::array<int, 3> order : {std::array{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
      const Outcome other = run(s, order);
      EXPECT_EQ(first.cycles, other.cycles);
      EXPECT_TRUE(first == other) << "seed " << seed;
      compared += other.log.size();
    }
  }
  std::cout << compared << " requests compared with their cycles\n";
  EXPECT_GT(compared, 10000u);
}

// One key stream of three bursts a token through a memory that takes a request a channel and cycle.
Cycle stream_cycles(int interleave, std::uint32_t tokens) {
  FakeMemory memory(16, interleave, 0, 100, random_image(kImage, 3), 1);
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  FetchSide side({}, {16, interleave}, jobs, writes, memory.ports());
  Fetcher& fetcher = side.fetcher;
  FetchJob j;
  j.key_bits = 12, j.words = 64, j.item_bytes = j.stride_bytes = 96, j.items = tokens;
  jobs.push(0, j);
  std::uint64_t got = 0;
  for (Cycle now = 0;; ++now) {
    memory.tick(now);
    fetcher.tick(now);
    for (LaneMask m = side.data.ready(now); m; m &= m - 1) {
      side.data.pop(std::countr_zero(m), now);
      ++got;
    }
    if (got == tokens * 3) return now;
  }
}

TEST(Fetcher, TimesOfTheContract) {
  FakeMemory memory(16, 32, 0, 100, random_image(4096, 3), 1);
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  FetchSide side({}, {}, jobs, writes, memory.ports());
  Fetcher& fetcher = side.fetcher;
  FetchJob j;
  j.key_bits = 4, j.words = 64, j.item_bytes = j.stride_bytes = 32, j.items = 1;
  jobs.push(0, j);
  Cycle requested = 0, there = 0;
  for (Cycle now = 0; now < 20; ++now) {
    memory.tick(now);
    fetcher.tick(now);
    if (!requested && fetcher.reads()) requested = now;
    if (!there && side.data.ready(now)) there = now;
  }
  // Popped in 1, address in 2, request in 3; the memory takes it in 4 and returns in 4; moved in 5, ready in 6.
  EXPECT_EQ(requested, 3u);
  EXPECT_EQ(there, 6u);
  std::cout << "2 times compared\n";
}

TEST(Fetcher, FullRateWhereChannelsInterleaveByBurst) {
  const std::uint32_t tokens = 1024;
  const Cycle cycles = stream_cycles(32, tokens);
  std::cout << tokens * 3 << " bursts in " << cycles << " cycles at 32 B interleave\n";
  EXPECT_LE(cycles, tokens * 3 / 16 + 10);
  for (int interleave : {64, 128, 256, 512, 1024, 2048})
    std::cout << "  interleave " << interleave << ": " << stream_cycles(interleave, tokens) << " cycles\n";
}

// One channel, four lanes and the write port: everybody is served once in five grants, lanes in burst order.
TEST(Fetcher, RoundRobinOverLanesAndWritePort) {
  FakeMemory memory(1, 32, 0, 100, random_image(kImage, 3), 1);
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  FetcherParams params;
  params.lanes = 4;
  FetchSide side(params, {1, 32}, jobs, writes, memory.ports());
  Fetcher& fetcher = side.fetcher;
  FetchJob j;
  j.key_bits = 4, j.words = 64, j.item_bytes = j.stride_bytes = 32, j.items = 400;
  jobs.push(0, j);
  for (Cycle now = 0; now < 600; ++now) {
    if (now > 100 && writes.can_push(now)) writes.push(now, WriteBurst{{}, kImage / 2 + now * 32, {}});
    memory.tick(now);
    fetcher.tick(now);
    for (LaneMask m = side.data.ready(now); m; m &= m - 1) side.data.pop(std::countr_zero(m), now);
  }
  std::uint64_t next = 0, compared = 0, reads = 0;
  bool mixed = false;
  for (const auto& a : memory.log()) {
    if (a.write) {
      if (mixed && reads < 396) {
        EXPECT_EQ(reads % 4, 0u) << "cycle " << a.cycle;
        ++compared;
      }
      mixed = true;
      continue;
    }
    EXPECT_EQ(a.address, next++ * 32);
    // After the first write, four reads stand between two writes.
    reads = mixed ? reads + 1 : 0;
    ++compared;
  }
  EXPECT_EQ(next, 400u);
  std::cout << compared << " grants compared\n";
}

// Three channels return bursts for one lane: one a cycle, channels in turn; another lane's burst is not held up.
TEST(DataCrossbar, RoundRobinOverChannels) {
  DataFifos data(2, 16);
  std::vector<std::unique_ptr<Fifo<dram::Return>>> fifos;
  std::vector<Fifo<dram::Return>*> ports;
  for (int c = 0; c < 4; ++c) {
    fifos.push_back(std::make_unique<Fifo<dram::Return>>(8, 8));
    ports.push_back(fifos.back().get());
  }
  for (int i = 0; i < 12; ++i) {
    const std::uint32_t place = data.reserve(0);
    fifos[static_cast<std::size_t>(i % 3)]->push(0, dram::Return{0, place << 6, {}});
  }
  fifos[3]->push(0, dram::Return{0, data.reserve(1) << 6 | 1, {}});
  fetcher::DataCrossbar crossbar(data, ports);
  for (Cycle now = 1; now <= 12; ++now) {
    EXPECT_EQ(crossbar.tick(now), now == 1 ? 2 : 1);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(fifos[c]->popped(), (now + 2 - c) / 3) << "cycle " << now;
    EXPECT_EQ(fifos[3]->popped(), 1u);
  }
  EXPECT_EQ(crossbar.conflicts(), 2u * 10 + 1);
  std::cout << 12 * 5 + 1 << " counts compared\n";
}

// Sixteen scales a burst: 32 list entries a cycle make two addresses.
TEST(Fetcher, AtMostLanesItemsACycle) {
  FakeMemory memory(16, 32, 0, 100, random_image(kImage, 3), 1);
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  FetchSide side({}, {}, jobs, writes, memory.ports());
  Fetcher& fetcher = side.fetcher;
  FetchJob j;
  j.stream = Stream::value_scale;
  j.words = 1, j.item_bytes = j.stride_bytes = 2, j.items = 1024;
  jobs.push(0, j);
  for (Cycle now = 0; now < 50; ++now) {
    memory.tick(now);
    fetcher.tick(now);
    // Addresses from cycle 2 on, requests from cycle 3 on.
    EXPECT_EQ(fetcher.reads(), now < 3 ? 0 : std::min<std::uint64_t>(64, 2 * (now - 2))) << "cycle " << now;
  }
  std::cout << "50 counts compared\n";
}

TEST(Fetcher, RefusesParametersByName) {
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  FakeMemory memory(16, 32, 0, 100, {}, 1);
  int refused = 0;
  const auto bad = [&](FetcherParams p, MemoryGrid grid, const std::string& name) {
    try {
      FetchSide side(p, grid, jobs, writes, memory.ports());
      ADD_FAILURE() << name << " accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
      ++refused;
    }
  };
  bad({.lanes = 33}, {}, "lanes");
  bad({.lanes = 24}, {}, "lanes");
  bad({.lanes = 0}, {}, "lanes");
  bad({}, {.channels = 8}, "channels");  // the memory has 16
  bad({}, {.channels = 12}, "channels");
  bad({}, {.interleave_bytes = 16}, "interleave_bytes");
  bad({}, {.interleave_bytes = 4096}, "interleave_bytes");
  bad({.address_fifo = 1}, {}, "address_fifo");
  bad({.data_fifo = 0}, {}, "data_fifo");
  EXPECT_EQ(refused, 9);

  FetchSide side({}, {}, jobs, writes, memory.ports());
  FetchJob j;
  j.key_bits = 12, j.words = 64, j.item_bytes = 95, j.stride_bytes = 96, j.items = 1;
  jobs.push(0, j);
  EXPECT_THROW(side.fetcher.tick(1), std::logic_error);
  std::cout << refused + 1 << " refusals compared\n";
}

}  // namespace
}  // namespace winnow::test
