// The page stage: keys of pages and choices by hand, then what must hold of every step.
#include "golden/pages.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "golden/error.h"
#include "golden/walk.h"
#include "tests/golden/cases.h"

namespace winnow::golden::test {
namespace {

using Tokens = std::vector<std::uint32_t>;

// One head of D 8, whose scales are 1: codes are the values. Dimension 7 of K and Q holds the largest code of either,
// where the other is 0. `k`: dimensions 0 and 1 of each token's key; `q`: of the last query.
struct Hand {
  Values values;
  Hand(const std::vector<std::array<float, 2>>& k, std::array<float, 2> q, float largest) {
    const std::size_t n = k.size();
    values.shape = {1, 1, 1, 8, static_cast<int>(n), static_cast<int>(n) - 1, true, std::log(2.0) / 4096};
    std::vector<float> qs(n * 8), ks(n * 8);
    for (std::size_t t = 0; t < n; ++t) {
      ks[t * 8] = k[t][0], ks[t * 8 + 1] = k[t][1];
      qs[t * 8] = q[0], qs[t * 8 + 1] = q[1], qs[t * 8 + 6] = 2047 / 1.125f;
    }
    ks[7] = largest;
    values.q = {qs}, values.k = {ks}, values.v = {ks};
  }
};

Tokens chosen(const Hand& hand, const Policy& p, std::vector<int>* words = nullptr) {
  const FloatSource source = hand.values.source();
  const Reference reference(source);
  const Quantized model(source, reference, p);
  const Schedule schedule{hand.values.shape, p};
  const PageChoice choice = schedule.pages(1, 0);
  EXPECT_TRUE(choice.chooses());
  PageStage stage(model);
  Tokens tokens;
  stage.choose(0, 0, hand.values.shape.tokens - 1, 1, choice, tokens);
  const HeadCodes& c = model.head(0, 0);
  if (words)
    for (std::size_t page = 0; page * 8 < c.page.size(); ++page) words->push_back(c.page[page * 8]);
  return tokens;
}

// Pages of two tokens, K of 8 bits (largest code 127), the query 100 in dimension 0 and -100 in dimension 1. Keys:
//   page 0: (40, 0), (-20, 0)   mean 10     largest 40   score of the bounds 100 * 40 = 4000
//   page 1: (15, 0), (17, 0)    mean 16     largest 17   1700
//   page 2: (0, -60), (0, 50)   means 0, -5              smallest of dimension 1 is -60: 6000
//   page 3: (9, 0), (2, 0), then the newest token alone: page 4 is not complete.
const std::vector<std::array<float, 2>> kKeys = {{40, 0}, {-20, 0}, {15, 0}, {17, 0}, {0, -60},
                                                 {0, 50}, {9, 0},   {2, 0},  {1, 1}};
Policy two_token_pages(PageKey key, int bits) {
  Policy p;
  p.name = "pages";
  p.pages = 2, p.page_key = key, p.page_bits = bits, p.page_keep = 0.4;  // 2 of 5 pages: the newest, and one more
  p.tokens_free = 0, p.protect_newest = 1;
  p.k_digits = {8};
  return p;
}

TEST(Pages, MeanByHand) {
  Compared compared;
  std::vector<int> words;
  // All eight bits: means 10, 16, 0, 5.5 -> 6. Page 1 scores highest.
  EXPECT_EQ(chosen({kKeys, {100, -100}, 127}, two_token_pages(PageKey::mean, 8), &words), (Tokens{2, 3, 8}));
  EXPECT_EQ(words, (std::vector<int>{10, 16, 0, 6}));
  // Four bits drop four: 10 / 16 -> 1 (0.625), 1, 0, 0 (0.34): of equals the first page.
  words.clear();
  EXPECT_EQ(chosen({kKeys, {100, -100}, 127}, two_token_pages(PageKey::mean, 4), &words), (Tokens{0, 1, 8}));
  EXPECT_EQ(words, (std::vector<int>{1, 1, 0, 0}));
  compared.add(14);
}

TEST(Pages, BoundsByHand) {
  Compared compared;
  std::vector<int> words;
  // Six bits of eight: page 0 has -20 / 4 = -5 and 40 / 4 = 10, in one word 10 * 64 + 59; page 1 has 3 (15 / 4, cut)
  // and 4; page 2 none in dimension 0, but -15 in dimension 1, which the negative query takes: 1500 to page 0's 1000.
  EXPECT_EQ(chosen({kKeys, {100, -100}, 127}, two_token_pages(PageKey::bounds, 6), &words), (Tokens{4, 5, 8}));
  EXPECT_EQ(words, (std::vector<int>{10 * 64 + 59, 4 * 64 + 3, 0, 2 * 64 + 0}));
  // Without dimension 1 page 0 has the highest bound, though its mean is not the highest.
  EXPECT_EQ(chosen({kKeys, {100, 0}, 127}, two_token_pages(PageKey::bounds, 6)), (Tokens{0, 1, 8}));
  compared.add(10);
}

TEST(Pages, LandmarkByHand) {
  Compared compared;
  std::vector<int> words;
  // The last token of each: -20, 17, (0, 50): -5000, 2.
  EXPECT_EQ(chosen({kKeys, {100, -100}, 127}, two_token_pages(PageKey::landmark, 8), &words), (Tokens{2, 3, 8}));
  EXPECT_EQ(words, (std::vector<int>{-20, 17, 0, 2}));
  compared.add(7);
}

// What a page keeps of its bounds never says less than its keys could score: with all bits the page of the token that
// scores highest has the highest bound of all, whatever the query.
TEST(Pages, BoundsHoldForEveryKey) {
  Compared compared(10000);
  Random random(31);
  for (int i = 0; i < 2000; ++i) {
    const int bits = random.between(2, 6), dropped = random.between(0, 6);
    for (int j = 0; j < 20; ++j) {
      const int most = (1 << (bits + dropped - 1)) - 1;
      int low = random.between(-most, most), high = random.between(-most, most);
      if (low > high) std::swap(low, high);
      const int code = random.between(low, high), q = random.between(-2047, 2047);
      const int word = page_bounds(low, high, dropped, bits);
      ASSERT_LT(std::abs(word), 1 << (2 * bits - 1) | 1);
      // Cut, both ends are too low by less than 2^dropped: as much may be missing, for every page alike.
      const int bound = q * page_bound(word, q, bits) * (1 << dropped);
      ASSERT_GE(bound + std::max(0, q) * ((1 << dropped) - 1), q * code);
      compared.add();
    }
  }
}

// At every length, of every policy with pages: the budget, the protected tokens, whole pages, the newest token; and the
// same tokens whatever is asked for first.
TEST(Pages, BudgetsAndProtection) {
  Compared compared(100000);
  Random random(32);
  std::uint64_t left_out = 0;
  for (const auto& entry : policies()) {
    Policy p = entry.make();
    if (!p.pages_tokens()) continue;
    p.tokens_free = 0;
    for (int n = 2; n <= 200; n += 1 + n / 40) {
      const Shape s{1, 4, 2, 16, n, n - 1, true, 0.25};
      const Values values = random_values(s, random, 1);
      const FloatSource source = values.source();
      const Reference reference(source, n - 1);
      const Quantized model(source, reference, p);
      const Schedule schedule{s, p};
      const PageChoice choice = schedule.pages(1, 0);
      const auto tokens = static_cast<std::uint32_t>(n);
      ASSERT_LE(choice.first, choice.end);
      ASSERT_FALSE(schedule.pages(0, 0).chooses()) << "a prompt reads everything";
      if (!choice.chooses()) continue;
      for (int kv = 0; kv < 2; ++kv)
        for (std::uint32_t heads = 1; heads < 4; ++heads) {
          PageStage stage(model);
          Tokens list;
          stage.choose(0, kv, n - 1, heads, choice, list);
          ASSERT_EQ(list.size(), choice.tokens(tokens)) << entry.name << ' ' << n;
          ASSERT_TRUE(std::is_sorted(list.begin(), list.end()));
          ASSERT_EQ(std::adjacent_find(list.begin(), list.end()), list.end());
          ASSERT_EQ(list.back(), tokens - 1);
          const auto has = [&](std::uint32_t t) { return std::binary_search(list.begin(), list.end(), t); };
          std::uint32_t pages = 0;
          for (std::uint32_t t = 0; t < tokens; ++t) {
            if (static_cast<int>(t) < p.protect_first || static_cast<int>(t) >= n - p.protect_newest) {
              ASSERT_TRUE(has(t));
            }
            ASSERT_EQ(has(t), has(t / choice.size * choice.size)) << "pages are whole";
            pages += t % choice.size == 0 && has(t);
          }
          // The budget, unless what is protected and one page more exceed it.
          const std::uint32_t all = (tokens + choice.size - 1) / choice.size;
          ASSERT_LE(pages,
                    std::max<std::uint32_t>(static_cast<std::uint32_t>(p.page_keep * all), all - choice.scored() + 1));
          left_out += tokens - list.size();
          compared.add(tokens);
        }
    }
  }
  EXPECT_GT(left_out, 10000u);
}

// All pages equal: the first stay. One page in question is no question.
TEST(Pages, TiesAndOnePage) {
  Compared compared;
  const Hand hand({{5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}}, {100, 100}, 127);
  for (const PageKey key : {PageKey::mean, PageKey::bounds, PageKey::landmark})
    EXPECT_EQ(chosen(hand, two_token_pages(key, 6)), (Tokens{0, 1, 8}));
  Policy p = two_token_pages(PageKey::mean, 6);
  const auto choice = [&](int n) { return Schedule{Shape{1, 1, 1, 8, n, n - 1, true, 1}, p}.pages(1, 0); };
  EXPECT_FALSE(choice(2).chooses());  // the newest token's page
  EXPECT_FALSE(choice(3).chooses());  // and one more, which always stays
  EXPECT_TRUE(choice(5).chooses());
  compared.add(12);
}

TEST(Pages, BadParameters) {
  const auto refused = [](auto change, const std::string& text) {
    Policy p = make_policy("quest");
    change(p);
    const auto bad = find_violation(p);
    ASSERT_TRUE(bad.has_value()) << text;
    EXPECT_EQ(bad->key + ": " + bad->value + ": " + bad->rule, text);
  };
  refused([](Policy& p) { p.pages = 12; }, "pages: 12: must be 0 or a power of two from 2 on");
  refused([](Policy& p) { p.pages = 0; }, "page_keep: 0.25: must be 1 where pages is 0");
  refused([](Policy& p) { p.page_keep = 1; }, "page_keep: 1: must be above 0, below 1, where pages is above 0");
  refused([](Policy& p) { p.page_bits = 7; }, "page_bits: 7: must be 2..6: both bounds of a channel are one word");
  refused([](Policy& p) { p.tokens = {0.5, 0.5}; },
          "pages: 16: must be 0 where tokens.start or tokens.end is below 1: pages are of all tokens");
  refused([](Policy& p) { p.candidates = 0.5; },
          "candidates: 0.5: must be 1 where pages is above 0: either chooses the keys");
  Shape prompt_alone{1, 1, 1, 8, 20, 20, true, 1};
  EXPECT_THROW(require_effect(make_policy("quest"), prompt_alone), Error);
}

}  // namespace
}  // namespace winnow::golden::test
