#pragma once
// The parts of a machine without work: to look at, or to drive one block of.
#include <memory>

#include "sim/machine/inventory.h"

namespace winnow {

// Blocks, links and memories of a machine for `group` query heads a KV head, with `tokens` tokens of `head_dim` words.
std::unique_ptr<Inventory> parts_only(const Machine& machine, int head_dim, int tokens, int group = 1);
// The same for one query head a KV head, D as the machine's SRAM counts, and as many tokens as it then holds.
std::unique_ptr<Inventory> parts_only(const Machine& machine);
// The same for `group` query heads a KV head under a plan.
std::unique_ptr<Inventory> parts_only(const Machine& machine, const golden::Decisions& plan, int group);

}  // namespace winnow
