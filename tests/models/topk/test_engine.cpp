// The engine against golden/select.h on random jobs: same indices, order, count, boundary and sum, whatever the pivot
// rule, the width, the duplicates, the bubbles and the back-pressure.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/models/topk/drive.h"

namespace winnow::topk::test {
namespace {

std::vector<std::uint64_t> make_items(Random& random, unsigned n, unsigned bits) {
  const std::uint64_t top = (std::uint64_t{1} << bits) - 1;
  std::vector<std::uint64_t> v(n);
  const unsigned kind = random.below(6);
  const std::uint64_t distinct = 1 + random.below(8);
  for (unsigned i = 0; i < n; ++i) {
    switch (kind) {
      case 0: v[i] = random.next() & top; break;                          // uniform
      case 1: v[i] = (random.next() & top) >> random.below(bits); break;  // skewed, as probabilities are
      case 2: v[i] = random.below(distinct) & top; break;                 // many equals
      case 3: v[i] = random.below(distinct) ? 0 : top; break;             // mostly zero, some saturated
      case 4: v[i] = i & top; break;                                      // ascending
      default: v[i] = (n - i) & top;                                      // descending
    }
  }
  return v;
}

void compare_many(unsigned lanes, unsigned depth, unsigned bits, PivotRule pivot, int jobs) {
  const Config config{lanes, depth, bits, pivot, lanes * 1000 + bits};
  Engine engine(config);
  Random random(config.seed + static_cast<unsigned>(pivot));
  std::uint64_t compared = 0;
  for (int j = 0; j < jobs; ++j) {
    Job job;
    job.n =
        1 + static_cast<unsigned>(random.below(random.below(4) ? config.capacity() : 3 * lanes)) % config.capacity();
    job.rule = random.below(2) ? Rule::mass : Rule::count;
    const auto items = make_items(random, job.n, bits);
    job.amount = job.rule == Rule::count ? 1 + static_cast<unsigned>(random.below(job.n))
                                         : 1 + static_cast<unsigned>(random.below(65536));
    if (random.below(8) == 0) job.amount = job.rule == Rule::count ? job.n : 65536;
    const unsigned offer = random.below(2) ? 100 : 40, take = random.below(2) ? 100 : 30;
    const Result expected = reference(job, items);
    const Result got = run(engine, job, items, random, offer, take);
    ASSERT_EQ(got.kept, expected.kept) << "job " << j << " n " << job.n << " amount " << job.amount;
    ASSERT_EQ(got.selection.kept, expected.selection.kept) << "job " << j;
    ASSERT_EQ(got.selection.boundary, expected.selection.boundary) << "job " << j;
    ASSERT_EQ(got.selection.kept_sum, expected.selection.kept_sum) << "job " << j;
    compared += got.kept.size() + 3;
  }
  const Stats& s = engine.stats();
  std::printf("P %u depth %u bits %u %s: %d jobs, %llu values compared, %llu passes, %llu divisions\n", lanes, depth,
              bits, pivot == PivotRule::random ? "random" : "sampled", jobs, static_cast<unsigned long long>(compared),
              static_cast<unsigned long long>(s.passes), static_cast<unsigned long long>(s.divisions));
  EXPECT_GT(compared, static_cast<std::uint64_t>(jobs) * 4);
  EXPECT_GT(s.divisions, 0u);
  EXPECT_GT(s.filter_stalls, 0u);
  EXPECT_GT(s.load_stalls, 0u);
}

struct Case {
  unsigned lanes, depth, bits;
};

class Sizes : public testing::TestWithParam<Case> {};

TEST_P(Sizes, RandomPivot) {
  const Case c = GetParam();
  compare_many(c.lanes, c.depth, c.bits, PivotRule::random, 2000);
}
TEST_P(Sizes, SampledPivot) {
  const Case c = GetParam();
  compare_many(c.lanes, c.depth, c.bits, PivotRule::sampled, 2000);
}

INSTANTIATE_TEST_SUITE_P(Engine, Sizes,
                         testing::Values(Case{2, 8, 3}, Case{2, 64, 18}, Case{4, 4, 1}, Case{4, 256, 18},
                                         Case{8, 16, 20}, Case{16, 64, 18}, Case{16, 64, 48}, Case{32, 2, 8},
                                         Case{32, 32, 24}, Case{64, 16, 48}),
                         [](const auto& info) {
                           std::string s = "P";
                           return s.append(std::to_string(info.param.lanes)) + "D" + std::to_string(info.param.depth) +
                                  "W" + std::to_string(info.param.bits);
                         });

// Every list of up to 5 items of 2 bits, every k, and a spread of shares: nothing left to chance.
TEST(Engine, AllSmallInputs) {
  std::uint64_t jobs = 0, compared = 0;
  for (PivotRule pivot : {PivotRule::random, PivotRule::sampled}) {
    Engine engine({2, 4, 2, pivot, 1});
    Random random(7);
    for (unsigned n = 1; n <= 5; ++n) {
      for (unsigned code = 0; code < 1u << (2 * n); ++code) {
        std::vector<std::uint64_t> items(n);
        for (unsigned i = 0; i < n; ++i) items[i] = (code >> (2 * i)) & 3;
        std::vector<Job> all;
        for (unsigned k = 1; k <= n; ++k) all.push_back({n, Rule::count, k});
        for (unsigned mu16 : {1u, 16384u, 32768u, 32769u, 52429u, 65535u, 65536u}) all.push_back({n, Rule::mass, mu16});
        for (const Job& job : all) {
          const Result expected = reference(job, items), got = run(engine, job, items, random);
          ASSERT_EQ(got.kept, expected.kept) << "n " << n << " code " << code << " amount " << job.amount;
          ASSERT_EQ(got.selection.boundary, expected.selection.boundary);
          ASSERT_EQ(got.selection.kept_sum, expected.selection.kept_sum);
          ++jobs;
          compared += got.kept.size() + 2;
        }
      }
    }
  }
  std::printf("%llu jobs, %llu values compared\n", static_cast<unsigned long long>(jobs),
              static_cast<unsigned long long>(compared));
  EXPECT_GT(jobs, 25000u);
}

}  // namespace
}  // namespace winnow::topk::test
