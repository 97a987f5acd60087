// What a real GPU computed (cuda_ref/results/vectors-*.json) against golden here.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cuda_ref/cases.h"
#include "tests/cuda_ref/common.h"
#include "tests/cuda_ref/vectors.h"

namespace winnow::cuda_ref::test {
namespace {

Digest golden_digest(const Case& c, bool descriptors = true, bool spoil = false) {
  const golden::FloatSource source = float_source(Trace::open(c.trace));
  const golden::Reference reference(source);
  const golden::Quantized model(source, reference, c.policy);
  const golden::Layout layout(source.shape, c.policy, kAlign);
  Digest digest(descriptors);
  digest.image(golden::build_image(model, layout), layout, source.shape.layers);
  golden::Walk walk(model, layout, nullptr);
  golden::LayerResult r;
  while (walk.next(r)) {
    if (spoil) r.out.back() ^= 1, spoil = false;
    digest.layer(r);
  }
  return digest;
}

TEST(Vectors, RecordedOnAGpuEqualGolden) {
  std::uint64_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WINNOW_SOURCE_DIR "/cuda_ref/results")) {
    if (!entry.path().filename().string().starts_with("vectors-")) continue;
    const auto file = nlohmann::json::parse(std::ifstream(entry.path()));
    std::printf("[ vectors  ] %s, driver %s, %s\n", file["device"].get<std::string>().c_str(),
                file["driver"].get<std::string>().c_str(), file["date"].get<std::string>().c_str());
    for (const Case& c : cases()) {
      if (!file["cases"].contains(c.name)) continue;
      const Digest digest = golden_digest(c, file.value("descriptors", false));
      const auto& recorded = file["cases"][c.name];
      EXPECT_EQ(recorded["values"].get<std::uint64_t>(), digest.values()) << c.name;
      EXPECT_EQ(recorded["digest"].get<std::string>(), std::to_string(digest.hash())) << c.name;
      compared += digest.values();
    }
    EXPECT_GT(compared, 0u) << entry.path() << ": holds no case of this build";
  }
  if (compared == 0) GTEST_SKIP() << "skipped: no vectors recorded on a GPU in cuda_ref/results";
  std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(compared));
}

TEST(Vectors, ADigestSeesOneBit) {
  const Case c = cases().front();
  EXPECT_EQ(golden_digest(c).hash(), golden_digest(c).hash());
  EXPECT_NE(golden_digest(c).hash(), golden_digest(c, true, true).hash());
  std::printf("[ compared ] 2 values\n");
}

}  // namespace
}  // namespace winnow::cuda_ref::test
