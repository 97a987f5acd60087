// A check must see every kind of difference, count what it saw, and fail when it saw nothing.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <memory>

#include "golden/error.h"
#include "golden/reference.h"
#include "sim/check/check_engines.h"
#include "traces/synthetic.h"

namespace winnow {
namespace {

struct Fixture {
  Trace trace = Trace::open("synthetic:layers=3,heads=4,kv_heads=2,head_dim=16,tokens=20,prompt=17,causal=1,seed=5");
  golden::Policy policy = golden::make_policy("select");
  golden::FloatSource source;
  std::unique_ptr<golden::Reference> reference;
  std::unique_ptr<golden::Quantized> model;
  std::unique_ptr<golden::Layout> layout;
  Fixture() {
    const TraceMeta& m = trace.meta();
    source.shape = {m.layers, m.heads, m.kv_heads, m.head_dim, m.tokens, m.prompt, m.causal, m.attention_scale};
    source.q = [this](int l, int h, float* dst) { trace.read_q(l, h, dst); };
    source.k = [this](int l, int h, float* dst) { trace.read_k(l, h, dst); };
    source.v = [this](int l, int h, float* dst) { trace.read_v(l, h, dst); };
    policy.tokens = {0.8, 0.6};
    reference = std::make_unique<golden::Reference>(source);
    model = std::make_unique<golden::Quantized>(source, *reference, policy);
    layout = std::make_unique<golden::Layout>(source.shape, policy, 1024);
  }
  EngineInput input() const { return {source, reference.get(), model.get(), layout.get()}; }
  golden::LayerResult layer(int step, int layer) const {
    golden::Walk walk(*model, *layout, nullptr);
    golden::LayerResult r;
    while (walk.next(r))
      if (r.step == step && r.layer == layer) return r;
    throw std::runtime_error("no such layer");
  }
};

TEST(LayerComparison, SeesEveryKindOfDifference) {
  const Fixture f;
  const golden::LayerResult good = f.layer(2, 1);
  ASSERT_FALSE(good.rows.empty());
  using R = golden::LayerResult;
  const struct {
    CheckKind kind;
    const char* what;
    std::function<void(R&)> change;
  } changes[] = {
      {CheckKind::outputs, "output 7:", [](R& r) { r.out[7] ^= 1; }},
      {CheckKind::outputs, "output of the row 3:", [](R& r) { r.rows[1].row.out[3] += 1; }},
      {CheckKind::probabilities, "probability 2:", [](R& r) { r.rows[0].row.p[2] += 1; }},
      {CheckKind::probabilities, "denominator of head 1:", [](R& r) { r.rows[0].row.denominator[1] += 1; }},
      {CheckKind::survivors, "survivor of stage 1", [](R& r) { r.rows[0].row.survivors[0][0] += 1; }},
      {CheckKind::survivors, "number of values, fetched value", [](R& r) { r.rows[0].row.values.pop_back(); }},
      {CheckKind::survivors, "live token of KV head 1, number 4:", [](R& r) { r.live[1][4] += 1; }},
      {CheckKind::survivors, "token of the next layer", [](R& r) { r.next_live[0] += 1; }},
      {CheckKind::survivors, "head of the next layer", [](R& r) { r.next_heads.clear(); }},
      {CheckKind::survivors, "live heads of KV head 0:", [](R& r) { r.heads[0] ^= 1; }},
      {CheckKind::survivors, "recorded rows", [](R& r) { r.rows.pop_back(); }},
      {CheckKind::importance, "importance of token 19:", [](R& r) { r.importance[19] += 1; }},
      {CheckKind::importance, "importance of head 3:", [](R& r) { r.head_importance[3] += 1; }},
      {CheckKind::refetch, "refetched 0:", [](R& r) { r.rows[0].row.refetched = true; }},
      {CheckKind::refetch, "flat rows", [](R& r) { r.flat += 1; }},
      {CheckKind::bytes, "useful bytes, kind 1:", [](R& r) { r.accesses.useful[1] += 1; }},
      {CheckKind::bytes, "bursts of stream 4:", [](R& r) { r.accesses.stream_bursts[4] += 1; }},
      {CheckKind::bytes, "write bursts", [](R& r) { r.accesses.write_bursts += 1; }},
  };
  LayerComparison same("golden", "other");
  same.compare(good, good);
  EXPECT_EQ(same.different(), 0u);
  EXPECT_EQ(same.first_difference(), "");
  EXPECT_GT(same.compared(), 300u);
  for (int kind = 0; kind < kComparedKinds; ++kind)
    EXPECT_GT(same.compared(static_cast<CheckKind>(kind)), 0u) << kComparedNames[kind];
  for (const auto& c : changes) {
    golden::LayerResult bad = good;
    c.change(bad);
    LayerComparison comparison("golden", "other");
    comparison.compare(good, bad);
    EXPECT_GT(comparison.different(c.kind), 0u) << c.what;
    EXPECT_EQ(comparison.different(), comparison.different(c.kind)) << c.what;
    EXPECT_EQ(comparison.first_difference().find("step 2, layer 1: "), 0u) << comparison.first_difference();
    EXPECT_NE(comparison.first_difference().find(c.what), std::string::npos) << comparison.first_difference();
  }
  std::printf("[ compared ] %zu planted differences\n", std::size(changes));
}

TEST(CheckEngines, GoldenAndCudaAgreeAndSayWhatTheyWere) {
  const Fixture f;
  std::uint64_t steps = 0;
  const CheckResult r =
      check_engines(f.input(), parse_engines("golden,cuda"), {0, 2, 0, 3}, [&](std::uint64_t) { ++steps; });
  EXPECT_TRUE(r.equal()) << r.comparisons[0].first_difference();
  EXPECT_EQ(r.layers, 12u);
  EXPECT_EQ(steps, 12u);
  ASSERT_EQ(r.had.size(), 2u);
  EXPECT_EQ(r.had[0], "golden (host)");
  EXPECT_EQ(r.had[1].find("cuda ("), 0u);
  // A range compares what lies in it, and stops behind it.
  steps = 0;
  const CheckResult part =
      check_engines(f.input(), parse_engines("golden,cuda"), {1, 1, 1, 2}, [&](std::uint64_t) { ++steps; });
  EXPECT_EQ(part.layers, 2u);
  EXPECT_EQ(steps, 8u);
  EXPECT_LT(part.comparisons[0].compared(), r.comparisons[0].compared());
  std::printf("[ compared ] %llu values\n",
              static_cast<unsigned long long>(r.comparisons[0].compared() + part.comparisons[0].compared()));
}

// An engine that is wrong in one value of one layer.
std::optional<Engine> make_wrong(const EngineInput& input, std::string& why_not) {
  auto engine = parse_engines("golden")[0]->make(input, why_not);
  auto inner = engine->next;
  engine->name = "wrong";
  engine->next = [inner](golden::LayerResult& r) {
    const bool more = inner(r);
    if (more && r.step == 1 && r.layer == 2) r.importance[3] += 1;
    return more;
  };
  return engine;
}
std::optional<Engine> make_short(const EngineInput&, std::string&) {
  return Engine{"short", "test", [](golden::LayerResult&) { return false; }};
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(CheckEngines, FailsWhereItMust) {
  const Fixture f;
  const auto quiet = [](std::uint64_t) {};
  const EngineEntry wrong{"wrong", make_wrong}, cut{"short", make_short};
  const auto golden = parse_engines("golden")[0];
  const CheckResult r = check_engines(f.input(), {golden, &wrong}, {0, 2, 0, 3}, quiet);
  EXPECT_FALSE(r.equal());
  EXPECT_EQ(r.comparisons[0].different(), 1u);
  EXPECT_EQ(r.comparisons[0].first_difference().find("step 1, layer 2: importance of token 3: golden "), 0u);
  EXPECT_TRUE(check_engines(f.input(), {golden, &wrong}, {0, 1, 0, 3}, quiet).equal()) << "outside the range";
  EXPECT_NE(error_of([&] {
              check_engines(f.input(), {golden, &cut}, {0, 2, 0, 3}, quiet);
            }).find("ends before step 0, layer 0"),
            std::string::npos);
  EXPECT_NE(error_of([&] { check_engines(f.input(), {golden}, {0, 2, 0, 3}, quiet); }).find("a check needs two"),
            std::string::npos);
  EXPECT_NE(
      error_of([&] { check_engines(f.input(), {golden, &wrong}, {7, 8, 0, 3}, quiet); }).find("nothing was compared"),
      std::string::npos);
  EXPECT_NE(error_of([] { parse_engines("golden,abacus"); }).find("'abacus': known are golden, cuda"),
            std::string::npos);
  EXPECT_NE(error_of([] { parse_engines("golden,golden"); }).find("named twice"), std::string::npos);
  std::printf("[ compared ] 8 outcomes\n");
}

}  // namespace
}  // namespace winnow
