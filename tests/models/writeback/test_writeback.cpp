// Output vectors packed to bursts, against a loop over bits; and through the fetcher into the memory's image.
#include <gtest/gtest.h>

#include <iostream>

#include "models/dram/memory.h"
#include "models/writeback/writeback.h"
#include "tests/models/converter/bits.h"
#include "tests/models/fetcher/support.h"

namespace winnow::test {
namespace {

OutputVector random_vector(Random& random, int words, std::uint64_t address) {
  OutputVector v;
  v.tag.query = static_cast<std::uint32_t>(random.below(1000));
  v.address = address;
  v.words = static_cast<std::uint16_t>(words);
  for (int i = 0; i < words; ++i)
    v.data[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(static_cast<int>(random.below(4096)) - 2048);
  return v;
}

TEST(WriteBack, PacksEveryDimensionExactly) {
  Random random(3);
  std::uint64_t words = 0, zeros = 0;
  for (int d = 8; d <= kMaxHeadDim; d += 8) {
    Fifo<OutputVector> in(2);
    Fifo<WriteBurst> out(4);
    WriteBack block(in, out);
    const int vectors = 6, bursts = (d * 12 / 8 + 31) / 32;
    std::vector<OutputVector> sent;
    std::vector<std::uint8_t> bytes;
    std::size_t next = 0;
    Cycle now = 0;
    for (; now < 5000 && bytes.size() < static_cast<std::size_t>(vectors * bursts * 32); ++now) {
      if (next < vectors && in.can_push(now)) {
        sent.push_back(random_vector(random, d, 4096 * next));
        in.push(now, sent.back());
        ++next;
      }
      block.tick(now);
      if (out.can_pop(now) && random.percent(70)) {
        const WriteBurst& b = out.peek();
        const std::size_t i = bytes.size() / 32, v = i / static_cast<std::size_t>(bursts);
        EXPECT_EQ(b.address, 4096 * v + i % static_cast<std::size_t>(bursts) * 32);
        EXPECT_EQ(b.tag, sent[v].tag);
        bytes.insert(bytes.end(), b.data.begin(), b.data.end());
        out.pop(now);
      }
    }
    ASSERT_EQ(bytes.size(), static_cast<std::size_t>(vectors * bursts * 32));
    for (std::size_t v = 0; v < static_cast<std::size_t>(vectors); ++v) {
      const std::uint8_t* p = &bytes[v * static_cast<std::size_t>(bursts) * 32];
      for (int w = 0; w < d; ++w, ++words)
        ASSERT_EQ(word_at(p, w, 12, true), sent[v].data[static_cast<std::size_t>(w)]);
      for (int b = d * 12 / 8; b < bursts * 32; ++b, ++zeros) ASSERT_EQ(p[b], 0);
    }
    EXPECT_TRUE(block.idle());
    EXPECT_EQ(block.vectors(), static_cast<std::uint64_t>(vectors));
    EXPECT_EQ(block.useful_bytes(), static_cast<std::uint64_t>(vectors * d * 12 / 8));
    EXPECT_EQ(block.bursts(), static_cast<std::uint64_t>(vectors * bursts));
    EXPECT_EQ(block.stats().cycles(), now);
  }
  std::cout << words << " words and " << zeros << " padding bytes compared\n";
}

TEST(WriteBack, ABurstACycleAndNamedWaits) {
  Fifo<OutputVector> in(8, 8);
  Fifo<WriteBurst> out(64);
  WriteBack block(in, out);
  Random random(4);
  for (int i = 0; i < 8; ++i) in.push(0, random_vector(random, 64, static_cast<std::uint64_t>(i) * 96));
  Cycle now = 1;
  while (out.pushed() < 24) block.tick(now++);
  EXPECT_EQ(now, 1u + 1 + 24);  // taken in 1, bursts in 2..25
  for (int i = 0; i < 8; ++i) in.push(now, random_vector(random, 256, 0));
  for (int i = 0; i < 100; ++i) block.tick(++now);  // 40 places left, nobody pops
  EXPECT_EQ(out.pushed(), 64u);
  EXPECT_EQ(block.stats().cycles_of(block.kFetcher), 100u - 1 - 40);
  OutputVector odd = random_vector(random, 64, 16);
  Fifo<OutputVector> odd_in(2);
  WriteBack refuses(odd_in, out);
  odd_in.push(now, odd);
  EXPECT_THROW(refuses.tick(now + 1), std::logic_error);
  std::cout << "4 counts compared\n";
}

// Reads and writes share the crossbar and the memory: outputs of 48 B at a stride of 64 B land beside each other.
TEST(WriteBack, ThroughFetcherIntoTheImageWhileReadsGoOn) {
  constexpr std::uint64_t kOut = 1 << 19;
  constexpr int kVectors = 400;
  dram::Memory memory(dram::MemoryConfig{}, random_image(1 << 20, 8));
  const std::vector<std::uint8_t> before = memory.image();
  Fifo<FetchJob> jobs(8);
  Fifo<WriteBurst> writes(4);
  Fifo<OutputVector> outputs(2);
  FetchSide side({}, {}, jobs, writes, ports_of(memory));
  Fetcher& fetcher = side.fetcher;
  WriteBack block(outputs, writes);
  Random random(6);
  std::vector<OutputVector> sent;
  FetchJob job;
  job.key_bits = 12, job.words = 64, job.item_bytes = job.stride_bytes = 96, job.items = 2048;
  jobs.push(0, job);
  OwnedJob owned{job, {}};
  const Expected e = expected_bursts(owned, 32);
  std::vector<std::size_t> at(32, 0);
  std::uint64_t reads = 0;
  Cycle now = 0;
  for (; now < 100000; ++now) {
    if (sent.size() < kVectors && outputs.can_push(now)) {
      sent.push_back(random_vector(random, 32, kOut + sent.size() * 64));
      outputs.push(now, sent.back());
    }
    memory.tick(now);
    fetcher.tick(now);
    block.tick(now);
    for (LaneMask m = side.data.ready(now); m; m &= m - 1) {
      const auto l = static_cast<std::size_t>(std::countr_zero(m));
      const Burst& b = side.data.front(static_cast<int>(l));
      ASSERT_TRUE(std::equal(b.begin(), b.end(), before.begin() + static_cast<std::ptrdiff_t>(e.lane[l][at[l]++])));
      side.data.pop(static_cast<int>(l), now);
      ++reads;
    }
    if (sent.size() == kVectors && block.idle() && outputs.drained() && fetcher.idle() && memory.idle()) break;
  }
  EXPECT_EQ(reads, e.bursts);
  std::uint64_t words = 0;
  for (const auto& v : sent) {
    for (int w = 0; w < v.words; ++w, ++words)
      ASSERT_EQ(word_at(&memory.image()[v.address], w, 12, true), v.data[static_cast<std::size_t>(w)]);
    for (std::size_t b = 48; b < 64; ++b) ASSERT_EQ(memory.image()[v.address + b], 0);
  }
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + kOut, memory.image().begin()));
  EXPECT_EQ(fetcher.writes(), kVectors * 2u);
  std::cout << words << " written words and " << reads << " read bursts compared in " << now << " cycles\n";
}

}  // namespace
}  // namespace winnow::test
