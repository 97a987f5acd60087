// The shim runs CUDA's barriers, shuffles, ballots and atomics as CUDA defines them, and finds what would hang.
#include "cuda_ref/shim/cuda_names.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "golden/error.h"
#include "tests/support/temporary.h"

namespace winnow::shim {
namespace {

using test::error_of;

template <class F>
void run(unsigned blocks, unsigned threads, Order order, const F& kernel, std::size_t shared = 0) {
  runner().run({blocks, 1, 1}, threads, shared, order, {[](const void* f) { (*static_cast<const F*>(f))(); }, &kernel});
}

constexpr Order kOrders[] = {Order::forward, Order::backward, Order::shuffled};

TEST(Shim, BarrierMakesWritesOfAllVisible) {
  std::uint64_t compared = 0;
  for (const Order order : kOrders) {
    std::vector<unsigned> got(3 * 128);
    run(
        3, 128, order,
        [&] {
          auto* line = static_cast<unsigned*>(runner().dynamic_shared());
          line[threadIdx.x] = blockIdx.x * 1000 + threadIdx.x;
          __syncthreads();
          got[blockIdx.x * 128 + threadIdx.x] = line[127 - threadIdx.x];
        },
        128 * sizeof(unsigned));
    for (unsigned i = 0; i < got.size(); ++i, ++compared) ASSERT_EQ(got[i], i / 128 * 1000 + 127 - i % 128);
  }
  std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(compared));
}

TEST(Shim, OrderShowsAMissingBarrier) {
  // The same kernel without its barrier: the result depends on the order, which is how tests find such a bug.
  std::vector<std::vector<unsigned>> results;
  for (const Order order : {Order::forward, Order::backward}) {
    std::vector<unsigned> got(64);
    run(
        1, 64, order,
        [&] {
          auto* line = static_cast<unsigned*>(runner().dynamic_shared());
          line[threadIdx.x] = threadIdx.x + 1;
          got[threadIdx.x] = line[63 - threadIdx.x];
        },
        64 * sizeof(unsigned));
    results.push_back(got);
  }
  EXPECT_NE(results[0], results[1]);
  std::printf("[ compared ] 64 values\n");
}

TEST(Shim, ShufflesAndBallots) {
  std::uint64_t compared = 0;
  for (const Order order : kOrders) {
    struct Seen {
      unsigned down, up, across, from, ballot, sum;
      std::uint64_t wide;
    };
    std::vector<Seen> seen(96);
    run(1, 96, order, [&] {
      const unsigned t = threadIdx.x;
      Seen s{};
      s.down = __shfl_down_sync(~0u, t, 3);
      s.up = __shfl_up_sync(~0u, t, 5);
      s.across = __shfl_xor_sync(~0u, t, 9);
      s.from = __shfl_sync(~0u, t, 7);
      s.ballot = __ballot_sync(~0u, t % 3 == 0);
      s.wide = __shfl_down_sync(~0u, 0x100000000ull * t, 1);
      s.sum = t;
      for (unsigned step = 16; step; step >>= 1) s.sum += __shfl_xor_sync(~0u, s.sum, static_cast<int>(step));
      __syncwarp();
      seen[t] = s;
    });
    for (unsigned t = 0; t < 96; ++t) {
      const unsigned lane = t % 32, base = t - lane;
      unsigned ballot = 0;
      for (unsigned i = 0; i < 32; ++i) ballot |= static_cast<unsigned>((base + i) % 3 == 0) << i;
      ASSERT_EQ(seen[t].down, lane + 3 < 32 ? t + 3 : t);
      ASSERT_EQ(seen[t].up, lane >= 5 ? t - 5 : t);
      ASSERT_EQ(seen[t].across, base + (lane ^ 9));
      ASSERT_EQ(seen[t].from, base + 7);
      ASSERT_EQ(seen[t].ballot, ballot);
      ASSERT_EQ(seen[t].wide, 0x100000000ull * (lane < 31 ? t + 1 : t));
      ASSERT_EQ(seen[t].sum, 32 * base + 31 * 16);
      compared += 7;
    }
  }
  std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(compared));
}

TEST(Shim, PartOfAWarp) {
  std::vector<unsigned> got(32);
  run(1, 32, Order::shuffled, [&] {
    const unsigned t = threadIdx.x;
    if (t < 16) got[t] = __shfl_sync(0xffffu, t * t, 3) + __ballot_sync(0xffffu, t == 2);
  });
  for (unsigned t = 0; t < 32; ++t) ASSERT_EQ(got[t], t < 16 ? 9u + 4u : 0u);
  std::printf("[ compared ] 32 values\n");
}

TEST(Shim, Atomics) {
  unsigned sum = 0, most = 0;
  std::vector<unsigned> tickets(256);
  unsigned next = 0;
  run(4, 64, Order::shuffled, [&] {
    atomicAdd(&sum, threadIdx.x);
    atomicMax(&most, blockIdx.x * 64 + threadIdx.x);
    tickets[atomicAdd(&next, 1u)] += 1;
  });
  EXPECT_EQ(sum, 4u * 64 * 63 / 2);
  EXPECT_EQ(most, 255u);
  for (const unsigned t : tickets) ASSERT_EQ(t, 1u);
  std::printf("[ compared ] 258 values\n");
}

TEST(Shim, HangsAreErrors) {
  const auto early_exit = error_of([] {
    run(1, 64, Order::forward, [] {
      if (threadIdx.x == 5) return;
      __syncthreads();
    });
  });
  EXPECT_NE(early_exit.find("63 of 64 threads wait"), std::string::npos) << early_exit;
  const auto mixed = error_of([] {
    run(1, 32, Order::forward, [] {
      if (threadIdx.x < 16)
        __ballot_sync(~0u, 1);
      else
        __shfl_sync(~0u, 1, 0);
    });
  });
  EXPECT_NE(mixed.find("different operations"), std::string::npos) << mixed;
  const auto foreign = error_of([] { run(1, 32, Order::forward, [] { __syncwarp(1); }); });
  EXPECT_NE(foreign.find("not in its own mask"), std::string::npos) << foreign;
  EXPECT_NE(error_of([] { run(1, 33, Order::forward, [] {}); }).find("multiple of 32"), std::string::npos);
  // After an error the runner works again.
  unsigned n = 0;
  run(2, 64, Order::forward, [&] {
    __syncthreads();
    atomicAdd(&n, 1u);
  });
  EXPECT_EQ(n, 128u);
  std::printf("[ compared ] 5 values\n");
}

}  // namespace
}  // namespace winnow::shim
