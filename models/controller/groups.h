#pragma once
// Groups: the life of one query position on one KV head, from its first pass to P x V.
//
// kTransitions is the whole of it. A transition is made by a message of another block, or as soon as there is room for
// what it sends. Importance, local top-k, V fetch and P x V keep the order of start; passes and selections do not.
#include <cstdint>

#include "models/controller/loads.h"
#include "models/controller/observer.h"
#include "models/controller/rows.h"
#include "models/controller/state.h"

namespace winnow::controller {

struct Transition {
  Stage from, to;
  const char* when;
};
inline constexpr Transition kTransitions[] = {
    {Stage::selecting, Stage::expanding, "the top-k engine has marked the pages to read"},
    {Stage::expanding, Stage::passing, "their tokens are written, K of the first is ordered, and Q x K takes a pass"},
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
  Groups(State& state, Loads& loads) : s_(state), loads_(loads), rows_(state) {}

  // Each of the three does one thing a cycle, or none.
  // Takes one message of the blocks; verdicts and finished passes first.
  void take_message(Cycle now);
  // Frees one store, half or place that nobody reads any more.
  void retire(Cycle now);
  // One action for one group, the oldest that has one: a decision, a job or a task sent. Else the next group starts, if
  // there is a store and its queries are ordered.
  void advance(Cycle now);

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
  bool searches(const Group& g) const;
  bool stage_due(const Group& g) const;
  void start(Cycle now);
  bool act(Group& g, Turns& turns, Cycle now);
  bool send_task(Group& g, Cycle now);
  void end_of_pass(Group& g);
  void refetch(Group& g, Cycle now);
  void take_survivors(Group& g);
  void take_pages(Group& g, std::uint32_t count, Cycle now);
  void arm(Group& g);
  bool expand(Group& g, Cycle now);
  void begin_pass(Group& g);

  void take_verdict(Verdict v, Cycle now);
  void take_choice(TopkDone done, Cycle now);
  bool free_value_half(Cycle now);
  bool still_loads(const Group& g);

  // Whether it did something.
  bool select(Group& g, Cycle now);
  bool gather(Group& g, Cycle now);
  bool add_importance(Group& g, Turns& turns, Cycle now);
  bool choose_values(Group& g, Turns& turns, Cycle now);
  bool fetch_values(Group& g, Turns& turns, Cycle now);
  bool weigh(Group& g, Turns& turns, Cycle now);
  bool fetches_values(const Group& g) const;
  TopkJob job(Group& g, Candidates what);
  void take_list(Group& g, std::uint32_t count);

  void free_keys(std::size_t half);

  State& s_;
  Loads& loads_;
  Rows rows_;
  std::size_t next_store_ = 0;
  std::uint64_t number_ = 0, refetches_ = 0;
};

}  // namespace winnow::controller
