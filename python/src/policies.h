#pragma once
// winnow.Policy.
#include "golden/policies/policy.h"
#include "python/src/parameters.h"
#include "sim/config/policy_schema.h"

namespace winnow::python {

struct PolicyKind {
  using Value = golden::Policy;
  static constexpr const char* provider = "policy";
  static Value load(const std::string& name) { return load_policy(name); }
  static Schema schema(Value& value) { return policy_schema(value); }
  static Schema file_schema(Value& value) { return policy_file_schema(value); }
  static void check(const Value& value) { golden::validate(value); }
};
using PolicyObject = Settable<PolicyKind>;

}  // namespace winnow::python
