// Sequences that run together: each is equal to golden's walk of it alone, layers come in turn, and the machine is
// shared. What cannot be a batch is refused in one line.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "golden/error.h"
#include "sim/run.h"
#include "tests/sim/machine/harness.h"

namespace winnow::test {
namespace {

std::string decoder(int tokens, int seed, int heads = 6) {
  return fmt::format("synthetic:layers=3,heads={},kv_heads=2,head_dim=32,tokens={},prompt={},causal=1,seed={}", heads,
                     tokens, tokens - 6, seed);
}

RunOptions options(const char* policy, int batch, int stagger = 1) {
  RunOptions o;
  o.machine = "winnow", o.policy = policy, o.trace = decoder(120, 3);
  o.batch = batch, o.batch_stagger = stagger, o.steps = {1, 2};
  return o;
}

TEST(Batch, EverySequenceIsGoldensAndTheMachineIsShared) {
  std::uint64_t compared = 0;
  for (const char* policy : {"dense", "spatten", "select", "winnow"}) {
    Cycle alone = 0;
    for (const int batch : {1, 2, 4}) {
      const RunOptions o = options(policy, batch);
      const Outcome out = Bench(o).run();
      ASSERT_EQ(out.broken, "") << command_of(o);
      EXPECT_EQ(out.compared.different(), 0u) << out.compared.first_difference() << "\n" << command_of(o);
      compared += out.compared.compared();
      // A layer of each in turn: step and layer alike, further on by the stagger.
      ASSERT_EQ(out.layers.size(), static_cast<std::size_t>(2 * 3 * batch));
      for (std::size_t i = 0; i < out.layers.size(); ++i) {
        const auto n = static_cast<std::size_t>(batch);
        EXPECT_EQ(out.layers[i].sequence, static_cast<int>(i % n));
        EXPECT_EQ(out.layers[i].layer, static_cast<int>(i / n % 3));
        EXPECT_EQ(out.layers[i].step, static_cast<int>(1 + i / n / 3 + i % n));
      }
      if (batch == 1) alone = out.cycles;
      EXPECT_LT(out.cycles, static_cast<Cycle>(batch) * alone + (batch == 1)) << policy << ": nothing is shared";
    }
  }
  fmt::print("{} values equal to golden's\n", compared);
}

// The same steps of the same trace: the same bytes of every sequence, each in its own part of the memory.
TEST(Batch, AlikeSequencesGiveAlikeOutputs) {
  const RunOptions o = options("winnow", 3, 0);
  const Bench bench(o);
  const Outcome out = bench.run();
  ASSERT_EQ(out.broken, "");
  std::uint64_t compared = 0;
  for (std::size_t i = 0; i < out.layers.size(); i += 3)
    for (std::size_t other : {i + 1, i + 2}) {
      const golden::Region &a = out.layers[i].out, &b = out.layers[other].out;
      ASSERT_NE(a.base, b.base);
      for (std::uint64_t at = 0; at < std::uint64_t{a.stride} * a.items; ++at, ++compared)
        ASSERT_EQ(out.image[a.base + at], out.image[b.base + at]) << "byte " << at;
    }
  fmt::print("{} bytes alike\n", compared);
}

TEST(Batch, TracesOfOneModel) {
  std::uint64_t compared = 0;
  // Sentences of three lengths, whatever importance is kept of them.
  const std::vector<std::vector<std::string>> rules = {
      {}, {"scope=kv_head"}, {"importance=decay"}, {"scope=kv_head", "importance=decay"}, {"importance=normalised"}};
  for (const std::vector<std::string>& rule : rules) {
    RunOptions o = options("spatten", 1);
    o.with = {decoder(90, 4), decoder(140, 5)}, o.set = rule;
    const Outcome out = Bench(o).run();
    ASSERT_EQ(out.broken, "");
    EXPECT_EQ(out.compared.different(), 0u) << out.compared.first_difference() << "\n"
                                            << fmt::format("{}", fmt::join(rule, " "));
    EXPECT_EQ(out.layers.size(), 2u * 3 * 3);
    compared += out.compared.compared();
  }
  fmt::print("{} values equal to golden's\n", compared);
}

TEST(Batch, RefusedInOneLine) {
  int refused = 0;
  const auto refuses = [&](const RunOptions& o, const std::string& why) {
    try {
      Bench bench(o);
      ADD_FAILURE() << why << ": accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
      ++refused;
    }
  };
  RunOptions o = options("dense", 8);
  refuses(o, "--batch: 8: its last sequence would run step 9: the trace has steps 0-6");
  o = options("dense", 4, 3), o.steps = {};
  refuses(o, "--batch: 4: its last sequence would run step 10: the trace has steps 0-6");
  o = options("dense", 1), o.with = {decoder(120, 3, 4)};
  refuses(o, "heads: 4: must be 6, as in synthetic:");
  o = options("dense", 1), o.steps = {5, 6},
  o.with = {
      "synthetic:layers=3,heads=6,kv_heads=2,head_dim=32,tokens=90,"
      "prompt=86,causal=1,seed=1"};
  refuses(o, "the batch runs steps 5-6: the trace has steps 0-4");
  o = options("dense", 4), o.set = {"importance.tokens=300"};
  refuses(o, "4 lists of importance: importance memory has 300 words, 476 are needed: raise importance.tokens");
  // The longest sentence counts, and every sequence's list.
  o = options("dense", 1), o.with = {decoder(140, 5)}, o.set = {"importance.tokens=240"};
  refuses(o, "2 lists of importance: importance memory has 240 words, 272 are needed: raise importance.tokens");
  const auto command = [&](RunOptions run, const std::string& why) {
    run.output = testing::TempDir() + "/batch";
    try {
      run_command(run);
      ADD_FAILURE() << why << ": accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
      ++refused;
    }
  };
  o = options("dense", 2), o.engine = "golden";
  command(o, "--batch: 2: engine golden has no batch");
  o = options("dense", 2), o.with = {decoder(120, 3)};
  command(o, "--batch: 2: 2 traces are named, a sequence each: must be left out");
  fmt::print("{} refusals compared\n", refused);
  EXPECT_EQ(refused, 8);
}

}  // namespace
}  // namespace winnow::test
