#pragma once
// The machine: sizes of every block, from sim/machines/*.yaml. One section a block, under the block's name.
#include <optional>
#include <string>
#include <vector>

#include "models/converter/params.h"
#include "models/dram/params.h"
#include "models/fetcher/params.h"
#include "models/greedy/params.h"
#include "models/importance/params.h"
#include "models/pv/params.h"
#include "models/qk/params.h"
#include "models/softmax/params.h"
#include "models/topk/params.h"
#include "sim/config/schema.h"

namespace winnow {

struct Machine {
  std::string name;
  double clock_ghz = 0;
  int heads_in_flight = 0;          // whose first passes may be open at once
  std::string arrays = "separate";  // or shared: Q x K and P x V have both in turn
  std::string buffers = "halves";   // or pool: K and V of all heads in flight draw rows of the same banks
  int load_chunk = 0;               // tokens a job of a load; 0: a head's
  int score_store_entries = 0;      // partial scores and e, a head in flight: query heads of the group * tokens

  // The main memory. Its section is called as its type is, and so says which table of models/dram the machine has.
  DramParams hbm2;
  FetcherParams fetcher;
  ConverterSizes converter;
  QkParams qk;
  SoftmaxParams softmax;
  TopkParams topk;
  PvParams pv;
  ImportanceParams importance;
  GreedyParams greedy;

  // Bytes at whose multiples regions of the memory begin: all channels in turn.
  std::uint64_t alignment() const {
    return static_cast<std::uint64_t>(hbm2.channels) * static_cast<std::uint64_t>(hbm2.interleave_bytes);
  }
  // Multipliers that a job of Q x K, or of P x V, has.
  int key_multipliers() const { return arrays == "shared" ? qk.multipliers + pv.multipliers : qk.multipliers; }
  int value_multipliers() const { return arrays == "shared" ? qk.multipliers + pv.multipliers : pv.multipliers; }

  // Rows of the pool for vectors of D words: as many bits as two halves each of K and V.
  int pool_rows(int head_dim) const;
  int pool_columns(int head_dim) const;

  // Calls v(name, params) for each section, in the order of the file.
  template <class M, class V>
  static void sections(M& m, V&& v) {
    v(m.hbm2.type, m.hbm2);
    v("fetcher", m.fetcher);
    v("converter", m.converter);
    v("qk", m.qk);
    v("softmax", m.softmax);
    v("topk", m.topk);
    v("pv", m.pv);
    v("importance", m.importance);
    v("greedy", m.greedy);
  }
};

// Bound to `machine`; the order is the file's and `--show`'s. What the memory's keys may say, its table says.
Schema machine_schema(Machine& machine);

// A name of sim/machines, or a path of a .yaml file. Throws Error naming file, line, key, value and rule.
Machine load_machine(const std::string& name_or_path);
std::vector<std::string> machine_names();

// Rules between parameters.
std::optional<Violation> find_violation(const Machine& machine);
// Throws Error `{place}: key: value: rule`, for a machine changed by --set.
void require_consistent(const std::string& place, const Machine& machine);

// A memory whose words say how many tokens a sentence may have.
struct TokenLimit {
  std::string memory;       // "key buffer", as the inventory names it
  std::string unit;         // of its words: "words a half"
  int tokens;               // that it holds
  std::int64_t has, need;   // words, and those that the sentence asked about needs
  std::string key;          // the parameter to raise: "qk.sram.tokens"
  std::int64_t set, raise;  // its value, and the least that would do
};
// What a sentence is, for the memories: D, query heads a KV head, tokens, and lists of importance (one, or one a layer
// and KV head with scope kv_head).
struct Sentence {
  int head_dim = 64, group = 1, tokens = 0, importance_lists = 1;
};
// Of every memory; the first is the tightest.
std::vector<TokenLimit> token_limits(const Machine& machine, const Sentence& sentence);

// Vectors of D whole words that an array takes a cycle, and a row of its SRAM holds: whole vectors only, so D need not
// divide the multipliers. What is left over of a row stands idle. Narrow words: models/prim/bricks.h.
inline int keys_a_cycle(int multipliers, int head_dim) { return multipliers / head_dim; }

// Whether a trace fits: D a multiple of 8 that both arrays take at least one vector a cycle of, tokens within the
// limits. Throws Error, which names each memory that is too small, its size, what is needed and the parameter to raise:
// `{place}: tokens: 1025: do not fit machine spatten: key buffer has 65536 words a half, 66048 are needed: raise
// qk.sram.tokens from 1024 to 1032; ...`.
void require_fits(const std::string& place, const Machine& machine, const Sentence& sentence);

}  // namespace winnow
