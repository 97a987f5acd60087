#pragma once
// Components put together from a technology's units: how logic.cpp says what a machine has, and additions.cpp what a
// policy adds to it.
#include <string>
#include <vector>

#include "sim/cost/cost.h"

namespace winnow::cost {

class Builder {
 public:
  Builder(const Technology& technology, std::vector<Component>& all) : t_(technology), all_(all) {}

  // `count` units of a block; a unit's cycle of work is `per_event` of a counted event (0.5: one cycle for two events).
  // Where the event is the block's busy cycles, all of them work in each. `most_cycle` events in a cycle.
  Component& add(const std::string& block, const std::string& unit, double count, const std::string& event,
                 double per_event, double most_cycle, const std::string& what);

  // `outputs` choices of one of `inputs`, `bits` wide, of multiplexers: an estimate. An event moves `bits` through one.
  void add_multiplexers(const std::string& block, const std::string& name, int inputs, int outputs, int bits,
                        const std::string& event);

 private:
  const Technology& t_;
  std::vector<Component>& all_;
};

}  // namespace winnow::cost
