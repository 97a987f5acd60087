// The CUDA kernels in the host shim against golden, bit for bit, over every policy and option.
#include <map>
#include <set>

#include "cuda_ref/engine/backends.h"
#include "tests/cuda_ref/cases.h"
#include "tests/cuda_ref/common.h"

namespace winnow::cuda_ref::test {
namespace {

class EveryPolicy : public testing::TestWithParam<Case> {};

TEST_P(EveryPolicy, ShimEqualsGolden) {
  Counted counted;
  const Outcome r = walk_both(Trace::open(GetParam().trace), GetParam().policy, load_shim);
  counted.add(r.compared);
  EXPECT_EQ(r.different, 0u) << r.first;
}

INSTANTIATE_TEST_SUITE_P(Cases, EveryPolicy, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

// How threads are grouped and in which order they run changes no bit.
TEST(Threads, GroupingAndOrderDoNotMatter) {
  Counted counted;
  const Trace trace = Trace::open(kDecode + "40");
  golden::Policy policy = golden::make_policy("select");
  policy.tokens = {0.8, 0.5};
  const struct {
    unsigned prompt, decode, blocks;
    shim::Order order;
  } ways[] = {{32, 32, 1, shim::Order::backward},
              {64, 64, 2, shim::Order::shuffled},
              {128, 32, 5, shim::Order::shuffled},
              {32, 256, 4, shim::Order::backward}};
  for (const auto& way : ways) {
    Options options;
    options.prompt_threads = way.prompt, options.decode_threads = way.decode, options.blocks = way.blocks;
    options.order = way.order;
    const Outcome r = walk_both(trace, policy, load_shim, options);
    counted.add(r.compared);
    EXPECT_EQ(r.different, 0u) << way.prompt << " threads: " << r.first;
  }
}

// Operands come from the image: a flipped byte of the newest token's V changes exactly what reads it.
TEST(Image, ACorruptedByteChangesWhatReadsIt) {
  Counted counted;
  const Trace trace =
      Trace::open("synthetic:layers=2,heads=4,kv_heads=2,head_dim=16,tokens=12,prompt=10,causal=1,seed=41");
  const golden::FloatSource source = float_source(trace);
  const golden::Policy policy = golden::make_policy("dense");
  const golden::Layout layout(source.shape, policy, kAlign);
  const auto model = load_shim(source, {});
  const auto clean = model->walk(policy, layout), hurt = model->walk(policy, layout);
  // Layer 1, KV head 1, token 10: read by query heads 2 and 3 of layer 1 in steps 1 and 2, by nobody else. Its first
  // word is dimension 0.
  hurt->corrupt(layout.value(1, 1).at(10), 0x40);
  golden::LayerResult a, b;
  std::uint64_t changed = 0;
  while (clean->next(a)) {
    ASSERT_TRUE(hurt->next(b));
    ASSERT_EQ(a.out.size(), b.out.size());
    for (std::size_t i = 0; i < a.out.size(); ++i) {
      counted.add(1);
      const bool may = a.layer == 1 && a.step > 0 && (i / 16) % 4 >= 2 && i % 16 == 0;
      changed += a.out[i] != b.out[i];
      if (!may) {
        EXPECT_EQ(a.out[i], b.out[i]) << "step " << a.step << " layer " << a.layer << " value " << i;
      }
    }
  }
  EXPECT_GE(changed, 1u);
  EXPECT_LE(changed, 4u);
}

// What the cases stand for really happens in them, on golden.
TEST(Cases, ReachWhatTheyName) {
  Counted counted;
  std::map<std::string, std::uint64_t> seen;
  for (const Case& c : cases()) {
    const golden::FloatSource source = float_source(Trace::open(c.trace));
    const golden::Reference reference(source);
    const golden::Quantized model(source, reference, c.policy);
    const golden::Layout layout(source.shape, c.policy, kAlign);
    golden::Walk walk(model, layout, nullptr);
    golden::LayerResult r;
    while (walk.next(r)) {
      counted.add(1);
      seen["refetched"] += r.refetched;
      seen["not refetched"] += model.decisions().decides() && r.step > 0 && r.refetched < r.row_groups;
      seen["tokens pruned"] += !r.next_live.empty() && static_cast<int>(r.next_live.size()) < r.tokens;
      seen["heads pruned"] += !r.next_heads.empty() && static_cast<int>(r.next_heads.size()) < source.shape.heads;
      for (const std::uint32_t heads : r.heads) seen["KV head skipped"] += heads == 0;
      for (const auto& row : r.rows) {
        seen["selection dropped"] +=
            row.row.stages > 0 && row.row.survivors[row.row.stages - 1].size() < static_cast<std::size_t>(row.row.keys);
        seen["values pruned"] += row.row.stages == 0 && row.row.values.size() < static_cast<std::size_t>(row.row.keys);
        const std::set<std::uint16_t> distinct(row.row.p.begin(), row.row.p.end());
        seen["equal probabilities"] += distinct.size() < row.row.p.size();
      }
    }
  }
  for (const char* what : {"refetched", "not refetched", "tokens pruned", "heads pruned", "KV head skipped",
                           "selection dropped", "values pruned", "equal probabilities"})
    EXPECT_GT(seen[what], 0u) << what;
}

}  // namespace
}  // namespace winnow::cuda_ref::test
