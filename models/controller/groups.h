#pragma once
// Groups: the life of one query position on one KV head, from its first pass to P x V.
//
// kTransitions is the whole of it. A transition is made by a message of another block, or as soon as there is room for
// what it sends. Importance, local top-k, V fetch and P x V keep the order of start; passes and selections do not.
#include <cstdint>

#include "models/controller/loads.h"
#include "models/controller/observer.h"
#include "models/controller/state.h"

namespace winnow::controller {

struct Transition {
  Stage from, to;
  const char* when;
};
inline constexpr Transition kTransitions[] = {
    {Stage::passing, Stage::gathering, "the verdict asks for K's LSBs"},
    {Stage::passing, Stage::selecting, "probabilities are there, and a selection stage is due"},
    {Stage::passing, Stage::final, "probabilities are there, and they are final"},
    {Stage::selecting, Stage::gathering, "the top-k engine has marked the survivors"},
    {Stage::gathering, Stage::passing,
     "the gather is ordered, the survivors have moved up, and Q x K takes the next pass"},
    {Stage::final, Stage::kept, "every value is used"},
    {Stage::final, Stage::pruning, "the top-k engine takes the local values"},
    {Stage::pruning, Stage::kept, "the top-k engine has marked the values"},
    {Stage::kept, Stage::weighing, "V and its scales are under way to this head, and P x V takes the group"},
};

class Groups {
 public:
  Groups(State& state, Loads& loads) : s_(state), loads_(loads) {}

  // Takes what the blocks have to say.
  void messages(Cycle now);
  // Frees stores, halves and places that nobody reads any more.
  void retire(Cycle now);
  // Moves every group on as far as messages allow; oldest first.
  void advance(Cycle now);
  // Starts the next group, if there is a store, its queries are ordered, and Q x K takes its tasks.
  void start(Cycle now);

  std::uint64_t started() const { return number_; }
  std::uint64_t refetches() const { return refetches_; }

 private:
  // Whose turn it is, for what keeps the order of start.
  struct Turns {
    bool topk = true, importance = true, pv = true, values = true;
  };

  void move(Group& g, Stage to);
  Group& group_of(std::size_t store);
  GroupView view(const Group& g) const;
  bool follows(const Group& g) const;
  bool stage_due(const Group& g) const;
  bool send_tasks(Group& g, bool later, Cycle now);
  void end_of_pass(Group& g);
  void refetch(Group& g, Cycle now);
  void take_survivors(Group& g);
  void begin_pass(Group& g);

  void select(Group& g, Cycle now);
  void gather(Group& g, Cycle now);
  void add_importance(Group& g, Turns& turns, Cycle now);
  void choose_values(Group& g, Turns& turns, Cycle now);
  void fetch_values(Group& g, Turns& turns, Cycle now);
  void weigh(Group& g, Turns& turns, Cycle now);
  bool fetches_values(const Group& g) const;
  void list_tokens(Group& g, bool all);

  State& s_;
  Loads& loads_;
  std::size_t next_store_ = 0;
  std::uint64_t number_ = 0, refetches_ = 0;
};

}  // namespace winnow::controller
