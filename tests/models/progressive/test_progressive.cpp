// The progressive decision alone: any flat head triggers, one verdict a group, stalls while nobody takes it.
#include "models/progressive/progressive.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace winnow {
namespace {

TEST(Progressive, AnyFlatHeadTriggers) {
  GroupTable groups({.group = 4, .longest = 8, .stores = 2});
  for (std::size_t s = 0; s < 2; ++s) groups[s].heads = 0b1011, groups[s].undecided = true;
  Pipe<RowSum> sums(1, 16);
  Fifo<Verdict> to_softmax(2), to_controller(2);
  golden::Decisions decisions;
  decisions.theta16 = 6554;
  Progressive block(decisions, groups, sums, to_softmax, to_controller);  // theta 0.1: flat above a sum of 10
  Cycle now = 1;
  int compared = 0;
  for (int pattern = 0; pattern < 8; ++pattern) {
    for (int row = 0; row < 3; ++row) {
      RowSum& r = sums.push(now);
      r.store = static_cast<std::uint16_t>(pattern & 1);
      r.denominator = static_cast<std::uint64_t>(golden::kExpOne) * ((pattern >> row) & 1 ? 11 : 9);
      r.last_row = row == 2;
      block.tick(now++);
    }
    for (int i = 0; i < 4; ++i) block.tick(now++);
    ASSERT_TRUE(to_softmax.can_pop(now) && to_controller.can_pop(now));
    for (Fifo<Verdict>* link : {&to_softmax, &to_controller}) {
      EXPECT_EQ(link->peek().refetch, pattern != 0) << "pattern " << pattern;
      EXPECT_EQ(link->peek().store, pattern & 1);
      link->pop(now);
      EXPECT_TRUE(link->drained());
      compared += 2;
    }
    ++now;
  }
  EXPECT_EQ(block.refetches(), 7u);
  EXPECT_EQ(block.flat_rows(), 12u);
  // A group that is not asked about passes without a verdict; a verdict that nobody takes holds the rows behind it.
  groups[0].undecided = false;
  RowSum& r = sums.push(now);
  r = {}, r.last_row = true;
  for (int i = 0; i < 3; ++i) block.tick(now++);
  EXPECT_TRUE(to_softmax.drained() && sums.drained());
  groups[0].undecided = true;
  for (int i = 0; i < 3; ++i) {
    RowSum& full = sums.push(now);
    full = {}, full.last_row = true, full.denominator = golden::kExpOne;
    block.tick(now++);
  }
  for (int i = 0; i < 5; ++i) block.tick(now++);
  EXPECT_FALSE(sums.drained());
  EXPECT_GT(block.stats().waited(), 3u);
  std::printf("%d verdicts equal\n", compared);
}

}  // namespace
}  // namespace winnow
