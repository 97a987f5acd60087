// The bracket engine against golden/select.h, with jobs back to back, gaps and stalls; and how often a job ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "golden/error.h"
#include "models/topk/bracket_engine.h"
#include "models/topk/engine.h"
#include "tests/models/topk/trace_lists.h"

namespace winnow::topk::test {
namespace {

using Items = std::vector<std::uint64_t>;

Config bracket(unsigned lanes, unsigned depth, unsigned bits) {
  Config c{lanes, depth, bits};
  c.prefilter = Prefilter::bracket;
  return c;
}

// What an adversary, or softmax, may give.
Items make_items(Random& random, unsigned n, unsigned bits) {
  const std::uint64_t top = (std::uint64_t{1} << bits) - 1;
  Items v(n);
  const std::uint64_t kind = random.below(10), distinct = 1 + random.below(8);
  const auto shift = static_cast<unsigned>(random.below(bits));
  const std::uint64_t base = random.next() & top & ~((std::uint64_t{1} << shift) - 1);
  for (unsigned i = 0; i < n; ++i) {
    const std::uint64_t r = random.next() & top;
    switch (kind) {
      case 0: v[i] = r; break;                                                    // uniform
      case 1: v[i] = r >> random.below(bits); break;                              // skewed, as probabilities are
      case 2: v[i] = random.below(distinct) & top; break;                         // many equals
      case 3: v[i] = random.below(distinct) ? 0 : top; break;                     // mostly zero, some saturated
      case 4: v[i] = i & top; break;                                              // ascending
      case 5: v[i] = (n - i) & top; break;                                        // descending
      case 6: v[i] = base; break;                                                 // all equal
      case 7: v[i] = base | (r >> (bits - shift) >> (shift ? 0 : 1)); break;      // all in one bracket
      case 8: v[i] = i == n / 2 ? top : r >> (bits - std::min(bits, 4u)); break;  // one huge
      default: v[i] = i % 7 == 3 ? base : r >> random.below(bits); break;         // a value that comes often
    }
  }
  return v;
}

StreamJob make_job(Random& random, const Config& config) {
  StreamJob j;
  Job& job = j.job;
  job.n = 1 + static_cast<unsigned>(random.below(random.below(4) ? config.capacity() : 3 * config.parallelism)) %
                  config.capacity();
  job.rule = random.below(2) ? Rule::mass : Rule::count;
  j.items = make_items(random, job.n, config.item_bits);
  job.amount = 1 + static_cast<unsigned>(random.below(job.rule == Rule::count ? job.n : 65536));
  if (random.below(8) == 0) job.amount = job.rule == Rule::count ? job.n : 65536;
  return j;
}

// Values compared; fails at the first job that differs.
std::uint64_t compare(const std::vector<StreamJob>& jobs, const StreamResult& got) {
  std::uint64_t compared = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Job& job = jobs[i].job;
    const Result expected = reference(job, jobs[i].items);
    const auto& selection = got.results[i].selection;
    EXPECT_EQ(got.results[i].kept, expected.kept) << "job " << i << " n " << job.n << " amount " << job.amount;
    EXPECT_EQ(selection.kept, expected.selection.kept) << "job " << i;
    EXPECT_EQ(selection.boundary, expected.selection.boundary) << "job " << i;
    EXPECT_EQ(selection.kept_sum, expected.selection.kept_sum) << "job " << i;
    compared += expected.kept.size() + 3;
    if (testing::Test::HasFailure()) break;
  }
  return compared;
}

struct Case {
  unsigned lanes, depth, bits;
};

class BracketSizes : public testing::TestWithParam<Case> {};

TEST_P(BracketSizes, AsGolden) {
  const Case c = GetParam();
  const Config config = bracket(c.lanes, c.depth, c.bits);
  BracketEngine engine(config);
  Random random(c.lanes * 1000 + c.bits);
  std::uint64_t compared = 0, jobs = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<StreamJob> list;
    for (int j = 0; j < 100; ++j) list.push_back(make_job(random, config));
    const auto pace = [&] { return random.below(2) ? 100u : 5 + static_cast<unsigned>(random.below(90)); };
    const StreamResult got = stream(engine, list, random, {pace(), pace(), pace()});
    compared += compare(list, got);
    jobs += list.size();
    ASSERT_FALSE(HasFailure());
  }
  const Stats& s = engine.stats();
  std::printf("P %u depth %u bits %u: %llu jobs, %llu values compared, %llu passes, %llu divisions\n", c.lanes, c.depth,
              c.bits, static_cast<unsigned long long>(jobs), static_cast<unsigned long long>(compared),
              static_cast<unsigned long long>(s.passes), static_cast<unsigned long long>(s.divisions));
  EXPECT_EQ(s.jobs, jobs);
  EXPECT_GT(compared, jobs * 4);
  EXPECT_GT(s.divisions, 0u);
  EXPECT_GT(s.filter_stalls, 0u);
  EXPECT_GT(s.load_stalls, 0u);
  EXPECT_FALSE(engine.busy());
}

INSTANTIATE_TEST_SUITE_P(Bracket, BracketSizes,
                         testing::Values(Case{2, 8, 3}, Case{2, 64, 18}, Case{4, 4, 1}, Case{4, 256, 18},
                                         Case{8, 16, 20}, Case{16, 64, 20}, Case{16, 64, 32}, Case{32, 2, 8},
                                         Case{32, 32, 24}, Case{64, 16, 22}),
                         [](const auto& info) {
                           std::string s = "P";
                           return s.append(std::to_string(info.param.lanes)) + "D" + std::to_string(info.param.depth) +
                                  "W" + std::to_string(info.param.bits);
                         });

// Every list of up to 6 items of 2 bits and up to 4 of 3, every k, and a spread of shares: nothing left to chance.
TEST(Bracket, AllSmallInputs) {
  std::uint64_t jobs = 0, compared = 0;
  for (const unsigned bits : {2u, 3u}) {
    BracketEngine engine(bracket(2, 4, bits));
    Random random(7);
    for (unsigned n = 1; n <= (bits == 2 ? 6u : 4u); ++n) {
      std::vector<StreamJob> list;
      for (unsigned code = 0; code < 1u << (bits * n); ++code) {
        Items items(n);
        for (unsigned i = 0; i < n; ++i) items[i] = (code >> (bits * i)) & ((1u << bits) - 1);
        for (unsigned k = 1; k <= n; ++k) list.push_back({{n, Rule::count, k}, items});
        for (unsigned mu16 : {1u, 16384u, 32768u, 32769u, 52429u, 65535u, 65536u})
          list.push_back({{n, Rule::mass, mu16}, items});
      }
      compared += compare(list, stream(engine, list, random));
      ASSERT_FALSE(HasFailure());
      jobs += list.size();
    }
  }
  std::printf("%llu jobs, %llu values compared\n", static_cast<unsigned long long>(jobs),
              static_cast<unsigned long long>(compared));
  EXPECT_GT(jobs, 75000u);
}

// A job every ceil(n / 8) cycles, as softmax of width 8 asks for, on real probabilities; and the paper's engine beside
// it.
TEST(Bracket, KeepsUpOnSamples) {
  struct Set {
    const char* sample;
    unsigned n, joined, every;
  };
  std::uint64_t compared = 0;
  for (const Set& set : {Set{"minilm-128", 128, 1, 13}, Set{"minilm-128", 384, 3, 7}, Set{"minilm-128", 1024, 8, 5},
                         Set{"smollm2-160", 128, 1, 4}, Set{"smollm2-160", 384, 3, 4}}) {
    const Trace trace = Trace::open(std::string(WINNOW_SOURCE_DIR) + "/traces/samples/" + set.sample + ".safetensors");
    const auto lists = lists_of(trace, set.n, set.joined, set.every, 300);
    ASSERT_GE(lists.size(), 100u);
    for (const auto& [rule, share] : {std::pair{Rule::count, 0.3}, {Rule::count, 0.5}, {Rule::mass, 0.97}}) {
      const auto jobs = jobs_of(lists, rule, share);
      Config config = bracket(16, 64, 20);
      BracketEngine engine(config);
      config.prefilter = Prefilter::none;
      config.pivot = PivotRule::random;
      Engine paper(config);
      Random random(1);
      const StreamResult got = stream(engine, jobs, random), papers = stream(paper, jobs, random);
      compared += compare(jobs, got) + compare(jobs, papers);
      const Stats& s = engine.stats();
      const auto mean = [&](std::uint64_t v) { return static_cast<double>(v) / static_cast<double>(jobs.size()); };
      std::printf(
          "%-11s n %4u %s %.2f: %zu jobs, a job every %.1f cycles of %u (the paper's engine %.1f); load %.1f, "
          "select %.1f, filter %.1f, passes %.2f\n",
          set.sample, set.n, rule == Rule::count ? "count" : "mass ", share, jobs.size(), got.interval(),
          (set.n + 7) / 8, papers.interval(), mean(s.load_cycles), mean(s.select_cycles), mean(s.filter_cycles),
          mean(s.passes));
      EXPECT_LE(got.interval(), (set.n + 7) / 8);
    }
  }
  std::printf("%llu values compared\n", static_cast<unsigned long long>(compared));
  EXPECT_GT(compared, 100000u);
}

// What the counts tell least about: right, and in how many passes.
TEST(Bracket, Adversaries) {
  constexpr unsigned kN = 1024;
  const std::uint64_t top = (1u << 20) - 1;
  const auto make = [](auto&& value) {
    Items v(kN);
    for (unsigned i = 0; i < kN; ++i) v[i] = value(i);
    return v;
  };
  Random random(3);
  const std::pair<const char*, Items> lists[] = {
      {"all zero", make([](unsigned) { return 0; })},
      {"all equal", make([&](unsigned) { return top; })},
      {"all in one bin", make([](unsigned i) { return (1u << 19) + i; })},
      {"ascending", make([](unsigned i) { return i * 1000; })},
      {"descending", make([](unsigned i) { return (1023 - i) * 1000; })},
      {"one huge", make([&](unsigned i) { return i == 700 ? top : i % 3; })},
      {"two values", make([](unsigned i) { return i % 2 ? 600000 : 600001; })},
      {"uniform", make([&](unsigned) { return random.next() & top; })},
      {"an octave each", make([](unsigned i) { return 1u << (i % 20); })}};
  std::uint64_t compared = 0, jobs = 0;
  for (const auto& [name, items] : lists) {
    BracketEngine engine(bracket(16, 64, 20));
    std::vector<StreamJob> all;
    for (unsigned k = 1; k <= kN; k += 31) all.push_back({{kN, Rule::count, k}, items});
    for (unsigned mu16 = 1; mu16 <= 65536; mu16 += 1985) all.push_back({{kN, Rule::mass, mu16}, items});
    const StreamResult got = stream(engine, all, random);
    compared += compare(all, got);
    jobs += all.size();
    std::printf("%-15s a job every %.0f cycles, %.2f passes\n", name, got.interval(),
                static_cast<double>(engine.stats().passes) / static_cast<double>(all.size()));
    EXPECT_LE(engine.stats().passes, 8 * all.size());
  }
  std::printf("%llu jobs, %llu values compared\n", static_cast<unsigned long long>(jobs),
              static_cast<unsigned long long>(compared));
  EXPECT_GT(compared, 100000u);
}

// Gaps on the input and stalls on the output change when a job is done, never what it gives or how it is searched for.
TEST(Bracket, PassesDoNotDependOnPace) {
  const Config config = bracket(4, 64, 18);
  BracketEngine a(config), b(config);
  Random random(9), ra(1), rb(2);
  std::vector<StreamJob> jobs;
  for (int j = 0; j < 300; ++j) jobs.push_back(make_job(random, config));
  const std::uint64_t compared = compare(jobs, stream(a, jobs, ra)) + compare(jobs, stream(b, jobs, rb, {20, 40, 30}));
  EXPECT_EQ(a.stats().passes, b.stats().passes);
  EXPECT_EQ(a.stats().divisions, b.stats().divisions);
  EXPECT_GT(b.stats().filter_stalls, 0u);
  EXPECT_GT(b.stats().load_stalls, 0u);
  std::printf("%llu values compared\n", static_cast<unsigned long long>(compared));
}

// The cycles of the contract, by a job alone: 8 items, P 4.
TEST(Bracket, CyclesOfAJobAlone) {
  BracketEngine engine(bracket(4, 16, 18));
  Random random(1);
  const Items v{9, 1, 2, 3, 40, 5, 6, 7};
  const Result r = run(engine, {8, Rule::count, 3}, v, random);
  EXPECT_EQ(r.kept, (std::vector<std::uint32_t>{0, 4, 7}));
  const Stats& s = engine.stats();
  EXPECT_EQ(s.load_cycles, 1u + 2 + 3);
  EXPECT_EQ(s.passes, 1u);
  EXPECT_EQ(s.select_cycles, 1u + (1 + 2 + 3) + 7);  // scan of the values below 32; pass; search
  EXPECT_EQ(s.filter_cycles, 1u + 2 + 2);
}

std::string message(Config config) {
  config.prefilter = Prefilter::bracket;
  try {
    make_engine(config);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Bracket, BadConfig) {
  EXPECT_EQ(message({16, 64, 33}), "topk.item_bits 33 is not in 1..32 with prefilter bracket");
  EXPECT_EQ(message({16, 64, kBracketItemBitsMax}), "accepted");
  EXPECT_EQ(message({12, 64, 18}), "topk.parallelism 12 is not a power of two in 2..64");
}

TEST(Bracket, BadJobAndItem) {
  BracketEngine engine(bracket(4, 4, 8));
  Random random(1);
  EXPECT_THROW(run(engine, {17, Rule::count, 1}, Items(17, 1), random), Error);
  BracketEngine narrow(bracket(4, 4, 8));
  EXPECT_THROW(run(narrow, {2, Rule::count, 1}, Items{255, 256}, random), Error);
}

}  // namespace
}  // namespace winnow::topk::test
