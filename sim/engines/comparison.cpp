#include "sim/engines/comparison.h"

#include <numeric>

namespace winnow {

std::uint64_t Comparison::compared() const {
  return std::accumulate(compared_.begin(), compared_.end(), std::uint64_t{0});
}
std::uint64_t Comparison::different() const { return std::accumulate(different_.begin(), different_.end(), gave_up_); }

}  // namespace winnow
