#pragma once
// A policy's parameters (golden/policies/policy.h) as a schema, for --set and --show.
#include "golden/policies/policy.h"
#include "sim/config/schema.h"

namespace winnow {

// Bound to `policy`. Besides its members: tokens.avg and heads.avg, which set start and end from an average.
Schema policy_schema(golden::Policy& policy);

}  // namespace winnow
