#pragma once
// A layer that the machine has finished, as golden says it: outputs read from the memory image, what was decided,
// counted.
#include <cstdint>
#include <vector>

#include "golden/walk.h"
#include "sim/machine/machine_model.h"

namespace winnow {

// The parts that LayerDetail::machine names (compare_layer.h) are filled in, the others are empty or 0. `importances`:
// how many token and head importances there are by now. Pruned heads write nothing; their outputs are 0 by definition.
golden::LayerResult layer_of_machine(const golden::Shape& shape, const LayerPlan& plan,
                                     const std::vector<GroupRecord>& records, const LayerCounts& counts,
                                     const MachineModel& machine, std::size_t token_importances,
                                     std::size_t head_importances);

}  // namespace winnow
