// Each mechanism that can be taken away by changing a number is taken away, and the cycles must move as the
// reference simulator's do. And what must not move a result does not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "models/dram/checker.h"
#include "models/dram/driver.h"
#include "tests/models/dram/streams.h"

namespace winnow::dram {
namespace {

struct Experiment {
  std::string controller = "ch", mapping = "M1";
  RequestStream stream;
};

double change_percent(const Experiment& run, const std::function<void(Spec&, ControllerPreset&)>& without) {
  Spec spec = default_spec();
  DriverConfig d;
  d.controller = spec.controller(run.controller);
  d.mapping = run.mapping;
  const double with = static_cast<double>(drive(spec, d, run.stream).cycles);
  without(spec, d.controller);
  return 100.0 * (static_cast<double>(drive(spec, d, run.stream).cycles) / with - 1.0);
}

TEST(DramMechanisms, LeavingOneOutMovesCyclesAsInTheReference) {
  const RequestStream sequential = test::strided_reads(30'000, 32), random = test::random_reads(1, 30'000);
  const RequestStream same_bank = test::strided_reads(5'000, 16384),
                      kilobyte = test::strided_reads(30'000, 1024, 64 << 20);
  const auto set = [](std::initializer_list<std::pair<const char*, int>> values) {
    return [values = std::vector<std::pair<const char*, int>>(values)](Spec& s, ControllerPreset&) {
      for (const auto& [name, v] : values) s = s.with(name, v);
    };
  };
  const auto one_cycle_act = [](Spec& s, ControllerPreset&) {
    s.bus_cycles[static_cast<std::size_t>(Command::activate)] = 1;
  };
  const auto half_queue = [](Spec&, ControllerPreset& c) { c.read_queue /= 2; };
  const auto no_guard = [](Spec&, ControllerPreset& c) { c.row_hit_guard = false; };
  struct Case {
    const char* name;
    Experiment run;
    std::function<void(Spec&, ControllerPreset&)> without;
    double low, high;  // percent
  };
  const std::vector<Case> cases = {
      {"refresh, sequential", {"ch", "M1", sequential}, set({{"REFI", 1'000'000}}), -8.5, -6.5},
      {"refresh, random", {"ch", "M2", random}, set({{"REFI", 1'000'000}}), -8.5, -6.5},
      {"refresh, same bank", {"pc", "M1", same_bank}, set({{"REFI", 1'000'000}}), -8.5, -6.5},
      {"ACT holds the row bus for 2 cycles, random", {"ch", "M1", random}, one_cycle_act, -33, -29},
      {"tRRD and tFAW, random", {"pc", "M1", random}, set({{"RRDS", 0}, {"RRDL", 0}, {"FAW", 0}}), -8, -6},
      {"tRAS and tRC, same bank", {"pc", "M1", same_bank}, set({{"RAS", 0}, {"RC", 0}}), -32, -30},
      {"tCCD_L, 1 KiB stride, pseudo-channel", {"pc", "M2", kilobyte}, set({{"CCDL", 2}}), -27, -24},
      {"tCCD_L, 1 KiB stride, channel", {"ch", "M2", kilobyte}, set({{"CCDL", 2}}), -51, -48},
      {"half the read queue, sequential", {"ch", "M1", sequential}, half_queue, 30, 85},
      {"half the read queue, random", {"pc", "M1", random}, half_queue, 8, 85},
      {"row-hit guard, 1 KiB stride", {"pc", "M2", kilobyte}, no_guard, 2, 6},
  };
  for (const Case& c : cases) {
    const double change = change_percent(c.run, c.without);
    fmt::print("{:45} {:+6.1f} %\n", c.name, change);
    EXPECT_GE(change, c.low) << c.name;
    EXPECT_LE(change, c.high) << c.name;
  }
  fmt::print("compared {} changes\n", cases.size());
}

TEST(DramMechanisms, TwoPseudoChannelsOnTheirOwnOverstateRandomBandwidth) {
  const Spec& spec = default_spec();
  DriverConfig d;
  d.mapping = "M1";
  d.controller = spec.controller("pc");
  const double alone = static_cast<double>(drive(spec, d, test::random_reads(1, 30'000)).cycles);
  d.controller = spec.controller("ch");
  const double channel = static_cast<double>(drive(spec, d, test::random_reads(1, 60'000)).cycles);
  EXPECT_GT(channel / alone, 1.35);  // twice the bursts on twice the pseudo-channels, behind one row bus
  EXPECT_LT(channel / alone, 1.6);
  fmt::print("compared 2 runs: a shared row bus takes {:.2f} times as long\n", channel / alone);
}

// Skipping cycles in which nothing can happen is for speed alone; the checker finds every command legal.
TEST(DramMechanisms, SkippingCyclesChangesNothing) {
  const Spec& spec = default_spec();
  const RequestStream streams[] = {
      test::strided_reads(5'000, 32),    test::random_reads(3, 5'000),     test::strided_reads(3'000, 1024),
      test::strided_reads(2'000, 16384), test::mixed_turns(6'000),         test::random_mixed(5, 5'000, 30),
      test::random_mixed(6, 5'000, 100), test::gather_reads(7, 2'000, 96), test::random_mixed(8, 8'000, 60, 1 << 16)};
  int compared = 0;
  std::uint64_t forwarded = 0, coalesced = 0, rules = 0;
  for (const RequestStream& stream : streams)
    for (const char* controller : {"pc", "ch"})
      for (const char* mapping : {"M1", "M2"})
        for (const std::uint64_t window : {0, 1, 7, 40}) {
          DriverConfig d{spec.controller(controller), mapping, window, true};
          CommandChecker a(spec, d.controller.pseudo_channels), b(spec, d.controller.pseudo_channels);
          const DriverResult fast = drive(spec, d, stream, &a);
          d.skip_idle_cycles = false;
          const DriverResult slow = drive(spec, d, stream, &b);
          a.finish(fast.cycles);
          EXPECT_EQ(fast.cycles, slow.cycles);
          const auto key = [](const Statistics& s) {
            return std::vector<std::uint64_t>{
                s.activates,        s.precharges,  s.precharge_alls, s.reads,          s.writes,
                s.refreshes,        s.row_hits,    s.row_misses,     s.row_conflicts,  s.forwarded_reads,
                s.coalesced_writes, s.bytes_read,  s.bytes_written,  s.reads_returned, s.read_latency_cycles,
                s.cycles,           s.busy_cycles, s.row_open_cycles};
          };
          EXPECT_EQ(key(fast.statistics), key(slow.statistics));
          const Statistics& s = fast.statistics;
          EXPECT_EQ(s.reads_returned, stream.reads);
          EXPECT_EQ(s.writes + s.coalesced_writes, stream.writes);
          EXPECT_EQ(s.row_hits + s.row_misses + s.row_conflicts, s.reads + s.writes);
          EXPECT_LE(s.busy_cycles, s.cycles);
          EXPECT_LE(s.row_open_cycles, s.cycles);
          EXPECT_EQ(a.violation_count(), 0u) << a.violations().front().text;
          EXPECT_EQ(b.violation_count(), 0u) << b.violations().front().text;
          forwarded += s.forwarded_reads;
          coalesced += s.coalesced_writes;
          rules += a.comparisons() + b.comparisons();
          compared += 26;
        }
  EXPECT_GT(forwarded, 100u);
  EXPECT_GT(coalesced, 100u);
  fmt::print("compared {} values; {} reads answered from the write queue, {} writes merged; held {} rules\n", compared,
             forwarded, coalesced, rules);
}

// A run longer than the 32-bit window of the timers: cycles per burst stay what they are.
TEST(DramMechanisms, TimersSurviveTheirRebase) {
  const Spec& spec = default_spec();
  Channel ch(spec, spec.controller("ch"), "M2");
  CommandChecker checker(spec, 2);
  ch.attach(&checker);
  std::uint64_t address = 0, returned = 0;
  Cycle now = 0;
  const Cycle end = (Cycle{1} << 30) + 200'000;
  while (now < end) {
    const bool busy = now < 20'000 || now + 400'000 > end;  // idle between, but for refreshes
    if (busy && ch.accept(now, address, false, address, 0)) address += 32;
    for (; ch.has_return(now); ++returned) ch.pop_return(now);
    if (now >= ch.wake()) ch.tick(now);
    now = busy ? now + 1 : std::max(now + 1, std::min({ch.wake(), ch.next_return(), end - 399'999}));
  }
  checker.finish(now);
  EXPECT_EQ(checker.violation_count(), 0u) << checker.violations().front().text;
  EXPECT_EQ(ch.statistics(now).refreshes / 2, now / 3900);
  EXPECT_GT(returned, 380'000u);
  fmt::print("compared 3 values after {} cycles; held {} rules\n", now, checker.comparisons());
}

}  // namespace
}  // namespace winnow::dram
