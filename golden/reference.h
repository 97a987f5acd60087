#pragma once
// Float attention of the unpruned model: what errors are measured against, and what output scales are calibrated on.
// Deterministic: fixed order of operations, own exponential, no library function whose last digit depends on its
// version.
#include <vector>

#include "golden/model.h"

namespace winnow::golden {

class Reference {
 public:
  // Rows of positions before `first` are not computed, and are 0.
  explicit Reference(const FloatSource& source, int first = 0);
  // Attention output of one query position in float32, D values.
  const float* out(int layer, int head, int position) const {
    return &out_[((static_cast<std::size_t>(layer) * static_cast<std::size_t>(shape_.heads) +
                   static_cast<std::size_t>(head)) *
                      static_cast<std::size_t>(shape_.tokens) +
                  static_cast<std::size_t>(position)) *
                 static_cast<std::size_t>(shape_.head_dim)];
  }
  // Largest |out| of a query head over the prompt.
  double prompt_max(int layer, int head) const {
    return prompt_max_[static_cast<std::size_t>(layer * shape_.heads + head)];
  }
  const Shape& shape() const { return shape_; }

 private:
  Shape shape_;
  std::vector<float> out_;  // [layers][heads][tokens][D]
  std::vector<double> prompt_max_;
};

}  // namespace winnow::golden
