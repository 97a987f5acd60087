// The radix select and its compaction against golden's selection, on random lists and on lists made of ties.
#include <gtest/gtest.h>

#include <cstdio>
#include <vector>

#include "cuda_ref/engine/runtime_shim.h"
#include "cuda_ref/kernels/block.cuh"
#include "golden/select.h"
#include "tests/support/random.h"

namespace winnow::cuda_ref::shim_backend {
namespace {

struct Chosen {
  Cut cut;
  std::vector<u32> kept;
};

struct SelectArgs {
  const u64* items;
  u32 n, amount;
  int bits;
  bool mass;
  u32* kept;
  u32* count;
  Cut* cut;
};

__global__ void select_kernel(SelectArgs a) {
  __shared__ BlockScratch s;
  const auto item = [&a](u32 j) { return a.items[j]; };
  const Cut cut = a.mass ? cut_by_mass(a.n, a.amount, a.bits, s, item) : cut_by_count(a.n, a.amount, a.bits, s, item);
  const u32 n =
      keep_in_order(a.n, cut, s, item, [](u32 j) { return j; }, [&a](u32 to, u32 from) { a.kept[to] = from; });
  if (threadIdx.x == 0) *a.count = n, *a.cut = cut;
}

Chosen choose(const std::vector<u64>& items, u32 amount, int bits, bool mass, unsigned threads, shim::Order order) {
  Chosen r;
  r.kept.resize(items.size() + 1);
  u32 count = 0;
  Runtime runtime;
  runtime.order = order;
  launch(runtime, select_kernel, Grid{1, 1, 1}, threads, 0,
         SelectArgs{items.data(), static_cast<u32>(items.size()), amount, bits, mass, r.kept.data(), &count, &r.cut});
  r.kept.resize(count);
  return r;
}

using winnow::test::Random;

TEST(RadixSelect, EqualsGoldenByCountAndByMass) {
  Random random(1);
  u64 compared = 0, ties = 0;
  for (int round = 0; round < 600; ++round) {
    const u32 n = 1 + static_cast<u32>(random.below(round % 3 ? 40 : 300));
    const int bits = round % 4 == 0 ? 48 : round % 4 == 1 ? 16 : round % 4 == 2 ? 18 : 2;
    const u64 range = round % 5 == 0 ? 1 + random.below(4) : u64{1} << bits;
    const bool mass = round % 2;
    std::vector<u64> items(n);
    for (auto& x : items) x = random.below(range < (u64{1} << bits) ? range : u64{1} << bits);
    if (mass && bits > 20)
      for (auto& x : items) x &= 0x1fffff;
    if (round % 7 == 0) std::fill(items.begin(), items.end(), items[0]);
    if (round % 11 == 0) std::fill(items.begin(), items.end(), 0);
    const u32 amount = mass ? 1 + static_cast<u32>(random.below(65536)) : 1 + static_cast<u32>(random.below(n + 2));
    std::vector<std::uint32_t> kept;
    const std::vector<std::uint64_t> copy(items.begin(), items.end());
    const golden::Selection s = mass ? golden::select_mass(std::span<const std::uint64_t>(copy), amount, kept)
                                     : golden::select_count(std::span<const std::uint64_t>(copy), amount, kept);
    const Chosen c = choose(items, amount, bits, mass, 32u << (round % 3), static_cast<shim::Order>(round % 3));
    ASSERT_EQ(c.kept, kept) << "round " << round << ", n " << n << ", " << (mass ? "mass " : "count ") << amount;
    ASSERT_EQ(c.cut.boundary, s.boundary) << round;
    ASSERT_EQ(c.cut.equals, s.equals) << round;
    u64 equal = 0;
    for (const u64 x : items) equal += x == s.boundary;
    ties += equal > s.equals;
    compared += kept.size() + 2;
  }
  EXPECT_GT(ties, 50u) << "too few lists in which a tie decides";
  std::printf("[ compared ] %llu values, %llu lists decided by a tie\n", compared, ties);
}

}  // namespace
}  // namespace winnow::cuda_ref::shim_backend
