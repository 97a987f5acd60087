#include "sim/cost/logic.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "golden/error.h"
#include "golden/formats.h"
#include "models/prim/bricks.h"
#include "sim/cost/builder.h"

namespace winnow::cost {
namespace {

// Engines are synthesised for these widths; others are scaled from the nearest, and so an estimate.
constexpr int kEngineWidths[] = {4, 16}, kBracketWidths[] = {16};
constexpr int kLanesOfDot = 16;  // dimensions of a dot unit
constexpr int kUnpackerWords = 8;
constexpr int kDenominatorLanes = 8;

// A top-k engine of the machine's width.
void add_engine(Builder& b, const Machine& m, const std::string& block, bool bracket) {
  const int width = m.topk.parallelism;
  int nearest = bracket ? kBracketWidths[0] : kEngineWidths[0];
  const auto consider = [&](int known) {
    if (std::abs(std::log2(known) - std::log2(width)) < std::abs(std::log2(nearest) - std::log2(width)))
      nearest = known;
  };
  if (bracket)
    for (const int known : kBracketWidths) consider(known);
  else
    for (const int known : kEngineWidths) consider(known);
  Component& c = b.add(block, fmt::format("{}_{}", bracket ? "topk_bracket_engine" : "topk_engine", nearest), 1,
                       block + ".busy", 1, 1, "cycle");
  if (nearest == width) return;
  const double by = static_cast<double>(width) / nearest;
  c.area_um2 *= by, c.leakage_w *= by, c.estimate = true;
  for (Action& a : c.actions) a.pj *= by;
  c.source += fmt::format("; x {:.4g}: in proportion to topk.parallelism", by);
}

}  // namespace

std::vector<Component> logic_of(const Machine& m, const Technology& t) {
  std::vector<Component> all;
  Builder b(t, all);
  const bool bricks = m.qk.brick_bits < golden::kWordBits;
  if (bricks && m.qk.brick_bits != 4)
    throw Error(fmt::format("machine: qk.brick_bits: {}: must be 4 or {}: there is no RTL of other bricks to be costed",
                            m.qk.brick_bits, golden::kWordBits));
  const double dim = m.qk.sram.head_dim;

  // Multiplier arrays. A dot of bricks has two multipliers a dimension, one of whole multipliers one.
  const int multipliers_of_dot = bricks ? 2 * kLanesOfDot : kLanesOfDot;
  const std::string dot = bricks ? "dot" : "whole_dot";
  const bool shared = m.arrays == "shared";
  const auto array = [&](const std::string& block, int multipliers) {
    const double dots = std::ceil(static_cast<double>(multipliers) / multipliers_of_dot);
    // With bricks a job's products have many widths, so busy cycles are what is known; whole ones are counted.
    if (bricks)
      b.add(block, dot, dots, block + ".busy", dots, 1, "cycle");
    else
      b.add(block, dot, dots, block + ".multiplications", 1.0 / multipliers_of_dot, multipliers, "multiply");
  };
  array("qk", m.qk.multipliers);
  array("pv", m.pv.multipliers);
  // Where both jobs have both arrays, each also drives the other's.
  if (shared)
    for (const auto& [block, driver] : {std::pair{"qk", "pv"}, std::pair{"pv", "qk"}})
      for (Component& c : all)
        if (c.block == block && c.name == dot)
          c.actions.push_back({std::string(driver) + ".busy", "cycle", c.actions.front().pj, 0});
  b.add("pv", "accumulator", dim, "pv.busy", dim, 1, "cycle");

  // Softmax: a lane a value.
  const double width = m.softmax.width, crude = m.softmax.first_width;
  b.add("softmax", "log2_distance", width, "softmax.exact_exponentials", 1, width, "exponential");
  b.add("softmax", "exp2", width, "softmax.exact_exponentials", 1, width, "exponential");
  b.add("softmax", "denominator", std::ceil(width / kDenominatorLanes), "softmax.exact_exponentials",
        1.0 / std::min<double>(width, kDenominatorLanes), width, "exponential");
  b.add("softmax", "reciprocal", 1, "row_sums.writes", 1, 1, "row");
  b.add("softmax", "probability", width, "softmax.exact_divisions", 1, width, "division");
  if (crude > 0) {
    b.add("softmax", "octave_scale", 1, "row_sums.writes", 1, 1, "row");
    b.add("softmax", "octave_distance", crude, "softmax.crude_exponentials", 1, crude, "exponential");
    b.add("softmax", "pow2_exponential", crude, "softmax.crude_exponentials", 1, crude, "exponential");
    b.add("softmax", "pow2_probability", crude, "softmax.crude_divisions", 1, crude, "division");
  }
  b.add("progressive", "progressive", 1, "progressive.busy", 1, 1, "cycle");

  add_engine(b, m, "topk", m.topk.prefilter == "bracket");
  add_engine(b, m, "cascade_topk", false);

  // P x V around the array: weights as they leave softmax, outputs as they leave the sums.
  b.add("pv", "wide_weight", width, "value_buffer.reads", 1, width, "weight");
  b.add("pv", "weight_exponent", 1, "value_scales.reads", 1.0 / width, width, "weight");
  b.add("pv", "weight12", width, "value_buffer.reads", 1, width, "weight");
  b.add("pv", "renormaliser", 1, "outputs.writes", 1, 1, "row");
  b.add("pv", "requantizer", m.pv.requantizers, "outputs.writes", dim, m.pv.requantizers / dim, "row");

  // The greedy search: both ends' products of a set-up's columns, of which an iteration uses one each; a tree of
  // comparisons a side, an adder each, of which a new product passes one a level; three sums.
  if (m.greedy.columns > 0) {
    const double compared = 2 * std::ceil(std::log2(dim)), added = 3;
    b.add("greedy", "multiply12", 2.0 * m.greedy.columns, "greedy.multiplications", 1, 2.0 * m.greedy.columns,
          "product");
    b.add("greedy", "add24", 2 * (dim - 1) + added, "greedy.iterations", compared + added, 1, "iteration");
    all.back().estimate = true;
  }

  const double vectors = std::max(1.0, m.converter.array_widths * std::floor(m.qk.multipliers / dim));
  b.add("converter", "unpacker", vectors * dim / kUnpackerWords, "converter.words", 1.0 / kUnpackerWords, vectors * dim,
        "word");
  if (crude > 0) {
    b.add("converter", "crude_shift", 1, "query_registers.writes", 1, 1, "vector");
    b.add("converter", "crude_query", dim, "query_registers.writes", dim, 1, "vector");
  }
  b.add("importance", "importance_add", width, "importance_memory.writes", 1, width, "add");
  b.add("writeback", "writeback", 1, "writeback.busy", 1, 1, "cycle");

  constexpr int kAddressBits = 64, kDataBits = 8 * 32 + 32;  // a burst and its tag
  b.add_multiplexers("fetcher", "address_crossbar", m.fetcher.lanes, m.hbm2.channels, kAddressBits, "hbm2.rd");
  b.add_multiplexers("fetcher", "data_crossbar", m.hbm2.channels, m.fetcher.lanes, kDataBits, "hbm2.rd");
  return all;
}

const std::vector<std::string>& unit_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {
        "dot", "whole_dot", "accumulator", "log2_distance", "exp2", "denominator", "reciprocal", "probability",
        "octave_scale", "octave_distance", "pow2_exponential", "pow2_probability", "progressive", "wide_weight",
        "weight_exponent", "weight12", "renormaliser", "requantizer", "unpacker", "crude_shift", "crude_query",
        "importance_add", "writeback",
        // of storage and crossbars, and to compare with
        "fifo", "register", "select16", "multiplier", "pv_accumulate", "multiply12", "add24"};
    for (const int width : kEngineWidths) all.push_back(fmt::format("topk_engine_{}", width));
    for (const int width : kBracketWidths) all.push_back(fmt::format("topk_bracket_engine_{}", width));
    return all;
  }();
  return names;
}

}  // namespace winnow::cost
