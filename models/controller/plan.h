#pragma once
// What the controller walks: one layer of one step at a time, as live lists and addresses. A source makes it
// from a trace and the cascade's state (TraceSource), or from a shape-only workload file (WorkloadSource).
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "golden/layout.h"
#include "golden/num.h"
#include "golden/policies/decisions.h"
#include "models/links/fetch_jobs.h"
#include "models/links/topk_jobs.h"

namespace winnow {

// Where a list of tokens or heads lies, by whom it was written. A plan never says what a list holds, unless nobody in
// the machine has written it.
struct ListSource {
  enum class From : std::uint8_t {
    everyone,  // nobody is left out; no list at all
    before,    // that of the layer before, which the tokens of PlanSource::joining() have joined
    chosen,    // what the layer's `choice`-th choice has left
    written,   // `names`, by the controller: where a run begins, or a workload file says who lives
    placed     // `names`, which follow from their places: counters of the controller write a row of them a cycle
  };
  From from = From::everyone;
  std::uint32_t choice = 0;
  std::vector<std::uint32_t> names;
};

// One KV head of a layer and its group of query heads.
struct HeadPlan {
  int kv_head = 0;
  std::uint32_t heads = 0;          // live query heads of the group, a bit each; 0: the head is skipped
  std::vector<std::uint32_t> live;  // tokens whose K and V exist for this head, ascending: for positions and golden
  ListSource list;                  // where the machine has them
  std::array<golden::Region, golden::kMaxDigits> key;  // digit planes, or records from the second on
  golden::Region value, value_scale, value_sum, query;
  std::uint32_t merged = 0;  // how many tokens the last of `live` stands for; 0: one
  golden::Region page;       // keys of pages
  golden::PageChoice pages;  // which of them are scored before any token is read, and how many stay
  std::array<int, golden::kMaxDigits> key_bits{};
  int value_bits = 0, query_bits = golden::kWordBits;
  // Shape-only: what stands in the file instead of being decided.
  bool forced = false, forced_refetch = false;
  int value_count = 0;                                   // values fetched; 0 = the plan's share
  bool accumulates = true;                               // importance is added up
  const std::vector<std::uint32_t>* priority = nullptr;  // [token] stands in for probabilities, 16 bits
};

struct LayerPlan {
  int sequence = 0;  // of the batch
  int step = 0, layer = 0;
  int tokens = 0;                        // of the sentence so far
  bool full_width = false;               // K and V once at full width, then every query: prompt, encoder, short steps
  bool causal = false;                   // query i sees live keys 0..i (prompt)
  std::vector<std::uint32_t> positions;  // query positions, ascending
  ListSource where;                      // where the machine has them; everyone: they count up from the first
  std::vector<HeadPlan> heads;
  golden::Region out;
  golden::Region descriptors;  // scales, a query head each; empty where nothing is computed (shape-only)
  int out_heads = 0;           // query heads an output row holds
};

// One choice of the cascade: `k` of `n` tokens or heads stay.
struct Choice {
  ListSource among;
  std::uint32_t n = 0;
  std::uint32_t k = 0;
  golden::TokenChoice rule;  // tokens: who is protected, and what is compared
  Tag tag;                   // for which layer, and KV head
  Candidates what = Candidates::tokens;
  std::vector<std::uint64_t> items;  // shape-only: what is compared, in place of importances
};

// Where plans come from. Called once a layer. Of a batch the plans of all sequences come in turn, a layer of each.
class PlanSource {
 public:
  virtual ~PlanSource() = default;
  // Whether layers remain.
  virtual bool more() const = 0;
  // The next plan depends on what the layer before adds up; otherwise its loads may start while that one runs.
  virtual bool needs_previous() const = 0;
  // The next layer is the first of a generation step: importance decays.
  virtual bool begins_step() const = 0;
  // That step makes importance anew, in place of what the steps before have earned.
  virtual bool renews() const { return false; }
  // The next layer does not follow the last one given (the range of a run begins, or skips layers): reload() brings the
  // importance up to date, once nothing is in flight.
  virtual bool reloads() const = 0;
  // Whose plan is next.
  virtual int sequence() const { return 0; }
  virtual void reload() = 0;
  // Tokens that join those that lived when a step begins, to be put behind that list. Before choices().
  virtual std::vector<std::uint32_t> joining() = 0;
  // Choices to be made before plan(); none if all that lived go on living. Round 0: tokens, whose importance is
  // complete when the layer's last probability is; round 1: heads, when its last output is.
  virtual std::vector<Choice> choices(int round) = 0;
  // The next layer, given the names (tokens, heads) kept by each choice, both rounds in order.
  virtual LayerPlan plan(const std::vector<std::vector<std::uint32_t>>& kept) = 0;
};

}  // namespace winnow
