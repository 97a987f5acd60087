#pragma once
// What the top-k engine can be built with, said once. C++ includes this: check() in types.cpp, the machine's schema
// (params.h), sim/rtl. scripts/rtl/package.py reads it for the RTL and writes the bounds into
// winnow_machine_pkg.sv, where rtl/topk/topk_engine.sv checks them at elaboration; scripts/rtl/lint tries the corners.
// The Python side takes lines of the form `inline constexpr unsigned kName = 123;`, so each bound has a line to itself.

namespace winnow::topk {

// P, items a cycle: a power of two.
inline constexpr unsigned kParallelismMin = 2;
inline constexpr unsigned kParallelismMax = 64;

// Rows of P items in each FIFO: a power of two.
inline constexpr unsigned kFifoMin = 2;
inline constexpr unsigned kFifoMax = 4096;

// Width of an unsigned item. 48: an accumulated importance.
inline constexpr unsigned kItemBitsMin = 1;
inline constexpr unsigned kItemBitsMax = 48;

// Width of a sum of P * FIFO items.
inline constexpr unsigned kSumBitsMax = 64;

// Items of the engine for values and selection: sums of 16-bit probabilities over a group's query heads, up to 16 of
// them. A wider group has wider items (golden/formats.h, selection_score_bits).
inline constexpr unsigned kItemBitsDefault = 20;

// The bracket engine: lists that it holds, the widest item that it takes.
inline constexpr unsigned kBracketLists = 4;
inline constexpr unsigned kBracketItemBitsMax = 32;

}  // namespace winnow::topk
