#pragma once
// What a policy decides, as parameters: which tokens, heads, values and bits are fetched for a query. Two headers read
// them: schedule.h, the cascade's rules by step and layer, and decisions.h, the plan that blocks and kernels get. The
// named sets are in registry.cpp. Another policy touches this folder only.
//
// Sources: cascade pruning, local value pruning, progressive quantization: paper, III and V.A. Progressive selection,
// and the options that real models need (protection, decay, rounded digits, renormalising): docs/policies.md.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "golden/num.h"

namespace winnow::golden {

enum class KeyScale : std::uint8_t { tensor, channel };
enum class ValueScale : std::uint8_t { tensor, token };
enum class SelectRule : std::uint8_t { none, count, mass };
enum class FirstExp : std::uint8_t { exact, pow2 };
enum class ImportanceRule : std::uint8_t { sum, decay, normalised };
enum class ImportanceScope : std::uint8_t { shared, kv_head };
enum class OutScale : std::uint8_t { reference, value };
enum class ResidentValues : std::uint8_t { skip, prune };

// Kept ratio by layer: 1 in the first layers, then linear from start to end (paper, V.A).
struct KeepSchedule {
  double start = 1, end = 1;
  bool off() const { return start >= 1 && end >= 1; }
};

struct Policy {
  std::string name = "dense";

  std::vector<int> k_digits = {kWordBits};  // widths of K's digits, most significant first; their sum is K's width
  MsbRule msb = MsbRule::midpoint;
  KeyScale k_scale = KeyScale::tensor;
  int v_bits = kWordBits;
  ValueScale v_scale = ValueScale::tensor;

  // Where the scale of a head's outputs comes from: `value`, V's own scale, since an output is a mean of V;
  // `reference`, the largest output that float attention gives on the prompt, which no hardware could know before it
  // has run.
  OutScale out_scale = OutScale::value;

  double threshold = 0;  // progressive quantization: refetch all LSBs of K when max p is below; 0 = never

  SelectRule select = SelectRule::none;
  std::vector<double> select_keep;       // a stage each: share of tokens (count) or of probability mass (mass)
  bool rest = false;                     // the denominator keeps the exponentials of the tokens left out
  bool compensate = false;               // the tokens left out are given their mean V
  int first_q_bits = kWordBits;          // of the query in a selection's first pass; 12 is all of it
  FirstExp first_exp = FirstExp::exact;  // of that pass
  int select_from = 0;                   // tokens so far from which on a step selects; before it reads full widths

  KeepSchedule tokens, heads;
  double local_value = 1;  // share of live tokens whose V is fetched
  // Where V is resident (prompt, encoder) all of it is on chip and multiplied at the rate of the rows: to prune it
  // saves neither bytes nor cycles. The paper prunes it all the same.
  ResidentValues local_value_resident = ResidentValues::skip;
  bool renormalise = false;

  // The rivals' rules (docs/rivals.md). All of K and V is fetched; what is left out is work.
  double value_threshold = 0;  // MNNFast: V of a probability below is not multiplied; 0 = all
  bool lazy_softmax = false;   // MNNFast: exponentials weigh V, and the row's sum divides the output
  double candidates = 1;       // A3: iterations of the greedy search, as a share of the tokens; 1 = no search
  double score_threshold = 0;  // A3: a score whose weight is below this share of the row's largest is left out

  bool permanent = false;  // a dropped token or head stays dropped in later steps
  int protect_first = 0, protect_newest = 1;
  ImportanceRule importance = ImportanceRule::sum;
  int decay_shift = 5;  // decay: a step takes 2^-decay_shift of every importance
  ImportanceScope scope = ImportanceScope::shared;

  Digits digits() const {
    Digits d;
    d.count = static_cast<int>(k_digits.size());
    for (int i = 0; i < kMaxDigits; ++i) d.width[i] = i < d.count ? k_digits[static_cast<std::size_t>(i)] : 0;
    return d;
  }
  int stages() const { return select == SelectRule::none ? 0 : static_cast<int>(select_keep.size()); }
  bool prunes_values() const { return local_value < 1; }
  bool searches() const { return candidates < 1; }
  std::uint32_t mu16(int stage) const {
    return static_cast<std::uint32_t>(65536 * select_keep[static_cast<std::size_t>(stage)] + 0.5);
  }
};

// Bounds a number is checked against when it is set; both ends included.
struct Range {
  double min, max;
};
// An enumeration's names in the order of its values.
template <class E>
struct Names {
  std::vector<const char*> names;
};

// Calls v(key, member, rule, doc) for every parameter: the one list behind --set, --show and the manifest.
// rule is a Range for numbers and lists, Names<E> for enumerations, bool has none.
template <class P, class V>
void visit_policy(P& p, V&& v) {
  v("k_digits", p.k_digits, Range{1, kWordBits}, "widths of K's digits in bits, most significant first; sum 2..12");
  v("msb", p.msb, Names<MsbRule>{{"midpoint", "truncate", "round"}}, "how digits are cut and MSBs alone are read");
  v("k_scale", p.k_scale, Names<KeyScale>{{"tensor", "channel"}},
    "one scale a KV head, or one a channel folded into q");
  v("v_bits", p.v_bits, Range{kLeastWordBits, kWordBits}, "width of V in bits");
  v("v_scale", p.v_scale, Names<ValueScale>{{"tensor", "token"}}, "one scale a KV head, or one a token folded into p");
  v("out_scale", p.out_scale, Names<OutScale>{{"reference", "value"}},
    "scale of a head's outputs: V's scale, which hardware knows, or the largest of float attention on the prompt");
  v("threshold", p.threshold, Range{0, 1}, "refetch K's LSBs when max p is below (0 = never)");
  v("select", p.select, Names<SelectRule>{{"none", "count", "mass"}}, "progressive selection: rule of a stage");
  v("select_keep", p.select_keep, Range{0, 1}, "a stage each: share of tokens (count) or of probability (mass)");
  v("rest", p.rest, "the denominator keeps the exponentials of tokens a selection left out");
  v("compensate", p.compensate, "tokens that a selection left out are given the mean V of all of them (needs rest)");
  v("first_q_bits", p.first_q_bits, Range{kLeastWordBits, kWordBits},
    "bits of the query in a selection's first pass (12 = all)");
  v("first_exp", p.first_exp, Names<FirstExp>{{"exact", "pow2"}}, "a selection's first pass: exponential");
  v("select_from", p.select_from, Range{0, 1 << 20},
    "tokens from which on a step selects; shorter sentences read K and V at full width, which is faster");
  v("tokens.start", p.tokens.start, Range{0, 1}, "cascade: share of tokens kept in the first pruning layer");
  v("tokens.end", p.tokens.end, Range{0, 1}, "cascade: share of tokens kept in the last layer");
  v("heads.start", p.heads.start, Range{0, 1}, "cascade: share of query heads kept in the first pruning layer");
  v("heads.end", p.heads.end, Range{0, 1}, "cascade: share of query heads kept in the last layer");
  v("local_value", p.local_value, Range{0, 1}, "share of live tokens whose V is fetched (1 = all)");
  v("local_value_resident", p.local_value_resident, Names<ResidentValues>{{"skip", "prune"}},
    "prompt and encoder: local values pruned as the paper does, or left out, since no byte and no cycle is saved");
  v("renormalise", p.renormalise, "divide the output by the probability that local value pruning kept");
  v("value_threshold", p.value_threshold, Range{0, 1},
    "V of a key whose probability is below is not multiplied, though fetched (0 = all); the row's largest always is");
  v("lazy_softmax", p.lazy_softmax, "V is weighed with exponentials, and the row's sum divides the output");
  v("candidates", p.candidates, Range{0, 1},
    "A3: iterations of the greedy search for keys, as a share of the tokens (1 = no search)");
  v("score_threshold", p.score_threshold, Range{0, 1},
    "A3: a key whose weight is below this share of the row's largest is left out of the softmax (0 = none)");
  v("permanent", p.permanent, "a dropped token or head stays dropped in later steps");
  v("protect_first", p.protect_first, Range{0, 4096}, "first tokens that are always kept");
  v("protect_newest", p.protect_newest, Range{0, 4096}, "newest tokens that are always kept");
  v("importance", p.importance, Names<ImportanceRule>{{"sum", "decay", "normalised"}}, "how importance is accumulated");
  v("decay_shift", p.decay_shift, Range{1, 16}, "importance decay: each step takes 2^-shift");
  v("scope", p.scope, Names<ImportanceScope>{{"shared", "kv_head"}}, "one importance for all heads, or one a KV head");
}

// Named policies, in the order they are listed.
struct PolicyEntry {
  const char* name;
  const char* doc;
  Policy (*make)();
};
const std::vector<PolicyEntry>& policies();
// Throws Error naming the known ones.
Policy make_policy(const std::string& name);

// Sets start and end from an average: tokens start = min(1, 1.5 avg), heads start = 1; end = 2 avg - start.
KeepSchedule tokens_from_average(double avg);
KeepSchedule heads_from_average(double avg);

// The first rule between parameters, or of one of them, that does not hold.
struct PolicyViolation {
  std::string key, value, rule;
};
std::optional<PolicyViolation> find_violation(const Policy& p);
// Throws Error `policy NAME: key: value: rule`.
void validate(const Policy& p);

}  // namespace winnow::golden
