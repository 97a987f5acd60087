// The memory as the machine uses it: data, order, addresses, back-pressure, bandwidth, statistics, energy.
#include "models/dram/memory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "golden/error.h"
#include "models/dram/checker.h"
#include "models/dram/driver.h"
#include "models/dram/energy.h"
#include "tests/models/dram/streams.h"

namespace winnow::dram {
namespace {

std::vector<std::uint8_t> noise(std::size_t bytes) {
  std::vector<std::uint8_t> v(bytes);
  test::Lcg r{42};
  for (auto& b : v) b = static_cast<std::uint8_t>(r.u32());
  return v;
}

struct Checked {  // a memory with a checker on every channel
  Memory memory;
  std::vector<std::unique_ptr<CommandChecker>> checkers;
  explicit Checked(const MemoryConfig& config, std::vector<std::uint8_t> image) : memory(config, std::move(image)) {
    for (int c = 0; c < memory.channels(); ++c) {
      checkers.push_back(std::make_unique<CommandChecker>(config.spec, config.controller.pseudo_channels,
                                                          config.refresh_phase * static_cast<Cycle>(c)));
      memory.controller(c).attach(checkers.back().get());
    }
  }
  std::uint64_t finish(Cycle now) {
    std::uint64_t commands = 0;
    for (auto& c : checkers) {
      c->finish(now);
      EXPECT_EQ(c->violation_count(), 0u) << c->violations().front().text;
      commands += c->commands();
    }
    return commands;
  }
};

TEST(DramMemory, EveryReadReturnsTheBytesAtItsAddressOnce) {
  std::uint64_t compared = 0;
  for (const int channels : {1, 2, 16})
    for (const int interleave : {32, 256, 2048}) {
      MemoryConfig config;
      config.channels = channels;
      config.interleave_bytes = interleave;
      config.refresh_phase = channels == 2 ? 1000 : 0;
      const std::vector<std::uint8_t> image = noise(1 << 20);
      Checked m(config, image);
      std::vector<std::uint64_t> order;  // all bursts of the image, shuffled
      for (std::uint64_t a = 0; a < image.size(); a += 32) order.push_back(a);
      test::Lcg r{static_cast<std::uint64_t>(channels * interleave)};
      for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[r.u32() % (i + 1)]);
      std::vector<std::vector<std::uint64_t>> todo(static_cast<std::size_t>(channels));
      for (const std::uint64_t a : order) {
        // channel and local address by the formula of the contract
        const auto c =
            static_cast<std::size_t>(a / static_cast<unsigned>(interleave) % static_cast<unsigned>(channels));
        ASSERT_EQ(static_cast<std::size_t>(m.memory.channel_of(a)), c);
        ASSERT_EQ(m.memory.local_address(a),
                  a / static_cast<unsigned>(interleave * channels) * static_cast<unsigned>(interleave) +
                      a % static_cast<unsigned>(interleave));
        todo[c].push_back(a);
        compared += 2;
      }
      std::set<std::uint64_t> seen;
      Cycle now = 0;
      for (std::size_t left = order.size(); left != 0; ++now) {
        for (int c = 0; c < channels; ++c) {
          auto& list = todo[static_cast<std::size_t>(c)];
          if (!list.empty() && m.memory.requests(c).can_push(now)) {
            Request& q = m.memory.requests(c).push(now);
            q.address = list.back();
            q.tag = static_cast<std::uint32_t>(list.back() * 7);
            q.write = false;
            list.pop_back();
          }
          if (m.memory.returns(c).can_pop(now)) {
            const Return& out = m.memory.returns(c).peek();
            ASSERT_EQ(out.tag, static_cast<std::uint32_t>(out.address * 7));
            ASSERT_TRUE(
                std::equal(out.data.begin(), out.data.end(), image.begin() + static_cast<std::ptrdiff_t>(out.address)));
            ASSERT_TRUE(seen.insert(out.address).second);
            m.memory.returns(c).pop(now);
            --left;
            compared += 3;
          }
        }
        m.memory.tick(now);
        ASSERT_LT(now, 2'000'000u);
      }
      EXPECT_EQ(seen.size(), order.size());
      EXPECT_TRUE(m.memory.idle());
      EXPECT_EQ(m.memory.statistics().bytes_read, image.size());
      m.finish(now);
    }
  fmt::print("compared {} values\n", compared);
}

// Reads and writes at random on few addresses: a read returns what was written by every write accepted before it.
TEST(DramMemory, ReadsSeeTheWritesAcceptedBeforeThem) {
  MemoryConfig config;
  config.channels = 2;
  std::vector<std::uint8_t> model = noise(1 << 14);
  Checked m(config, model);
  test::Lcg r{9};
  std::uint64_t compared = 0, tag = 0;
  std::map<std::uint32_t, Burst> expected;
  std::map<std::uint64_t, int> reading;  // reads in flight: nothing is written there meanwhile
  Cycle now = 0;
  for (; now < 60'000 || !m.memory.idle(); ++now) {
    for (int c = 0; c < 2; ++c) {
      const std::uint64_t a = (r.u32() % (model.size() / 64) * 2 + static_cast<unsigned>(c)) * 32;
      const bool write = r.u32() % 100 < 45;
      if (now < 60'000 && m.memory.requests(c).can_push(now) && !(write && reading[a] != 0)) {
        Request& q = m.memory.requests(c).push(now);
        q.address = a;
        q.write = write;
        q.tag = static_cast<std::uint32_t>(tag++);
        if (write) {
          for (auto& b : q.data) b = static_cast<std::uint8_t>(r.u32());
          std::copy(q.data.begin(), q.data.end(), model.begin() + static_cast<std::ptrdiff_t>(a));
        } else {
          std::copy_n(model.begin() + static_cast<std::ptrdiff_t>(a), 32, expected[q.tag].begin());
          ++reading[a];
        }
      }
      if (m.memory.returns(c).can_pop(now)) {
        const Return& out = m.memory.returns(c).peek();
        ASSERT_EQ(out.data, expected.at(out.tag)) << "address " << out.address << " cycle " << now;
        expected.erase(out.tag);
        --reading[out.address];
        m.memory.returns(c).pop(now);
        ++compared;
      }
    }
    m.memory.tick(now);
    ASSERT_LT(now, 100'000u);
  }
  EXPECT_TRUE(expected.empty());
  EXPECT_EQ(m.memory.image(), model);
  EXPECT_GT(m.memory.statistics().forwarded_reads, 100u);
  EXPECT_GT(m.memory.statistics().coalesced_writes, 100u);
  m.finish(now);
  fmt::print("compared {} bursts and an image of {} bytes\n", compared, model.size());
}

// With one request a channel and cycle and a consumer that pops every cycle, a queue of 16 returns costs nothing:
// the cycles of the channel alone with room for everything, but for the two FIFOs and where refreshes then fall.
TEST(DramMemory, AReturnQueueOf16LosesNoBandwidth) {
  const Spec& spec = default_spec();
  DriverConfig d;
  d.controller = spec.controller("ch");
  d.controller.offers = 1;
  std::uint64_t alone[2], through[2];
  int i = 0;
  for (const RequestStream& stream : {test::strided_reads(50'000, 32), test::gather_reads(3, 20'000, 96)}) {
    alone[i] = drive(spec, d, stream).cycles;
    MemoryConfig config;
    config.channels = 1;
    Checked m(config, std::vector<std::uint8_t>(16 << 20));
    std::size_t next = 0, returned = 0;
    Cycle now = 0;
    for (; returned < stream.bursts.size(); ++now) {
      if (next < stream.bursts.size() && m.memory.requests(0).can_push(now))
        m.memory.requests(0).push(now).address = stream.bursts[next++].address;
      if (m.memory.returns(0).can_pop(now)) m.memory.returns(0).pop(now), ++returned;
      m.memory.tick(now);
    }
    through[i] = now;
    EXPECT_LE(through[i], alone[i] + alone[i] / 1000);
    EXPECT_GE(through[i], alone[i]);
    EXPECT_EQ(m.memory.statistics().return_wait_cycles, 0u);
    m.finish(now);
    ++i;
  }
  fmt::print("compared 2 streams: {} and {} cycles alone, {} and {} through the FIFOs\n", alone[0], alone[1],
             through[0], through[1]);
}

// What record() keeps of a run is what each channel was asked, in order and by local address.
TEST(DramMemory, RecordsTheStreamOfEachChannel) {
  MemoryConfig config;
  config.channels = 4;
  config.interleave_bytes = 64;
  Memory memory(config, std::vector<std::uint8_t>(1 << 16));
  std::vector<RequestStream> streams;
  memory.record(&streams);
  std::vector<std::vector<StreamBurst>> expected(4);
  test::Lcg r{12};
  std::uint64_t compared = 0;
  Cycle now = 0;
  for (; now < 2'000; ++now) {
    for (int c = 0; c < 4; ++c) {
      if (memory.returns(c).can_pop(now)) memory.returns(c).pop(now);
      if (now > 1'000 || !memory.requests(c).can_push(now)) continue;
      const std::uint64_t local = r.u32() % 512 * 32;
      Request& q = memory.requests(c).push(now);
      q.address = local / 64 * 256 + static_cast<unsigned>(c) * 64 + local % 64;
      q.write = r.u32() % 4 == 0;
      expected[static_cast<std::size_t>(c)].push_back({local, q.write});
    }
    memory.tick(now);
  }
  ASSERT_TRUE(memory.idle());
  for (std::size_t c = 0; c < 4; ++c) {
    ASSERT_EQ(streams[c].bursts.size(), expected[c].size());
    EXPECT_EQ(streams[c].reads + streams[c].writes, expected[c].size());
    for (std::size_t i = 0; i < expected[c].size(); ++i, compared += 2) {
      ASSERT_EQ(streams[c].bursts[i].address, expected[c][i].address);
      ASSERT_EQ(streams[c].bursts[i].write, expected[c][i].write);
    }
  }
  fmt::print("compared {} values\n", compared);
}

// A consumer that stops: reads stop while 16 bursts wait, nothing is lost, and the storage behind never overflows.
TEST(DramMemory, AStalledConsumerStopsReadsAndLosesNothing) {
  MemoryConfig config;
  config.channels = 1;
  const auto image = noise(1 << 20);
  Checked m(config, image);
  std::uint64_t next = 0, returned = 0, most = 0;
  test::Lcg r{5};
  std::set<std::uint64_t> seen;
  Cycle now = 0;
  bool flowing = false;
  for (; returned < 20'000; ++now) {
    if (now % 200 == 0) flowing = r.u32() % 3 != 0;
    if (next < 20'000 && m.memory.requests(0).can_push(now)) m.memory.requests(0).push(now).address = next++ * 32;
    const std::uint64_t level = m.memory.returns(0).level(now);
    most = std::max(most, level);
    if (flowing && level != 0) {
      const Return& out = m.memory.returns(0).peek();
      ASSERT_TRUE(seen.insert(out.address).second);
      ASSERT_TRUE(
          std::equal(out.data.begin(), out.data.end(), image.begin() + static_cast<std::ptrdiff_t>(out.address)));
      m.memory.returns(0).pop(now);
      ++returned;
    }
    m.memory.tick(now);
    ASSERT_LT(now, 1'000'000u);
  }
  EXPECT_GT(most, 16u);  // reads that were in flight landed behind
  EXPECT_LE(most, 16u + 17u);
  EXPECT_GT(m.memory.statistics().return_wait_cycles, 0u);
  m.finish(now);
  fmt::print("compared {} bursts; at most {} waited\n", returned, most);
}

TEST(DramMemory, ChannelsRefreshTogetherOrByTheirPhase) {
  struct FirstRefresh : CommandSink {
    Cycle at = 0;
    void command(const IssuedCommand& c) override {
      if (c.command == Command::refresh && at == 0) at = c.cycle;
    }
  };
  int compared = 0;
  for (const Cycle phase : {0, 240}) {
    MemoryConfig config;
    config.channels = 4;
    config.refresh_phase = phase;
    Memory memory(config);
    FirstRefresh first[4];
    for (int c = 0; c < 4; ++c) memory.controller(c).attach(&first[c]);
    for (Cycle now = 0; now < 6'000; ++now) memory.tick(now);
    for (int c = 0; c < 4; ++c, ++compared) EXPECT_EQ(first[c].at, 3899 + static_cast<Cycle>(c) * phase);
    EXPECT_EQ(memory.statistics().refreshes, 8u);
  }
  fmt::print("compared {} cycles\n", compared);
}

struct Recorder : CommandSink {
  std::vector<std::tuple<Cycle, Command, int, int, int, std::uint32_t, std::uint32_t>> all;
  void command(const IssuedCommand& c) override {
    all.emplace_back(c.cycle, c.command, c.pseudo_channel, c.bank_group, c.bank, c.row, c.column);
  }
};

// The same requests at the same memory cycles make the same commands at the same memory cycles, whatever the machine's
// clock is; and the checker finds them legal. Requests come at random, seldom enough that no FIFO fills.
TEST(DramMemory, CommandsDoNotDependOnTheMachinesClock) {
  struct Run {
    Recorder recorder;
    Statistics statistics;
    std::vector<std::uint64_t> returned;
  };
  constexpr Cycle kMemoryCycles = 60'000;
  const auto run = [](ClockRatio clock, std::uint64_t seed) {
    MemoryConfig config;
    config.channels = 1;
    config.clock = clock;
    Memory memory(config, noise(1 << 20));
    auto r = std::make_unique<Run>();
    memory.controller(0).attach(&r->recorder);
    // Every request has a slot of 24 memory cycles at whose start a machine cycle begins (24 and 36 hold all ratios
    // below), and is pushed so that this machine cycle is the first to see it.
    test::Lcg random{seed};
    struct Planned {
      Cycle at;
      std::uint64_t address;
      bool write;
    };
    std::vector<Planned> plan;
    for (Cycle slot = 1; slot * 24 < kMemoryCycles - 2'000; ++slot)
      if (random.u32() % 3 != 0) plan.push_back({slot * 24, random.u32() % (1 << 15) * 32, random.u32() % 4 == 0});
    std::size_t next = 0;
    for (Cycle now = 0; clock.memory_cycle(now) < kMemoryCycles; ++now) {
      if (next < plan.size() && clock.memory_cycle(now + 1) >= plan[next].at && memory.requests(0).can_push(now)) {
        Request& q = memory.requests(0).push(now);
        q.address = plan[next].address;
        q.write = plan[next].write;
        ++next;
      }
      if (memory.returns(0).can_pop(now)) {
        r->returned.push_back(memory.returns(0).peek().address);
        memory.returns(0).pop(now);
      }
      memory.tick(now);
    }
    EXPECT_EQ(next, plan.size());
    EXPECT_TRUE(memory.idle());
    r->statistics = memory.statistics();
    return r;
  };
  std::uint64_t compared = 0;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto same = run({1, 1}, seed);
    ASSERT_GT(same->recorder.all.size(), 3'000u);
    for (const ClockRatio clock : {ClockRatio{2, 1}, ClockRatio{3, 2}, ClockRatio{4, 4}, ClockRatio{1, 2}}) {
      SCOPED_TRACE(fmt::format("{}:{} seed {}", clock.memory, clock.machine, seed));
      const auto other = run(clock, seed);
      EXPECT_EQ(other->recorder.all, same->recorder.all);
      EXPECT_EQ(other->returned, same->returned);
      EXPECT_EQ(other->statistics.refreshes, same->statistics.refreshes);
      EXPECT_EQ(other->statistics.read_latency_cycles, same->statistics.read_latency_cycles);
      EXPECT_EQ(other->statistics.cycles, same->statistics.cycles);
      compared += same->recorder.all.size() + same->returned.size() + 3;
    }
  }
  fmt::print("compared {} values\n", compared);
}

// A memory twice as fast returns 1 KiB-strided reads in half the machine cycles; one half as fast in twice.
TEST(DramMemory, AFasterMemoryNeedsFewerMachineCycles) {
  const auto cycles = [](ClockRatio clock) {
    MemoryConfig config;
    config.channels = 1;
    config.clock = clock;
    Checked m(config, std::vector<std::uint8_t>(16 << 20));
    std::uint64_t next = 0, returned = 0;
    Cycle now = 0;
    for (; returned < 10'000; ++now) {
      if (next < 10'000 && m.memory.requests(0).can_push(now)) m.memory.requests(0).push(now).address = next++ * 1024;
      if (m.memory.returns(0).can_pop(now)) m.memory.returns(0).pop(now), ++returned;
      m.memory.tick(now);
    }
    m.finish(clock.memory_cycle(now));
    return static_cast<double>(now);
  };
  const double same = cycles({1, 1}), fast = cycles({2, 1}), slow = cycles({1, 2});
  EXPECT_NEAR(fast / same, 0.5, 0.01);
  EXPECT_NEAR(slow / same, 2.0, 0.02);
  fmt::print("compared 3 runs: {}, {} and {} machine cycles\n", same, fast, slow);
}

TEST(DramMemory, EnergyPartsAreCountsTimesThePreset) {
  const Spec& spec = default_spec();
  Statistics s;
  s.activates = 1000, s.reads = 4000, s.writes = 500, s.refreshes = 2, s.cycles = 10'000, s.row_open_cycles = 9'000;
  const Energy e = energy(spec, spec.energy_preset(""), s, 2);
  EXPECT_DOUBLE_EQ(e.activate_pj, 909'000);
  EXPECT_NEAR(e.read_pj, 4000 * 256 * (1.51 + 1.17), 1e-6);
  EXPECT_NEAR(e.write_pj, 500 * 256 * (1.51 + 1.17) * 445 / 335, 0.1);
  EXPECT_NEAR(e.io_pj, 4500 * 256 * 0.80, 1e-6);
  EXPECT_NEAR(e.refresh_pj, (250 - 55) * 1.2 * 260, 1e-6);  // two pseudo-channels: one refresh of the channel
  EXPECT_NEAR(e.background_pj, 9'000 * 66.0 + 1'000 * 48.0, 1e-6);
  EXPECT_NEAR(e.total_pj(), e.activate_pj + e.read_pj + e.write_pj + e.io_pj + e.refresh_pj + e.background_pj, 1e-6);
  EXPECT_NEAR(energy(spec, spec.energy_preset(""), s, 1).background_pj, e.background_pj / 2, 1e-6);
  // currents: (IDD0 * RC - IDD3N * RAS - IDD2N * RP) * VDD
  EXPECT_NEAR(spec.energy_preset("idd_8gb").activate, (65 * 48 - 55 * 34 - 40 * 14) * 1.2, 1e-6);
  EXPECT_NEAR(spec.energy_preset("idd_8gb").read_core_bit, (390 - 55) * 1.2 / 256, 0.005);
  EXPECT_THROW(spec.energy_preset("ddr4"), Error);
  // A sequential read stream comes to the 3.92..3.97 pJ/b in all that the source gives, refresh and background apart.
  DriverConfig d;
  d.controller = spec.controller("ch");
  const DriverResult r = drive(spec, d, test::strided_reads(50'000, 32));
  const Energy q = energy(spec, spec.energy_preset("oconnor2017"), r.statistics, 2);
  const double per_bit = (q.activate_pj + q.read_pj + q.io_pj) / (50'000.0 * 256);
  EXPECT_GT(per_bit, 3.48);
  EXPECT_LT(per_bit, 3.97);
  fmt::print("compared 13 values; sequential {:.2f} pJ/b\n", per_bit);
}

TEST(DramMemory, RefusesWhatContradictsItself) {
  const auto refused = [](auto change) {
    MemoryConfig c;
    change(c);
    try {
      Memory m(c);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refused([](MemoryConfig& c) { c.channels = 3; }), "hbm2.channels: '3' must be a power of two in 1..256");
  EXPECT_EQ(refused([](MemoryConfig& c) { c.interleave_bytes = 16; }),
            "hbm2.interleave_bytes: '16' must be a power of two in 32..2048");
  EXPECT_EQ(refused([](MemoryConfig& c) { c.return_queue = 0; }), "hbm2.return_queue: '0' must be in 1..4096");
  EXPECT_EQ(refused([](MemoryConfig& c) { c.clock.machine = 0; }), "hbm2.clock.machine: '0' must be in 1..64");
  EXPECT_EQ(refused([](MemoryConfig& c) { c.mapping = "M3"; }), "mapping 'M3' is unknown; it must be one of M1, M2");
  Memory m(MemoryConfig{}, std::vector<std::uint8_t>(64));
  m.requests(2).push(0).address = 64;
  m.tick(0);
  EXPECT_THROW(m.tick(1), Error);
  fmt::print("compared 6 messages\n");
}

}  // namespace
}  // namespace winnow::dram
