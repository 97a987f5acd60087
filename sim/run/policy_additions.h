#pragma once
// What a policy adds to a machine (sim/cost/additions.h), from the machine's storage with it and without.
#include "golden/policies/policy.h"
#include "sim/cost/cost.h"

namespace winnow {

// For `group` query heads a KV head. `components`: the machine's own.
std::vector<cost::Component> policy_additions(const Machine& machine, const golden::Policy& policy, int group,
                                              const std::vector<cost::Component>& components,
                                              const cost::Technology& technology);

}  // namespace winnow
