#pragma once
// What a policy adds to a machine: hardware of options that the machine without it would not have. No RTL of these
// exists, so that all are estimates: products and adders of the sizes that the technology knows, multiplexers, and
// storage in proportion to its bits.
//
// in    a machine and a policy; the machine's storage with the policy and without it
// out   components as the machine's own (cost.h), none for a policy that asks for nothing new
#include <vector>

#include "golden/policies/policy.h"
#include "sim/cost/cost.h"

namespace winnow::cost {

// `components`: the machine's own, of the storage `without`.
std::vector<Component> additions_of(const Machine& machine, const golden::Policy& policy,
                                    const std::vector<Component>& components, const std::vector<Stored>& without,
                                    const std::vector<Stored>& with, const Technology& technology);

}  // namespace winnow::cost
