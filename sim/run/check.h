#pragma once
// The machine against golden, layer by layer: outputs as they lie in memory, probabilities of generation steps,
// survivors, values, refetches, who lives, importance, bytes. Counts what it compared; keeps the first difference.
#include <cstdint>
#include <string>
#include <vector>

#include "golden/walk.h"
#include "sim/machine/machine_model.h"

namespace winnow {

struct Compared {
  std::uint64_t outputs = 0, probabilities = 0, decisions = 0, importances = 0, counts = 0;
  std::uint64_t differences = 0;
  std::string first;  // "step 2 layer 5 head 3 position 129 dimension 17: output: machine 12, golden 13"
  std::uint64_t total() const { return outputs + probabilities + decisions + importances + counts; }
};

// Compares one layer that the machine has just finished with golden's result of the same layer.
void compare_layer(const golden::Shape& shape, const LayerPlan& plan, const std::vector<GroupRecord>& records,
                   const LayerCounts& counts, const ImportanceMemory& importance,
                   const std::vector<std::uint8_t>& image, const golden::LayerResult& expected, Compared& c);

}  // namespace winnow
