// P x V alone: outputs against a plain loop in 64 bits, cycles of a row, sums at their widest, the fullest bank.
#include "models/pv/pv.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "tests/support/groups.h"

namespace winnow {
namespace {

constexpr int kTokens = 800;

struct Array {
  Array(int head_dim, int banks, int width, bool scaled)
      : dim(head_dim),
        m(1, 2, kTokens),
        jobs(4),
        values({"value_buffer", "value buffer", "", ""}, 2, kTokens, head_dim, banks),
        scales(2, kTokens),
        out(8),
        magnitudes(8),
        released(4),
        done(4),
        pv({head_dim, banks, width, 3, scaled, false, false},
           {m.groups, m.constants, m.exponentials, m.kept, m.origins, values, scales}, jobs, out, magnitudes, released,
           done) {
    GroupConstants constants;
    for (std::size_t h = 0; h < 2; ++h) constants.to_out[h] = to_out[h], constants.out16[h] = out16[h];
    place = m.constants.take(constants);
    m.groups[0].readable.fill(0);
  }
  template <class F>
  void load(std::uint32_t n, Cycle& now, F&& word) {
    values.begin(0, n, now), scales.begin(0, n, now);
    ++now;
    for (std::uint32_t s = 0; s < n; ++s, ++now) {
      std::int16_t* w = values.write(0, s, now);
      for (int d = 0; d < dim; ++d) w[d] = static_cast<std::int16_t>(word(s, d));
      *scales.append(0, 1, now) = static_cast<std::uint16_t>(60000 - 50 * s);
    }
  }
  int dim;
  test::GroupMemories m;
  Fifo<PvJob> jobs;
  KvBuffer values;
  ScaleStore scales;
  Fifo<OutputVector> out;
  Fifo<HeadMagnitude> magnitudes;
  Fifo<StoreReleased> released;
  Fifo<PvDone> done;
  Pv pv;
  golden::Scale to_out[2] = {{50000, 34}, {40000, 33}};
  std::uint16_t out16[2] = {300, 7};
  ConstantsRef place = 0;
};

struct Row {
  const char* name;
  int head_dim, banks, width;
  std::uint32_t slots;
  bool scaled, all, resident;
  int every;           // of the slots, kept
  bool largest;        // p and V as large as they get
  std::uint64_t busy;  // cycles of the arrays of one row at least; 0: not held
};

TEST(Pv, OutputsAndCycles) {
  std::uint64_t compared = 0;
  for (const Row& c : {Row{"all", 64, 8, 8, 45, false, true, true, 1, false, 6},
                       {"token scales", 32, 2, 2, 33, true, true, false, 1, false, 17},
                       {"a third, side by side", 32, 2, 4, 60, true, false, false, 3, false, 10},
                       {"a third, where they were", 32, 2, 4, 60, false, false, true, 3, false, 10},
                       {"one bank of two", 32, 2, 4, 60, false, false, true, 2, false, 30},
                       {"D 8 in 64 banks", 8, 64, 32, 700, false, true, true, 1, false, 11},
                       {"widest sums", 16, 4, 4, 700, false, true, true, 1, true, 175}}) {
    Array a(c.head_dim, c.banks, c.width, c.scaled);
    Cycle now = 1;
    const auto word = [&](std::uint32_t s, int d) {
      return c.largest ? 2047 : static_cast<int>((s * 37u + static_cast<unsigned>(d) * 101u) % 4095u) - 2047;
    };
    GroupEntry& g = a.m.groups[0];
    std::uint32_t* origins = a.m.origins.poke(0);
    std::uint8_t* flags = a.m.kept.poke(0);
    g.heads = 0b11, g.slots = c.slots;
    std::vector<std::uint32_t> kept;
    for (std::uint32_t i = 0; i < c.slots; ++i) {
      origins[i] = i, flags[i] = c.all || i % static_cast<unsigned>(c.every) == 1;
      if (flags[i]) kept.push_back(i);
      for (int h = 0; h < 2; ++h)
        a.m.exponentials.poke(0, static_cast<std::size_t>(h))[i] =
            c.largest ? 65535 : (i * 97 + static_cast<unsigned>(h) * 13) % 3000;
    }
    // V of resident heads lies at its place in the list, else side by side.
    a.load(c.slots, now,
           [&](std::uint32_t s, int d) { return c.resident ? word(s, d) : word(s < kept.size() ? kept[s] : s, d); });
    PvJob job;
    job.all = c.all, job.resident = c.resident, job.last = true, job.constants = a.place;
    job.address = 4096, job.address_stride = 512, job.first_head = 6;
    a.jobs.push(now++, job);
    const Cycle begin = now;
    int rows = 0;
    for (; now < begin + 3000 && rows < 2; ++now) {
      a.pv.tick(now);
      if (!a.out.can_pop(now)) continue;
      const OutputVector& v = a.out.peek();
      std::uint64_t largest = 0;
      const auto wide = [&](std::uint32_t i) {
        return std::uint64_t{a.m.exponentials.peek(0, static_cast<std::size_t>(rows))[i]} *
               (c.scaled ? a.scales.value(0, i) : 65536u);
      };
      for (std::uint32_t i : kept) largest = std::max(largest, wide(i));
      int exponent = 0;
      while ((largest >> exponent) > 4095) ++exponent;
      std::uint64_t magnitude = 0;
      for (int d = 0; d < c.head_dim; ++d, ++compared) {
        std::int64_t sum = 0;
        for (std::uint32_t i : kept) {
          const std::uint64_t w = exponent ? (wide(i) + (std::uint64_t{1} << (exponent - 1))) >> exponent : wide(i);
          sum += static_cast<std::int64_t>(std::min<std::uint64_t>(w, 4095)) * word(i, d);
        }
        const std::int16_t y = golden::requantize_out(sum, a.to_out[rows], exponent);
        ASSERT_EQ(v.data[static_cast<std::size_t>(d)], y) << c.name << ": head " << rows << " dimension " << d;
        magnitude += static_cast<std::uint64_t>(std::abs(y));
      }
      EXPECT_EQ(v.address, 4096u + 512u * static_cast<unsigned>(rows));
      EXPECT_EQ(a.magnitudes.peek().value, magnitude * a.out16[rows]);
      EXPECT_EQ(a.magnitudes.peek().head, 6 + rows);
      a.out.pop(now), a.magnitudes.pop(now);
      ++rows;
    }
    ASSERT_EQ(rows, 2) << c.name;
    EXPECT_EQ(a.pv.multiplications(), 2ull * kept.size() * static_cast<unsigned>(c.head_dim)) << c.name;
    // Two rows: weigh the first, multiply both (weighing the second under the first), latency.
    const std::uint64_t weigh = (c.slots + static_cast<unsigned>(c.width) - 1) / static_cast<unsigned>(c.width);
    EXPECT_GE(now - begin, weigh + c.busy + std::max(weigh, c.busy)) << c.name;
    EXPECT_LE(now - begin, weigh + c.busy + std::max(weigh, c.busy) + 3 + 6) << c.name;
    EXPECT_TRUE(a.released.can_pop(now + 1) && a.done.can_pop(now + 1));
    EXPECT_TRUE(a.pv.idle());
  }
  std::printf("%llu outputs equal\n", static_cast<unsigned long long>(compared));
}

}  // namespace
}  // namespace winnow
