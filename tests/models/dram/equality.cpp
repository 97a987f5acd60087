// Command for command, the controller against the plain one of naive_channel.h: all kinds of streams, both presets,
// both mappings, with and without the guard, windows, small queues, and other numbers in the table.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/dram/driver.h"
#include "tests/models/dram/naive_channel.h"
#include "tests/models/dram/streams.h"

namespace winnow::dram {
namespace {

struct Recorder : CommandSink {
  std::vector<IssuedCommand> all;
  void command(const IssuedCommand& c) override { all.push_back(c); }
};

auto fields(const IssuedCommand& c) {
  return std::tuple(c.cycle, c.command, c.pseudo_channel, c.bank_group, c.bank,
                    c.command == Command::refresh ? 0 : c.row, c.column);
}

std::uint64_t naive_cycles(const Spec& spec, const DriverConfig& d, const RequestStream& s,
                           std::vector<IssuedCommand>& commands) {
  test::NaiveChannel channel(spec, d.controller, d.mapping);
  std::uint64_t next = 0;
  Cycle now = 0;
  for (; next < s.bursts.size() || channel.reads_returned < s.reads || channel.writes_done < s.writes; ++now) {
    for (int k = 0; k < d.controller.offers && next < s.bursts.size(); ++k) {
      if (d.window != 0 && next - channel.reads_returned - channel.writes_done >= d.window) break;
      if (!channel.accept(now, s.bursts[next].address, s.bursts[next].write)) break;
      ++next;
    }
    channel.tick(now);
  }
  commands = std::move(channel.commands);
  return now;
}

TEST(DramEquality, CommandForCommandWithThePlainController) {
  const std::pair<const char*, RequestStream> streams[] = {
      {"sequential", test::strided_reads(1'000, 32)},
      {"random", test::random_reads(1, 300)},
      {"1 KiB stride", test::strided_reads(400, 1024)},
      {"same bank", test::strided_reads(60, 16384)},
      {"gather", test::gather_reads(7, 400, 96)},
      {"turns", test::mixed_turns(1'000)},
      {"writes", test::random_mixed(6, 300, 100)},
      {"mixed", test::random_mixed(5, 400, 40)},
      {"mixed on few rows", test::random_mixed(8, 800, 60, 1 << 16)},
  };
  struct Variant {
    bool guard;
    std::uint64_t window;
    int read_queue, write_queue;
    std::vector<std::pair<const char*, int>> numbers;
  };
  const Variant variants[] = {{true, 0, 0, 0, {}},
                              {false, 5, 0, 0, {{"REFI", 600}, {"RFC", 150}}},
                              {true, 0, 7, 5, {{"CCDL", 6}, {"RRDL", 7}, {"FAW", 40}, {"WTRS", 3}}}};
  std::uint64_t compared = 0, runs = 0;
  for (const auto& [name, stream] : streams)
    for (const char* preset : {"pc", "ch"})
      for (const char* mapping : {"M1", "M2"})
        for (const Variant& v : variants) {
          SCOPED_TRACE(fmt::format("{} {} {} guard {} window {}", name, preset, mapping, v.guard, v.window));
          Spec spec = default_spec();
          for (const auto& [number, value] : v.numbers) spec = spec.with(number, value);
          DriverConfig d{spec.controller(preset), mapping, v.window, true};
          d.controller.row_hit_guard = v.guard;
          if (v.read_queue) d.controller.read_queue = v.read_queue, d.controller.write_queue = v.write_queue;
          Recorder fast;
          const std::uint64_t cycles = drive(spec, d, stream, &fast).cycles;
          std::vector<IssuedCommand> plain;
          ASSERT_EQ(cycles, naive_cycles(spec, d, stream, plain));
          ASSERT_EQ(fast.all.size(), plain.size());
          for (std::size_t i = 0; i < plain.size(); ++i)
            ASSERT_EQ(fields(fast.all[i]), fields(plain[i])) << "command " << i;
          compared += plain.size();
          ++runs;
        }
  EXPECT_EQ(runs, 9u * 2 * 2 * 3);
  fmt::print("compared {} commands of {} runs\n", compared, runs);
}

}  // namespace
}  // namespace winnow::dram
