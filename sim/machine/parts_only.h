#pragma once
// The parts of a machine without work: to look at, or to drive one block of.
#include <memory>

#include "sim/machine/inventory.h"

namespace winnow {

// Blocks, links and memories of a machine for `group` query heads a KV head, with `tokens` tokens of `head_dim` words.
std::unique_ptr<Inventory> parts_only(const Machine& machine, int head_dim, int tokens, int group = 1);

}  // namespace winnow
