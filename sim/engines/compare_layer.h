#pragma once
// Two engines' results of the same layer, value for value.
//
// in   what each engine says of one layer of one step
// out  a Comparison: how many values of each kind were compared, and the first that differs, by step, layer, head,
//      position and dimension (or slot, or token)
#include "golden/walk.h"
#include "sim/engines/comparison.h"

namespace winnow {

// What is compared. A machine keeps of a layer what leaves its blocks: no denominators, no rows' outputs beside those
// in memory, no sums over rows, no lists of the next layer (the next layer's own lists are compared in their turn), and
// nothing of heads that are pruned.
enum class LayerDetail : std::uint8_t { everything, machine };

void compare_layer(const golden::Shape& shape, LayerDetail detail, const golden::LayerResult& expected,
                   const golden::LayerResult& actual, Comparison& comparison);

}  // namespace winnow
