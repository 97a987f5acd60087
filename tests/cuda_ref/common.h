#pragma once
// What the tests of cuda_ref share: a trace as golden's source, and a whole walk held against golden's.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "cuda_ref/walk.h"
#include "golden/quant.h"
#include "golden/reference.h"
#include "sim/engines/compare_layer.h"
#include "sim/engines/prepare.h"
#include "traces/synthetic.h"

namespace winnow::cuda_ref::test {

// Says how many values a test compared; one that compared none fails.
class Counted {
 public:
  ~Counted() {
    std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(n_));
    EXPECT_GT(n_, 0u) << "nothing was compared";
  }
  void add(std::uint64_t n) { n_ += n; }

 private:
  std::uint64_t n_ = 0;
};

constexpr std::uint64_t kAlign = 1024;

struct Outcome {
  std::uint64_t compared = 0, different = 0;
  std::string first;
};

using Load = std::unique_ptr<Model> (*)(const golden::FloatSource&, const Options&);

// Golden and another engine over the whole trace: image, float reference, every layer, errors.
inline Outcome walk_both(const Trace& trace, const golden::Policy& policy, Load load, Options options = {}) {
  const golden::FloatSource source = float_source(trace);
  const golden::Reference reference(source);
  const golden::Quantized model(source, reference, policy);
  const golden::Layout layout(source.shape, policy, kAlign);
  options.measure = true;
  const auto other_model = load(source, options);
  const auto other = other_model->walk(policy, layout);

  Outcome r;
  const auto differ = [&r](const std::string& what) {
    ++r.different;
    if (r.first.empty()) r.first = what;
  };
  const auto image = golden::build_image(model, layout), other_image = other->image();
  if (image.size() != other_image.size()) differ("image size");
  for (std::size_t i = 0; i < image.size() && i < other_image.size(); ++i)
    if (++r.compared; image[i] != other_image[i]) differ("image byte " + std::to_string(i));
  const golden::Shape& s = source.shape;
  for (int layer = 0; layer < s.layers; ++layer)
    for (int head = 0; head < s.heads; ++head) {
      const std::vector<float> mine = other_model->reference(layer, head);
      const float* theirs = reference.out(layer, head, 0);
      for (std::size_t i = 0; i < mine.size(); ++i)
        if (++r.compared; mine[i] != theirs[i]) differ("float reference of head " + std::to_string(head));
    }
  golden::Walk walk(model, layout, &reference);
  Comparison comparison("golden", "cuda");
  golden::LayerResult a, b;
  int layers = 0;
  while (walk.next(a)) {
    if (!other->next(b)) {
      differ("ends after " + std::to_string(layers) + " layers");
      break;
    }
    ++layers;
    compare_layer(s, LayerDetail::everything, a, b, comparison);
    r.compared += 4 + a.error.rows.size();
    if (a.error.difference != b.error.difference || a.error.reference != b.error.reference ||
        a.error.difference_all != b.error.difference_all || a.error.reference_all != b.error.reference_all ||
        a.error.rows != b.error.rows)
      differ("measured error of layer " + std::to_string(a.layer));
  }
  if (layers != s.layers * s.steps() || other->next(b)) differ("number of layers");
  r.compared += comparison.compared();
  r.different += comparison.different();
  if (comparison.different()) r.first = comparison.first_difference();
  return r;
}

}  // namespace winnow::cuda_ref::test
