// A check must see every kind of difference, count what it saw, and fail when it saw nothing.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <memory>

#include "golden/error.h"
#include "sim/engines/check_engines.h"
#include "tests/support/temporary.h"
#include "traces/synthetic.h"

namespace winnow {
namespace {

using test::error_of;

RunOptions options_of(IndexRange layers, IndexRange steps) {
  RunOptions o;
  o.trace = "synthetic:layers=3,heads=4,kv_heads=2,head_dim=16,tokens=20,prompt=17,causal=1,seed=5";
  o.policy = "select", o.set = {"tokens.start=0.8", "tokens.end=0.6"};
  o.layers = layers, o.steps = steps;
  return o;
}

struct Fixture {
  Prepared prepared;
  explicit Fixture(IndexRange layers = {}, IndexRange steps = {}) : prepared(prepare(options_of(layers, steps))) {}
  EngineInput input() const { return {prepared, 1, "", {}}; }
  golden::LayerResult layer(int step, int layer) const {
    golden::Walk walk(*prepared.model, *prepared.layout, nullptr);
    golden::LayerResult r;
    while (walk.next(r))
      if (r.step == step && r.layer == layer) return r;
    throw std::runtime_error("no such layer");
  }
};

using K = CompareKind;

TEST(CompareLayer, SeesEveryKindOfDifferenceAndSaysWhere) {
  const Fixture f;
  const golden::LayerResult good = f.layer(2, 1);
  const golden::Shape& shape = f.prepared.shape;
  ASSERT_FALSE(good.rows.empty());
  using R = golden::LayerResult;
  const struct {
    K kind;
    const char* what;
    std::function<void(R&)> change;
  } changes[] = {
      {K::outputs, "head 1 position 18 dimension 3: output: other ", [](R& r) { r.out[19] ^= 1; }},
      {K::outputs, "output of the row: entry 3:", [](R& r) { r.rows[1].row.out[3] += 1; }},
      {K::probabilities,
       "KV head 0 position 18 query head 0 slot 2: probability:", [](R& r) { r.rows[0].row.p[2] += 1; }},
      {K::probabilities, "query head 1: denominator:", [](R& r) { r.rows[0].row.denominator[1] += 1; }},
      {K::decisions, "survivors of stage 0: entry 0:", [](R& r) { r.rows[0].row.survivors[0][0] += 1; }},
      {K::decisions, "values used: how many:", [](R& r) { r.rows[0].row.values.pop_back(); }},
      {K::decisions, "KV head 1: live tokens: entry 4:", [](R& r) { r.live[1][4] += 1; }},
      {K::decisions, "tokens of the next layer: entry 0:", [](R& r) { r.next_live[0] += 1; }},
      {K::decisions, "heads of the next layer: how many:", [](R& r) { r.next_heads.clear(); }},
      {K::decisions, "KV head 0: live query heads:", [](R& r) { r.heads[0] ^= 1; }},
      {K::decisions, "queries run:", [](R& r) { r.rows.pop_back(); }},
      {K::importances, "token 18: importance:", [](R& r) { r.importance[18] += 1; }},
      {K::importances, "head 3: importance:", [](R& r) { r.head_importance[3] += 1; }},
      {K::decisions, "refetch:", [](R& r) { r.rows[0].row.refetched = true; }},
      {K::decisions, "flat rows:", [](R& r) { r.flat += 1; }},
      {K::counts, "bytes of key_msb:", [](R& r) { r.accesses.useful[1] += 1; }},
      {K::counts, "bursts of stream 4:", [](R& r) { r.accesses.stream_bursts[4] += 1; }},
      {K::counts, "bursts written:", [](R& r) { r.accesses.write_bursts += 1; }},
  };
  Comparison same("golden", "other");
  compare_layer(shape, LayerDetail::everything, good, good, same);
  EXPECT_EQ(same.different(), 0u);
  EXPECT_EQ(same.first_difference(), "");
  EXPECT_GT(same.compared(), 300u);
  for (int kind = 0; kind < kCompareKinds; ++kind)
    EXPECT_GT(same.compared(static_cast<K>(kind)), 0u) << kCompareNames[kind];
  for (const auto& c : changes) {
    golden::LayerResult bad = good;
    c.change(bad);
    Comparison comparison("golden", "other");
    compare_layer(shape, LayerDetail::everything, good, bad, comparison);
    EXPECT_GT(comparison.different(c.kind), 0u) << c.what;
    EXPECT_EQ(comparison.different(), comparison.different(c.kind)) << c.what;
    EXPECT_EQ(comparison.first_difference().find("step 2 layer 1 "), 0u) << comparison.first_difference();
    EXPECT_NE(comparison.first_difference().find(c.what), std::string::npos) << comparison.first_difference();
  }
  std::printf("[ compared ] %zu planted differences\n", std::size(changes));
}

// Heads that are pruned write nothing: 0 against 0 is no comparison.
TEST(CompareLayer, AMachinesPrunedHeadsAreNotCounted) {
  const Fixture f;
  golden::LayerResult r = f.layer(2, 1);
  Comparison all("golden", "machine"), fewer("golden", "machine");
  compare_layer(f.prepared.shape, LayerDetail::machine, r, r, all);
  r.heads[1] = 1;
  compare_layer(f.prepared.shape, LayerDetail::machine, r, r, fewer);
  EXPECT_EQ(all.compared(K::outputs), 64u);
  EXPECT_EQ(fewer.compared(K::outputs), 48u);
  std::printf("[ compared ] 112 outputs\n");
}

TEST(CheckEngines, GoldenAndCudaAgreeAndSayWhatTheyWere) {
  const Fixture f;
  std::uint64_t steps = 0;
  const CheckResult r = check_engines(f.input(), parse_engines("golden,cuda"), [&](std::uint64_t) { ++steps; });
  EXPECT_TRUE(r.equal()) << r.comparisons[0].first_difference();
  EXPECT_EQ(r.layers, 12u);
  EXPECT_EQ(steps, 24u);
  ASSERT_EQ(r.had.size(), 2u);
  EXPECT_EQ(r.had[0], "golden (host)");
  EXPECT_EQ(r.had[1].find("cuda ("), 0u);
  // A range compares what lies in it.
  const Fixture range({1, 1}, {1, 2});
  const CheckResult part = check_engines(range.input(), parse_engines("golden,cuda"), [](std::uint64_t) {});
  EXPECT_EQ(part.layers, 2u);
  EXPECT_TRUE(part.equal());
  EXPECT_LT(part.comparisons[0].compared(), r.comparisons[0].compared());
  std::printf("[ compared ] %llu values\n",
              static_cast<unsigned long long>(r.comparisons[0].compared() + part.comparisons[0].compared()));
}

// Every engine that is there, each against the one before, through the interface that `run` uses too.
TEST(CheckEngines, TheMachineAgreesWithWhicheverIsFirst) {
  const Fixture f({}, {1, 2});
  std::uint64_t values = 0;
  for (const char* names : {"golden,systemc", "cuda,systemc"}) {
    const CheckResult r = check_engines(f.input(), parse_engines(names), [](std::uint64_t) {});
    EXPECT_TRUE(r.equal()) << r.comparisons[0].first_difference();
    EXPECT_EQ(r.layers, 6u);
    values += r.comparisons[0].compared();
  }
  std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(values));
}

// An engine that is wrong in one value of one layer.
class Wrong : public Engine {
 public:
  explicit Wrong(std::unique_ptr<Engine> right) : right_(std::move(right)) {}
  std::string name() const override { return "wrong"; }
  std::string what() const override { return "test"; }
  bool run(const OnLayer& on_layer) override {
    return right_->run([&](const EngineLayer& layer) {
      golden::LayerResult r = layer.result;
      if (r.step == 1 && r.layer == 2) r.importance[3] += 1;
      on_layer({r});
    });
  }

 private:
  std::unique_ptr<Engine> right_;
};
std::unique_ptr<Engine> make_wrong(const EngineInput& input, std::string& why_not) {
  return std::make_unique<Wrong>(parse_engines("golden")[0]->make(input, why_not));
}
class Short : public Engine {
 public:
  std::string name() const override { return "short"; }
  std::string what() const override { return "test"; }
  bool run(const OnLayer&) override { return true; }
};
std::unique_ptr<Engine> make_short(const EngineInput&, std::string&) { return std::make_unique<Short>(); }

TEST(CheckEngines, FailsWhereItMust) {
  const Fixture f;
  const auto quiet = [](std::uint64_t) {};
  const EngineEntry wrong{"wrong", make_wrong}, cut{"short", make_short};
  const auto golden = parse_engines("golden")[0];
  const CheckResult r = check_engines(f.input(), {golden, &wrong}, quiet);
  EXPECT_FALSE(r.equal());
  EXPECT_EQ(r.comparisons[0].different(), 1u);
  EXPECT_EQ(r.comparisons[0].first_difference().find("step 1 layer 2 token 3: importance: wrong "), 0u)
      << r.comparisons[0].first_difference();
  const Fixture outside({0, 1}, {});
  EXPECT_TRUE(check_engines(outside.input(), {golden, &wrong}, quiet).equal()) << "outside the range";
  EXPECT_NE(error_of([&] { check_engines(f.input(), {golden, &cut}, quiet); }).find("ends after 0 layers: must run 12"),
            std::string::npos);
  EXPECT_NE(error_of([&] { check_engines(f.input(), {&cut, golden}, quiet); }).find("nothing was compared"),
            std::string::npos);
  EXPECT_NE(error_of([&] { check_engines(f.input(), {golden}, quiet); }).find("a check needs two"), std::string::npos);
  EXPECT_NE(error_of([] { parse_engines("golden,abacus"); }).find("'abacus': known are golden, cuda"),
            std::string::npos);
  EXPECT_NE(error_of([] { parse_engines("golden,golden"); }).find("named twice"), std::string::npos);
  std::printf("[ compared ] 8 outcomes\n");
}

}  // namespace
}  // namespace winnow
