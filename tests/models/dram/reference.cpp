// Every row of reference.tsv: the model must need the cycles the reference simulator needs, within 1 % (3 % with
// writes) by requirement. It copies the mechanisms, so cycles, latency and every command count come out equal,
// and equality is what is held here. The legality checker watches each run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "models/dram/checker.h"
#include "models/dram/driver.h"
#include "tests/models/dram/streams.h"

namespace winnow::dram {
namespace {

std::uint64_t count(const std::string& info, const std::string& key) {
  const std::size_t at = (";" + info).find(";" + key + "=");
  EXPECT_NE(at, std::string::npos) << key << " in " << info;
  return std::stoull(info.substr(at + key.size() + 1));
}

TEST(DramReference, EveryRow) {
  std::ifstream in(WINNOW_SOURCE_DIR "/tests/models/dram/reference.tsv");
  ASSERT_TRUE(in);
  const Spec& spec = default_spec();
  int rows = 0, compared = 0;
  std::uint64_t commands = 0, rules = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#' || line.starts_with("config")) continue;
    std::istringstream words(line);
    std::string config, mapping, peak, trace, info;
    std::uint64_t window = 0, bursts = 0, cycles = 0;
    double gbs = 0, percent = 0, latency = 0;
    words >> config >> mapping >> peak >> trace >> window >> bursts >> cycles >> gbs >> percent >> latency >> info;
    ASSERT_TRUE(words) << line;
    SCOPED_TRACE(config + " " + mapping + " " + trace + " window " + std::to_string(window));

    DriverConfig d;
    d.controller = spec.controller(config.find("_ch_") != std::string::npos ? "ch" : "pc");
    d.controller.row_hit_guard = config.find("rowhit") != std::string::npos;
    d.mapping = mapping;
    d.window = window;
    const RequestStream stream = test::reference_stream(trace);
    ASSERT_EQ(stream.bursts.size(), bursts);
    CommandChecker checker(spec, d.controller.pseudo_channels);
    const DriverResult r = drive(spec, d, stream, &checker);
    checker.finish(r.cycles);
    const Statistics& s = r.statistics;
    const double limit = trace == "f_rw" ? 0.03 : 0.01;
    const double deviation = static_cast<double>(r.cycles) / static_cast<double>(cycles) - 1.0;
    EXPECT_LE(std::abs(deviation), limit);
    EXPECT_EQ(r.cycles, cycles);
    EXPECT_NEAR(s.mean_read_latency_cycles(), latency, 0.051);
    EXPECT_EQ(s.row_hits, count(info, "hit"));
    EXPECT_EQ(s.row_misses, count(info, "miss"));
    EXPECT_EQ(s.row_conflicts, count(info, "conf"));
    EXPECT_EQ(s.refreshes, count(info, "REFab"));
    EXPECT_EQ(s.writes, count(info, "WR"));
    EXPECT_EQ(s.reads, count(info, "RD"));
    EXPECT_EQ(s.precharge_alls, count(info, "PREab"));
    EXPECT_EQ(s.precharges, count(info, "PREpb"));
    EXPECT_EQ(s.activates, count(info, "ACT"));
    EXPECT_EQ(checker.violation_count(), 0u) << checker.violations().front().text;
    EXPECT_EQ(checker.commands(), s.reads + s.writes + s.activates + s.precharges + s.precharge_alls + s.refreshes);
    fmt::print("{:20} {} {:12} {:2} reference {:8} here {:8} {:+.3f} %  latency {:.1f}\n", config, mapping, trace,
               window, cycles, r.cycles, 100 * deviation, s.mean_read_latency_cycles());
    ++rows;
    compared += 11;
    commands += checker.commands();
    rules += checker.comparisons();
  }
  EXPECT_EQ(rows, 20);
  fmt::print("compared {} values of {} rows; held {} rules against {} commands\n", compared, rows, rules, commands);
}

// Every row of reference_mixes.tsv: reads and writes in all proportions, at places of all kinds, fed at all rates. All
// numbers must be equal, the sum of the latencies too.
TEST(DramReference, EveryMixOfReadsAndWrites) {
  std::ifstream in(WINNOW_SOURCE_DIR "/tests/models/dram/reference_mixes.tsv");
  ASSERT_TRUE(in);
  const Spec& spec = default_spec();
  std::uint64_t rows = 0, commands = 0, rules = 0, forwarded = 0, coalesced = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#' || line.starts_with("preset")) continue;
    SCOPED_TRACE(line);
    std::istringstream words(line);
    std::string preset, scheduler, name;
    DriverConfig d;
    int offers = 0;
    words >> preset >> scheduler >> d.mapping >> name >> d.window >> offers;
    std::vector<std::uint64_t> expected;
    for (std::uint64_t v = 0; words >> v;) expected.push_back(v);
    ASSERT_EQ(expected.size(), 14u);
    d.controller = spec.controller(preset);
    d.controller.row_hit_guard = scheduler == "rowhit";
    d.controller.offers = offers;
    const RequestStream stream = test::reference_mix(name);
    CommandChecker checker(spec, d.controller.pseudo_channels);
    const DriverResult r = drive(spec, d, stream, &checker);
    checker.finish(r.cycles);
    const Statistics& s = r.statistics;
    const std::vector<std::uint64_t> got = {stream.bursts.size(), r.cycles,          s.read_latency_cycles,
                                            s.row_hits,           s.row_misses,      s.row_conflicts,
                                            s.refreshes,          s.writes,          s.reads,
                                            s.precharge_alls,     s.precharges,      s.activates,
                                            s.forwarded_reads,    s.coalesced_writes};
    EXPECT_EQ(got, expected);
    EXPECT_EQ(checker.violation_count(), 0u) << checker.violations().front().text;
    ++rows;
    commands += checker.commands();
    rules += checker.comparisons();
    forwarded += s.forwarded_reads;
    coalesced += s.coalesced_writes;
  }
  EXPECT_EQ(rows, 148u);
  EXPECT_GT(forwarded, 100'000u);
  EXPECT_GT(coalesced, 10'000u);
  fmt::print(
      "compared {} values of {} rows ({} reads answered from the write queue, {} writes merged); held {} rules "
      "against {} commands\n",
      14 * rows, rows, forwarded, coalesced, rules, commands);
}

}  // namespace
}  // namespace winnow::dram
