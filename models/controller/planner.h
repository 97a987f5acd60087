#pragma once
// Planner: which layer comes next and who lives in it. Asks the source of plans, sends the cascade's choices to its
// top-k unit, and puts the layer into the queue of the controller.
#include <cstdint>
#include <vector>

#include "models/controller/state.h"

namespace winnow::controller {

class Planner {
 public:
  Planner(State& state, PlanSource& source) : s_(state), source_(source), living_(state.params.sequences) {}

  // A cycle of it. Nothing more comes when done().
  void tick(Cycle now);
  bool done() const { return !source_.more() && round_ != Round::writing; }
  // The cascade's unit has been asked and has not answered yet.
  bool choosing() const { return round_ != Round::none && answers_ < choices_.size(); }
  // The layer that closes next is the first, or the last, of its round.
  bool round_begins_to_end() const { return closed_ % s_.params.sequences == 0; }
  bool round_ends() const { return (closed_ + 1) % s_.params.sequences == 0; }
  // Counts what is written of the layer at work; closes it when it has ended, which opens the next.
  void count_layer(Cycle now);

 private:
  // What is chosen for the next layer: tokens when the importances of the last are complete, heads when its outputs
  // are.
  enum class Round : std::uint8_t { none, tokens, between, heads, writing, chances };
  // A choice on its way through the cascade's unit.
  struct Sent {
    ListRef names, kept;
    ItemsRef items;
  };
  bool begin(Cycle now);
  void ask(int round);
  bool answered(Cycle now);
  void add_layer(LayerPlan plan);
  // Of what is written by the controller's counters into the lists of a plan.
  std::uint64_t writing_cycles(const LayerPlan& plan) const;
  void end_plan(Cycle now);
  const Layer* previous() const;
  // Of the newest layer of a sequence.
  struct Living {
    std::vector<ListRef> tokens;  // a KV head each
    ListRef heads = kEveryItem;
  };
  Living& living() { return living_[static_cast<std::size_t>(source_.sequence())]; }
  // Tokens that lived in the layer before, in all KV heads alike.
  ListRef before() { return living().tokens.empty() ? kEveryItem : living().tokens.front(); }
  ListRef list_of(const ListSource& source, ListRef before);
  bool count_chances(Cycle now);
  void close_layer(Cycle now);

  State& s_;
  PlanSource& source_;
  Round round_ = Round::none;
  std::vector<Choice> choices_;  // of the round at hand
  std::vector<Sent> sent_;
  std::size_t answers_ = 0;
  std::vector<std::vector<std::uint32_t>> kept_;  // tokens or heads that stay, of each choice, both rounds in order
  std::vector<ListRef> kept_lists_;               // where they lie
  std::vector<Living> living_;                    // a sequence each
  std::uint64_t planned_ = 0, closed_ = 0;        // layers of all sequences
  LayerPlan plan_;                                // whose lists are being written
  std::uint64_t writing_ = 0;                     // cycles still to go
  bool begun_step_ = false, begins_step_ = false, renews_ = false;
  std::uint8_t next_epoch_ = 0;
};

}  // namespace winnow::controller
