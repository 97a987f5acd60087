// The same comparison on a GPU. Without one these tests are skipped, and say so.
#include "cuda_ref/engine/backends.h"
#include "tests/cuda_ref/cases.h"
#include "tests/cuda_ref/common.h"

namespace winnow::cuda_ref::test {
namespace {

std::unique_ptr<Model> load_on_gpu(const golden::FloatSource& source, const Options& options) {
  return load(Backend::gpu, source, options);
}

class OnGpu : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    std::string why;
    if (gpu_name(&why).empty()) GTEST_SKIP() << "skipped: no GPU (" << why << ")";
  }
};

TEST_P(OnGpu, EqualsGolden) {
  Counted counted;
  const Outcome r = walk_both(Trace::open(GetParam().trace), GetParam().policy, load_on_gpu);
  counted.add(r.compared);
  EXPECT_EQ(r.different, 0u) << r.first;
}

INSTANTIATE_TEST_SUITE_P(Cases, OnGpu, testing::ValuesIn(cases()), [](const auto& info) { return info.param.name; });

// Where there is no GPU, asking for one is an error in one line, and `best` is the shim.
TEST(Devices, NoneIsAnError) {
  std::string why;
  const std::string name = gpu_name(&why);
  if (!name.empty()) {
    EXPECT_EQ(best_backend(), Backend::gpu);
    EXPECT_EQ(describe(Backend::gpu), "cuda on " + name);
  } else {
    EXPECT_FALSE(why.empty());
    EXPECT_EQ(best_backend(), Backend::shim);
    EXPECT_EQ(describe(Backend::shim), "cuda kernels in the host shim, no GPU: " + why);
    const golden::FloatSource source = float_source(Trace::open(kDecode + "1"));
    EXPECT_ANY_THROW(load(Backend::gpu, source));
  }
  std::printf("[ compared ] 3 values\n");
}

}  // namespace
}  // namespace winnow::cuda_ref::test
