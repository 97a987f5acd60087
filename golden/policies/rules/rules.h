#pragma once
// The named policies, a file each: NAME.cpp defines `PolicyEntry NAME()`, with - as _. CMake declares them below, so
// that another rule is another file and nothing else.
#include "golden/policies/policy.h"

namespace winnow::golden::rules {
#include "golden/policies/rules/declared.inc"
}  // namespace winnow::golden::rules
