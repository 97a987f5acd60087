#pragma once
// What a policy decides, as parameters: which tokens, heads, values and bits are fetched for a query. Two headers read
// them: schedule.h, who is a candidate by step, layer and KV head, and decisions.h, the plan that blocks and kernels
// get. The named policies are compositions of these parameters, a file each in rules/. Another one is another file
// there.
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
enum class KeyBasisRule : std::uint8_t { none, trace };
enum class SelectRule : std::uint8_t { none, count, mass, bound, anchor };
enum class RowWeights : std::uint8_t { softmax, sigmoid };
enum class FirstExp : std::uint8_t { exact, pow2 };
enum class ImportanceRule : std::uint8_t { sum, decay, normalised };
enum class ImportanceScope : std::uint8_t { shared, kv_head };
enum class OutScale : std::uint8_t { reference, value };
enum class HeadMeasure : std::uint8_t { scores, distances };
enum class HeadWeights : std::uint8_t { none, gate, route };
enum class TokenMask : std::uint8_t { none, trace, cluster };
enum class PageKey : std::uint8_t { mean, bounds, landmark };
enum class ResidentValues : std::uint8_t { skip, prune };

// Both bounds of a channel lie side by side in one word.
constexpr int most_page_bits(PageKey key) { return key == PageKey::bounds ? kWordBits / 2 : kWordBits; }

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
  // Keys in a basis in which queries are white and keys uncorrelated, as the trace has it: k_digits are then widths of
  // a mean channel. Its tables lie on chip, or are read in every step.
  KeyBasisRule key_basis = KeyBasisRule::none;
  bool basis_resident = false;
  int v_bits = kWordBits;
  ValueScale v_scale = ValueScale::tensor;

  // Where the scale of a head's outputs comes from: `value`, V's own scale, since an output is a mean of V;
  // `reference`, the largest output that float attention gives on the prompt, which no hardware could know before it
  // has run.
  OutScale out_scale = OutScale::value;

  RowWeights weights = RowWeights::softmax;  // what a row's scores become
  // What the trace weighs a head's output with, token by token; route: a head of weight 0 takes no part in a step.
  HeadWeights head_weights = HeadWeights::none;

  double threshold = 0;  // progressive quantization: refetch all LSBs of K when max p is below; 0 = never

  SelectRule select = SelectRule::none;
  std::vector<double> select_keep;       // a stage each: share of tokens (count) or of probability mass (mass)
  bool rest = false;                     // the denominator keeps the exponentials of the tokens left out
  bool compensate = false;               // the tokens left out are given their mean V
  int first_q_bits = kWordBits;          // of the query in a selection's first pass; 12 is all of it
  FirstExp first_exp = FirstExp::exact;  // of that pass
  int select_from = 0;                   // tokens so far from which on a step selects; before it reads full widths

  KeepSchedule tokens, heads;
  double tokens_free = 0.15, heads_free = 0.3;  // shares of layers, the first ones, in which nobody is left out
  double local_value = 1;                       // share of live tokens whose V is fetched
  // Where V is resident (prompt, encoder) all of it is on chip and multiplied at the rate of the rows: to prune it
  // saves neither bytes nor cycles. The paper prunes it all the same.
  ResidentValues local_value_resident = ResidentValues::skip;
  bool renormalise = false;

  // The rivals' rules (docs/rivals.md). All of K and V is fetched; what is left out is work.
  double value_threshold = 0;  // MNNFast: V of a probability below is not multiplied; 0 = all
  bool lazy_softmax = false;   // MNNFast: exponentials weigh V, and the row's sum divides the output
  double candidates = 1;       // A3: iterations of the greedy search, as a share of the tokens; 1 = no search
  double score_threshold = 0;  // A3, bound, anchor: a score whose weight is below this share of the largest is left out

  // Pages: a step reads a key a page of tokens first, and then K and V of the pages that score highest.
  int pages = 0;  // tokens of a page; 0: none
  PageKey page_key = PageKey::mean;
  int page_bits = 6;
  double page_keep = 1;  // of all pages of the sentence, the protected ones among them

  bool permanent = false;  // a dropped token or head stays dropped in later steps
  int protect_first = 0, protect_newest = 1;
  double protect_newest_share = 0;  // of the tokens so far
  // Blocks of `shard_block` tokens are dealt out to the KV heads in turn, one in `shards` to each; a head keeps its
  // own.
  int shards = 0, shard_block = 1;
  // Share of KV heads from which none is left out: those of which the trace says most.
  double full_heads = 0;
  HeadMeasure full_heads_by = HeadMeasure::scores;
  // Whom a KV head sees in a generation step beside the protected tokens: those of the trace's mask, or all that belong
  // to the query's cluster.
  TokenMask token_mask = TokenMask::none;
  bool merge = false;  // tokens left out by place become one, of mean key and value, that weighs as they are many
  ImportanceRule importance = ImportanceRule::sum;
  int decay_shift = 5;  // decay: a step takes 2^-decay_shift of every importance
  // One generation step in so many, the first among them, sees all tokens, and what they earn in it is what the steps
  // up to the next such step choose by; 0: every step chooses, and every step adds up.
  int full_every = 0;
  // What is compared of a token is the sum of importance over its block of so many tokens, counted from the first;
  // whole blocks stay.
  int importance_block = 1;
  ImportanceScope scope = ImportanceScope::shared;

  Digits digits() const {
    Digits d;
    d.count = static_cast<int>(k_digits.size());
    for (int i = 0; i < kMaxDigits; ++i) d.width[i] = i < d.count ? k_digits[static_cast<std::size_t>(i)] : 0;
    return d;
  }
  bool by_bounds() const { return select == SelectRule::bound; }
  bool by_anchor() const { return select == SelectRule::anchor; }
  // A token stays or goes by its own score, whatever the others weigh.
  bool by_marks() const { return by_bounds() || by_anchor(); }
  int stages() const {
    return select == SelectRule::none ? 0 : static_cast<int>(by_marks() ? k_digits.size() - 1 : select_keep.size());
  }
  bool prunes_values() const { return local_value < 1; }
  // Tokens are ranked by importance for the places that protection leaves; otherwise who stays follows from its place.
  bool ranks_tokens() const { return !tokens.off() && (tokens.start > 0 || tokens.end > 0); }
  bool codes_keys() const { return key_basis != KeyBasisRule::none; }
  bool masks() const { return token_mask != TokenMask::none; }
  bool searches() const { return candidates < 1; }
  bool pages_tokens() const { return pages > 0; }
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
  v("key_basis", p.key_basis, Names<KeyBasisRule>{{"none", "trace"}},
    "keys as they are, or in the basis that the trace has for each KV head, as many bits a channel as its range needs; "
    "k_digits are then those of a mean channel (needs msb round)");
  v("basis_resident", p.basis_resident, "the basis' tables stay on chip; else each step reads them");
  v("v_bits", p.v_bits, Range{kLeastWordBits, kWordBits}, "width of V in bits");
  v("v_scale", p.v_scale, Names<ValueScale>{{"tensor", "token"}}, "one scale a KV head, or one a token folded into p");
  v("out_scale", p.out_scale, Names<OutScale>{{"reference", "value"}},
    "scale of a head's outputs: V's scale, which hardware knows, or the largest of float attention on the prompt");
  v("weights", p.weights, Names<RowWeights>{{"softmax", "sigmoid"}},
    "of V in a row: softmax, or a sigmoid of each score, less the logarithm of the number of tokens");
  v("head_weights", p.head_weights, Names<HeadWeights>{{"none", "gate", "route"}},
    "of a query head's output, a token each, from the trace; route: a head of weight 0 takes no part in a step");
  v("threshold", p.threshold, Range{0, 1}, "refetch K's LSBs when max p is below (0 = never)");
  v("select", p.select, Names<SelectRule>{{"none", "count", "mass", "bound", "anchor"}},
    "progressive selection: rule of a stage; bound: who may still weigh score_threshold, whatever the unread bits are; "
    "anchor: who weighs score_threshold beside the protected tokens' largest");
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
  v("tokens.free", p.tokens_free, Range{0, 1},
    "cascade and pages: share of layers, the first ones, in which no token is left out");
  v("heads.start", p.heads.start, Range{0, 1}, "cascade: share of query heads kept in the first pruning layer");
  v("heads.end", p.heads.end, Range{0, 1}, "cascade: share of query heads kept in the last layer");
  v("heads.free", p.heads_free, Range{0, 1}, "cascade: share of layers, the first ones, in which no head is left out");
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
    "a key whose weight is below this share of the row's largest (select anchor: of the anchor's) is left out (0 = "
    "none)");
  v("pages", p.pages, Range{0, 1024},
    "tokens of a page, a power of two: pages are chosen by a key each before any token is read (0 = none)");
  v("page_key", p.page_key, Names<PageKey>{{"mean", "bounds", "landmark"}},
    "a page's key: mean of its keys; smallest and largest element a channel; or the key of its last token");
  v("page_bits", p.page_bits, Range{kLeastWordBits, kWordBits}, "bits of a word of it; bounds: of each of the two");
  v("page_keep", p.page_keep, Range{0, 1}, "share of the pages that a step reads (1 = all)");
  v("permanent", p.permanent, "a dropped token or head stays dropped in later steps");
  v("protect_first", p.protect_first, Range{0, 4096}, "first tokens that are always kept");
  v("protect_newest", p.protect_newest, Range{0, 4096}, "newest tokens that are always kept");
  v("protect_newest_share", p.protect_newest_share, Range{0, 1},
    "the same as a share of the tokens so far, where that is more");
  v("shards", p.shards, Range{0, 64},
    "tokens are dealt out to KV heads in blocks; a head keeps one block in so many (0 = none; needs scope kv_head)");
  v("shard_block", p.shard_block, Range{1, 4096}, "tokens of such a block");
  v("full_heads", p.full_heads, Range{0, 1},
    "share of KV heads for which no token is left out, by full_heads_by (needs scope kv_head)");
  v("full_heads_by", p.full_heads_by, Names<HeadMeasure>{{"scores", "distances"}},
    "the trace's head_scores, how much a head looks back, or head_distances, how far it is from its layer's mean");
  v("token_mask", p.token_mask, Names<TokenMask>{{"none", "trace", "cluster"}},
    "whom a step sees beside the protected tokens: the trace's mask, or the query's cluster (needs scope kv_head)");
  v("merge", p.merge,
    "tokens left out by their place are one token more: mean key, mean value, weighed as they are many (needs scope "
    "kv_head)");
  v("importance", p.importance, Names<ImportanceRule>{{"sum", "decay", "normalised"}}, "how importance is accumulated");
  v("decay_shift", p.decay_shift, Range{1, 16}, "importance decay: each step takes 2^-shift");
  v("full_every", p.full_every, Range{0, 1 << 20},
    "one generation step in so many sees all tokens and says whom those between see (0 = none; needs scope kv_head)");
  v("importance_block", p.importance_block, Range{1, 64},
    "tokens of a block, whose importances are added up and which stays whole: a power of two (needs scope kv_head)");
  v("scope", p.scope, Names<ImportanceScope>{{"shared", "kv_head"}}, "one importance for all heads, or one a KV head");
}

// A named policy: golden/policies/rules/<name>.cpp. `family` orders the list and groups the table of the documentation.
enum class Family : std::uint8_t { baseline, cascade, selection, places, pages, variants, rival };
struct PolicyEntry {
  const char* name;
  Family family;
  const char* doc;     // what it does, in a line
  const char* source;  // paper and section, or where else the rule stands
  Policy (*make)();
};
// By family, then by name.
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
