#pragma once
// Who watches the controller: the recorder that holds the machine against golden. No part of the machine; it reads
// memories without ports.
#include "models/controller/plan.h"

namespace winnow {

// A group, as far as an observer needs it.
struct GroupView {
  std::uint64_t number;  // in order of start
  const LayerPlan& plan;
  const HeadPlan& head;
  std::uint32_t query;   // place in the plan's positions
  std::uint16_t store;   // its place in the score memories, until it is freed
  std::uint32_t tokens;  // that the query may read
  ListRef pages;         // their names, where a page stage has chosen them
};

class ControllerObserver {
 public:
  virtual ~ControllerObserver() = default;
  virtual void started(const GroupView&) = 0;
  // The tokens of the pages that were chosen are known.
  virtual void paged(const GroupView&) = 0;
  // K's LSBs are fetched and the first pass is discarded.
  virtual void refetched(const GroupView&) = 0;
  // The kept flags hold who survived selection stage `stage`; nothing has been compacted yet.
  virtual void selected(const GroupView&, int stage) = 0;
  // Which values are used is known: those with their flag set, or all.
  virtual void values_known(const GroupView&, bool all) = 0;
  // Probabilities and flags have been read for the last time; they still lie there.
  virtual void freed(const GroupView&) = 0;
  // The group has left, in order of start.
  virtual void retired(const GroupView&) = 0;
};

}  // namespace winnow
