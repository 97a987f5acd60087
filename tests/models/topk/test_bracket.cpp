// The bracket engine against golden/select.h, with jobs back to back, gaps and stalls; and how often a job ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "golden/error.h"
#include "models/topk/bracket_engine.h"
#include "tests/models/topk/stream.h"

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
      case 0: v[i] = r; break;                                                   // uniform
      case 1: v[i] = r >> random.below(bits); break;                             // skewed, as probabilities are
      case 2: v[i] = random.below(distinct) & top; break;                        // many equals
      case 3: v[i] = random.below(distinct) ? 0 : top; break;                    // mostly zero, some saturated
      case 4: v[i] = i & top; break;                                             // ascending
      case 5: v[i] = (n - i) & top; break;                                       // descending
      case 6: v[i] = base; break;                                                // all equal
      case 7: v[i] = base | (r >> (bits - shift) >> (shift ? 0 : 1)); break;     // all in one bracket
      case 8: v[i] = i == n / 2 ? top : r >> (bits - std::min(bits, 4u)); break;  // one huge
      default: v[i] = i % 7 == 3 ? base : r >> random.below(bits); break;        // a value that comes often
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
                         testing::Values(Case{2, 8, 3}, Case{2, 64, 18}, Case{4, 4, 1}, Case{4, 256, 18}, Case{8, 16, 20},
                                         Case{16, 64, 20}, Case{16, 64, 32}, Case{32, 2, 8}, Case{32, 32, 24},
                                         Case{64, 16, 22}),
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

}  // namespace
}  // namespace winnow::topk::test
