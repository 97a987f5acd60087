// Payloads as bits, and links seen through their taps: every field at its place, nothing cut, a held side sees nothing.
#include "models/prim/payload.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "models/links/outputs.h"
#include "models/links/row_sums.h"
#include "models/links/write_bursts.h"
#include "tests/support/random.h"

namespace winnow {
namespace {

using test::Random;

TEST(Payload, AnyRunOfBits) {
  Random random(1);
  Bits bits(300);
  std::vector<bool> plain(300);
  for (int i = 0; i < 20000; ++i) {
    const int n = 1 + static_cast<int>(random.below(64)),
              at = static_cast<int>(random.below(301 - static_cast<unsigned>(n)));
    const std::uint64_t v = random.next();
    bits.set(at, n, v);
    for (int b = 0; b < n; ++b) plain[static_cast<std::size_t>(at + b)] = (v >> b) & 1;
    const int m = 1 + static_cast<int>(random.below(64)),
              from = static_cast<int>(random.below(301 - static_cast<unsigned>(m)));
    std::uint64_t expected = 0;
    for (int b = 0; b < m; ++b) expected |= std::uint64_t{plain[static_cast<std::size_t>(from + b)]} << b;
    ASSERT_EQ(bits.get(from, m), expected) << "bits " << from << " to " << from + m - 1;
  }
  std::printf("[ compared ] 20000 runs of bits\n");
}

TEST(Payload, FirstFieldOnTopAndElementZeroBelow) {
  const std::vector<Field> fields = fields_as_bits<OutputVector>();
  EXPECT_EQ(width_of(fields), payload_bits<OutputVector>());
  EXPECT_EQ(fields.front().name, "tag.step");
  EXPECT_EQ(fields.front().at, width_of(fields) - 32);
  EXPECT_EQ(fields.back().name, "data");
  EXPECT_EQ(fields.back().at, 0);
  EXPECT_EQ(fields.back().count, kMaxHeadDim);
  OutputVector v;
  v.tag.step = 0xdeadbeef, v.address = 0xf00000020, v.words = 256, v.data[0] = -1, v.data[1] = -2048,
  v.data[255] = 2047;
  Bits bits(width_of(fields));
  pack(v, bits);
  EXPECT_EQ(bits.get(fields.front().at, 32), 0xdeadbeefu);
  EXPECT_EQ(bits.get(0, 24), 0x800fffu);
  EXPECT_EQ(bits.get(255 * 12, 12), 2047u);
  OutputVector back;
  unpack(bits, back);
  EXPECT_EQ(back.tag, v.tag);
  EXPECT_EQ(back.address, v.address);
  EXPECT_EQ(back.data, v.data);
}

TEST(Payload, AValueThatDoesNotFitIsAnError) {
  RowSum row;
  Bits bits(payload_bits<RowSum>());
  row.denominator = (std::uint64_t{1} << 40) - 1;
  EXPECT_NO_THROW(pack(row, bits));
  row.denominator += 1;
  try {
    pack(row, bits);
    FAIL() << "41 bits went into 40";
  } catch (const std::logic_error& e) {
    EXPECT_STREQ(e.what(), "denominator: 1099511627776 has more than its 40 bits");
  }
  OutputVector v;
  Bits wide(payload_bits<OutputVector>());
  v.data[7] = -2049;
  EXPECT_THROW(pack(v, wide), std::logic_error);
  v.data[7] = 4095;  // a word of 12 bits without its sign
  EXPECT_NO_THROW(pack(v, wide));
}

// Through the tap, a link gives what was put in; FIFO and pipeline alike.
template <class L>
std::uint64_t through(Random& random) {
  Link<L> link(Sizes{});
  LinkTap& tap = link;
  Bits in(link.bits()), out(link.bits());
  std::vector<Bits> waiting;
  std::uint64_t moved = 0;
  for (Cycle now = 1; now < 5000; ++now) {
    const bool hold_in = random.percent(20), hold_out = random.percent(20);
    tap.stall_producer(hold_in), tap.stall_consumer(hold_out);
    EXPECT_FALSE(hold_in && tap.accepts(now));
    EXPECT_FALSE(hold_out && tap.offers(now));
    if (tap.offers(now) && random.percent(70)) {
      tap.head(out);
      EXPECT_EQ(out, waiting.front());
      waiting.erase(waiting.begin());
      tap.take(now);
      ++moved;
    }
    if (tap.accepts(now) && random.percent(70)) {
      for (int at = 0; at < in.width(); at += 64) in.set(at, std::min(64, in.width() - at), random.next());
      tap.give(now, in);
      tap.newest(out);
      EXPECT_EQ(out, in);
      waiting.push_back(in);
    }
    EXPECT_EQ(tap.given() - tap.taken(), waiting.size());
  }
  EXPECT_GT(moved, 500u);
  return moved;
}

TEST(Payload, LinksThroughTheirTaps) {
  Random random(3);
  const std::uint64_t n = through<Outputs>(random) + through<WriteBursts>(random) + through<RowSums>(random);
  std::printf("[ compared ] %llu payloads\n", static_cast<unsigned long long>(n));
}

}  // namespace
}  // namespace winnow
