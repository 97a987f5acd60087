#pragma once
// A policy's parameters (golden/policies/policy.h) as a schema: for --set, for files, for --show.
#include <string>

#include "golden/policies/policy.h"
#include "sim/config/schema.h"

namespace winnow {

// Bound to `policy`. Besides its members: tokens.avg and heads.avg, which set start and end from an average.
Schema policy_schema(golden::Policy& policy);
// The same with the name in front: what `winnow policies --show` prints and a file holds.
Schema policy_file_schema(golden::Policy& policy);

// A named policy, or a path of a .yaml file. Throws Error naming file, line, key, value and rule.
golden::Policy load_policy(const std::string& name_or_path);

}  // namespace winnow
