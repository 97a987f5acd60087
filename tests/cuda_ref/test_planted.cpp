// A comparison that cannot fail proves nothing: kernels with one deliberate fault each must be caught.
#include "tests/cuda_ref/cases.h"
#include "tests/cuda_ref/common.h"

namespace winnow::cuda_ref {
std::unique_ptr<Model> load_planted_1(const golden::FloatSource& source, const Options& options);
std::unique_ptr<Model> load_planted_2(const golden::FloatSource& source, const Options& options);
std::unique_ptr<Model> load_planted_3(const golden::FloatSource& source, const Options& options);
std::unique_ptr<Model> load_planted_4(const golden::FloatSource& source, const Options& options);
}  // namespace winnow::cuda_ref

namespace winnow::cuda_ref::test {
namespace {

const Case& named(const std::string& name) {
  static const std::vector<Case> all = cases();
  for (const Case& c : all)
    if (c.name == name) return c;
  throw std::runtime_error("no case " + name);
}

void expect_caught(const char* fault, const std::string& name, Load load, Options options = {}) {
  Counted counted;
  const Outcome r = walk_both(Trace::open(named(name).trace), named(name).policy, load, options);
  counted.add(r.compared);
  EXPECT_GT(r.different, 0u) << fault;
  std::printf("[  caught  ] %s: %llu values differ, first: %s\n", fault, static_cast<unsigned long long>(r.different),
              r.first.c_str());
}

TEST(Planted, TiesTakenFromTheEnd) { expect_caught("ties taken from the end", "ties", load_planted_1); }
TEST(Planted, BarrierLost) {
  Options options;
  options.order = shim::Order::forward;  // the warp that reads the bins runs before the others have filled them
  expect_caught("a barrier lost between histogram and search", "ties", load_planted_2, options);
}
TEST(Planted, RestLost) { expect_caught("the rest left out of the denominator", "select_decode", load_planted_3); }
TEST(Planted, WeightCutInsteadOfRounded) {
  expect_caught("weights cut instead of rounded", "dense_decode", load_planted_4);
}

}  // namespace
}  // namespace winnow::cuda_ref::test
