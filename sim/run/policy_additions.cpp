#include "sim/run/policy_additions.h"

#include <memory>

#include "golden/error.h"
#include "golden/policies/decisions.h"
#include "sim/cost/additions.h"
#include "sim/machine/parts_only.h"
#include "sim/machine/storage.h"

namespace winnow {
namespace {

// The plan as it would be for a trace that says everything of its heads: storage does not depend on what it says.
golden::Decisions plan_of(const golden::Policy& policy, int group) {
  golden::HeadTensors t;
  t.scores = t.distances = {1};
  t.weights.assign(static_cast<std::size_t>(2 * group), 1);
  t.mask = {1, 1};
  t.clusters = {0, 0};
  golden::Shape shape{1, group, 1, 8, 2, 1, true, 1};
  shape.tensors = std::make_shared<const golden::HeadTensors>(std::move(t));
  return golden::decisions_of(policy, shape);
}

}  // namespace

std::vector<cost::Component> policy_additions(const Machine& machine, const golden::Policy& policy, int group,
                                              const std::vector<cost::Component>& components,
                                              const cost::Technology& technology) {
  if (policy.codes_keys())
    throw Error("policy: key_basis: trace: no machine has keys in a basis of their own yet: what it adds is not known");
  const golden::Decisions plan = plan_of(policy, group), none = plan_of(golden::Policy{}, group);
  return cost::additions_of(machine, policy, components, storage_of(*parts_only(machine, none, group)),
                            storage_of(*parts_only(machine, plan, group)), technology);
}

}  // namespace winnow
