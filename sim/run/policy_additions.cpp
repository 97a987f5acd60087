#include "sim/run/policy_additions.h"

#include <memory>

#include "golden/basis.h"
#include "golden/error.h"
#include "golden/policies/schedule.h"
#include "sim/cost/additions.h"
#include "sim/machine/parts_only.h"
#include "sim/machine/storage.h"

namespace winnow {
namespace {

// A trace that says everything of its heads: what a policy adds does not depend on what it says.
golden::Shape shape_of(int group) {
  golden::HeadTensors t;
  t.scores = t.distances = {1};
  t.weights.assign(static_cast<std::size_t>(2 * group), 1);
  t.mask = {1, 1};
  t.clusters = {0, 0};
  t.key_basis = std::make_shared<const golden::KeyBasis>();
  golden::Shape shape{1, group, 1, 8, 2, 1, true, 1};
  shape.tensors = std::make_shared<const golden::HeadTensors>(std::move(t));
  return shape;
}

}  // namespace

std::vector<cost::Component> policy_additions(const Machine& machine, const golden::Policy& policy, int group,
                                              const std::vector<cost::Component>& components,
                                              const cost::Technology& technology) {
  const golden::Shape shape = shape_of(group);
  const golden::Decisions plan = golden::decisions_of(policy, shape), none = golden::decisions_of({}, shape);
  if (plan.coded)
    throw Error("policy: key_basis: trace: no machine has keys in a basis of their own yet: what it adds is not known");
  const int block = golden::Schedule{shape, policy}.tokens(1, 0).block;
  return cost::additions_of(machine, plan, block, components, storage_of(*parts_only(machine, none, group)),
                            storage_of(*parts_only(machine, plan, group)), technology);
}

}  // namespace winnow
