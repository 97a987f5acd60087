#pragma once
// What a bit, a gate, a multiplier costs: a technology, from sim/technology/*.yaml. Each figure has a source.
//
//   name: mine
//   sources: {measured: "our chip, June"}
//   base: nangate45                # what is not said here is taken from there
//   node: {nm: 40, source: measured}
//   scale:                         # of the base's logic and registers
//     area: {ratio: 0.8, source: measured}
//   units:                         # instead of the base's, one by one
//     dot: {area: {um2: 90000, source: measured}, leakage: {uw: 2000, source: measured},
//           busy: {pj: 80, source: measured}, idle: {pj: 10, source: measured}}
//
// A file without a base must say everything; docs/cost.md has the keys.
#include <map>
#include <string>
#include <vector>

#include "sim/cost/arrays.h"
#include "sim/cost/sram_table.h"

namespace winnow::cost {

struct Figure {
  double value = 0;
  std::string source;
};

// A unit of synthesis: what it takes, and the energy of a cycle with work and of one without, without wires.
struct Unit {
  Figure area_um2, leakage_uw, busy_pj, idle_pj;
};

// Flip-flops and multiplexers, a bit: where there is no RTL, storage and crossbars are estimated from these.
struct BitCost {
  Figure area_um2, leakage_uw, read_pj, write_pj;
};

struct Technology {
  std::string name, file;
  Figure node_nm;
  Figure wires_and_clock_tree;  // dynamic energy of logic over that of its cells
  Figure idle_clock;            // share of the clock's energy that a unit without work still takes
  ArrayRules arrays;
  std::string arrays_source;
  SramTable sram;
  std::map<std::string, Unit> units;

  const Unit& unit(const std::string& name) const;  // throws Error where there is none
  BitCost register_bit() const;                     // of units fifo and register: a word of 16, written and read
  BitCost multiplexer_bit() const;                  // of two inputs: a fifteenth of unit select16
};

// Names that a technology may say something about: units of logic.cpp and those that the above are made of.
const std::vector<std::string>& unit_names();

// A name of sim/technology, or a path of a .yaml file. Throws Error `file: line N: key: value: rule`.
Technology load_technology(const std::string& name_or_path);
std::vector<std::string> technology_names();

}  // namespace winnow::cost
