#pragma once
// The plan of decisions: a policy as the numbers that hardware is configured with. Blocks, kernels and golden's own
// arithmetic read this and never a Policy, so a policy that is new but asks for nothing new changes none of them.
//
// in    a policy and a shape (decisions_of)
// out   plain data without pointers and names: a CUDA kernel takes it as an argument
// state none
// Which tokens and heads a layer keeps depends on layer and step: schedule.h.
#include <cmath>
#include <cstdint>

#include "golden/formats.h"
#include "golden/num.h"

namespace winnow::golden {

struct Policy;
struct Shape;

// A share of tokens, values or heads as hardware has it: an integer, 2^28 = all, formed once when a policy is read.
//
// share_of_floor is rounded up and share_of_ceil down, so that counts are those of the decimal number that a user
// wrote: 0.29 of 100 is 29 under both rules, though no binary fraction is 0.29. Let the share be a / 10000, off by less
// than one unit u = 2^-28. Then a * n / 10000 moves by less than n * u, away from the rule's jump at an integer, and a
// product that is no integer lies at least 1/10000 from the next. So both counts are exact while 10000 * n <= 2^28: for
// every share of at most four decimals and up to 26,843 tokens. Sixteen bits would do for six.
inline constexpr int kShareFraction = 28;
inline constexpr std::uint32_t kShareAll = 1u << kShareFraction;
inline std::uint32_t share_of_floor(double share) { return static_cast<std::uint32_t>(std::ceil(share * kShareAll)); }
inline std::uint32_t share_of_ceil(double share) { return static_cast<std::uint32_t>(std::floor(share * kShareAll)); }

WINNOW_HD constexpr int limited_count(std::uint64_t k, int n) {
  return k < 1 ? 1 : k > static_cast<std::uint64_t>(n) ? n : static_cast<int>(k);
}
// How many of n a share keeps: floor(share * n), at least 1.
WINNOW_HD constexpr int kept_count(std::uint32_t share, int n) {
  return limited_count((std::uint64_t{share} * static_cast<std::uint32_t>(n)) >> kShareFraction, n);
}
// Survivors of a selection stage by count: ceil(share * n), at least 1.
WINNOW_HD constexpr int selected_count(std::uint32_t share, int n) {
  return limited_count((std::uint64_t{share} * static_cast<std::uint32_t>(n) + kShareAll - 1) >> kShareFraction, n);
}

// One stage of a progressive selection.
struct SelectionStage {
  bool by_mass = false;
  std::uint32_t mu16 = 0;           // by mass: the share of the probability that survivors reach, 65536 = 1
  std::uint32_t share = kShareAll;  // by count: of the tokens that came so far
  WINNOW_HD constexpr int count(int n) const { return selected_count(share, n); }
};

inline constexpr std::uint64_t kNoSpan = ~std::uint64_t{0};

// The keys of pages, as they lie in memory: a word a channel, of K's code without its last bits. Bounds: the smallest
// code in the lower half of the word, the largest in the upper.
struct PageKeys {
  int size = 0;  // tokens of a page; 0: none
  int bits = 0;  // of a code
  bool bounds = false, landmark = false;
  WINNOW_HD constexpr int word_bits() const { return bounds ? 2 * bits : bits; }
  // Bits of K's code that a page's lacks.
  WINNOW_HD constexpr int dropped(int key_bits) const { return key_bits > bits ? key_bits - bits : 0; }
  // Complete pages of n tokens: only these have a key.
  WINNOW_HD constexpr int complete(int n) const { return size ? n / size : 0; }
};

// Which pages a step chooses among: those from `first` to before `end`; it keeps `keep` of them. All others stay.
struct PageChoice {
  std::uint32_t size = 0, first = 0, end = 0, keep = 0;
  WINNOW_HD constexpr std::uint32_t scored() const { return end - first; }
  // Whether any is left out; otherwise nothing is scored.
  WINNOW_HD constexpr bool chooses() const { return keep < scored(); }
  // Tokens that are read, of n.
  WINNOW_HD constexpr std::uint32_t tokens(std::uint32_t n) const { return n - (scored() - keep) * size; }
};

struct Decisions {
  // Words in memory.
  Digits digits;  // of K
  MsbRule msb = MsbRule::midpoint;
  // K is coded in a basis of its own: a channel has a width of its own, its lower digits first, and `digits` are those
  // of a mean channel. Its tables are read in every step unless they are resident.
  bool coded = false, basis_resident = false;
  bool channel_scales = false;  // K has a scale a channel, which the quantizer folds into q: no block sees it
  int v_bits = kWordBits;
  bool token_scales = false;  // V has a scale a token, folded into p
  bool out_by_value = false;  // a head's outputs have V's scale: only the quantizer knows

  PageKeys pages;

  // Progressive quantization: where K has two digits and nothing is selected, the second is fetched for all tokens when
  // the largest probability is below theta16.
  std::uint32_t theta16 = 0;

  // Progressive selection.
  int stages = 0;
  SelectionStage stage[kMaxStages];
  bool largest = false;  // selection score: the largest probability of the group's heads, not their sum
  bool bounds = false;   // selection score: 1 where the unread bits may still make a head's score matter
  // Selection score: 1 where a head's score is no further below the anchor, the largest of the protected tokens'.
  std::uint64_t anchor_span = kNoSpan;
  int select_from = 0;                // tokens so far from which on a step selects
  bool rest = false;                  // the denominator keeps the exponentials of the tokens left out
  bool compensates = false;           // they are given their mean V; only with rest, and no cascade of tokens
  int score_bits = kProbabilityBits;  // of a selection score, wide enough for the group
  // Its first pass, which only decides who stays.
  int first_q_bits = kWordBits;  // of the query, under a power of two of its own
  bool first_pow2 = false;       // exponentials are powers of two

  // A head's output is multiplied with 16 bits that lie behind its query.
  bool weighs_heads = false;
  bool sigmoid = false;  // weights are a sigmoid of each score, and a row has no sum

  // Local value pruning.
  std::uint32_t value_share = kShareAll;
  bool prunes_resident = false;  // where V is resident (prompt, encoder) too
  bool renormalise = false;      // divide the output by the probability that was kept; only where values are pruned

  // Rivals' rules, of every exact row. V of a key is multiplied where its exponential is not below skip16 / 65536 of
  // the row's sum; 0: all of V.
  std::uint32_t skip16 = 0;
  bool lazy = false;  // weights are exponentials, and the row's sum divides the output
  // Keys further below the row's largest score, in log2 units of 2^-12, are left out of the row.
  std::uint64_t score_span = kNoSpan;
  std::uint32_t search_share = kShareAll;  // iterations of the greedy search, of the tokens; all: no search

  // Protected tokens, where a row asks who they are: selection by an anchor, the merged token.
  std::uint32_t protect_first = 0, protect_newest = 0, protect_newest_share = 0;
  // Those that a list by place leaves out are one token more, behind all others in memory: the means of their keys and
  // values, whose exponential counts as often as they are many.
  bool merges = false;

  // Cascade.
  bool prunes_tokens = false, prunes_heads = false;
  bool per_kv_head = false;   // a list of tokens a layer and KV head, not one for all
  bool ranks_tokens = false;  // by importance; otherwise tokens stay by their place
  int decay_shift = 0;        // a step takes 2^-decay_shift of every importance; 0: nothing
  bool normalised = false;    // importance is ranked over the rows in which a token was seen
  bool renews = false;        // importance begins anew in some steps, and in the others nothing is added to it

  // A list a layer and KV head is chosen by an importance of its own.
  WINNOW_HD constexpr bool importance_per_head() const { return per_kv_head && ranks_tokens; }
  WINNOW_HD constexpr bool selects() const { return stages > 0; }
  WINNOW_HD constexpr bool anchors() const { return anchor_span != kNoSpan; }
  // Protected are those below protect_first and from here on, of n tokens.
  WINNOW_HD constexpr std::uint32_t newest_from(std::uint32_t n) const {
    const auto share =
        protect_newest_share ? static_cast<std::uint32_t>(kept_count(protect_newest_share, static_cast<int>(n))) : 0;
    const std::uint32_t newest = share > protect_newest ? share : protect_newest;
    return newest < n ? n - newest : 0;
  }
  WINNOW_HD constexpr bool protects(std::uint32_t token, std::uint32_t n) const {
    return token < protect_first || token >= newest_from(n);
  }
  // Whether the MSBs of a row leave it open which of its tokens count: `sum` is the row's, or of sigmoids the largest
  // weight, which is small where no token stands out.
  WINNOW_HD constexpr bool flat(std::uint64_t sum) const {
    return sigmoid ? sum < theta16 : is_flat(kExpOne, sum, theta16);
  }
  // K and V are read once at full width: in a prompt and an encoder, and in a step too short to select.
  WINNOW_HD constexpr bool whole(bool prompt, int tokens) const {
    return prompt || (selects() && tokens < select_from);
  }
  // The first pass of a selection sees another query than the later ones: these multiply all digits, also the first,
  // which stays on chip for them.
  WINNOW_HD constexpr bool crude_query() const { return selects() && first_q_bits < kWordBits; }
  // The first pass asks whether K's second digit is needed.
  WINNOW_HD constexpr bool decides() const { return stages == 0 && digits.count > 1; }
  WINNOW_HD constexpr bool prunes_values(bool resident) const {
    return value_share < kShareAll && (prunes_resident || !resident);
  }
  WINNOW_HD constexpr int kept_values(int n) const { return kept_count(value_share, n); }
  // The greedy search for keys needs columns that are sorted over just the keys that a query sees, so it stands aside
  // where each query sees others.
  WINNOW_HD constexpr bool searches() const { return search_share < kShareAll; }
  WINNOW_HD constexpr bool searches(bool prompt, bool causal) const { return searches() && !(prompt && causal); }
  WINNOW_HD constexpr int iterations(int n) const { return kept_count(search_share, n); }
  // A row lies under the places of its candidates, or has a token that is none, so that nobody adds its probabilities
  // up by token.
  WINNOW_HD constexpr bool accumulates() const { return !searches() && !merges; }
  // Tokens in memory: of a sentence, and of each step the merged one.
  WINNOW_HD constexpr int stored_tokens(int tokens, int steps) const { return merges ? tokens + steps : tokens; }
  // Weights may be zero, which no product is spent on.
  WINNOW_HD constexpr bool drops_zeros() const { return skip16 > 0 || score_span != kNoSpan || searches(); }
};

// What a protected token is ranked with: above every importance.
inline constexpr std::uint64_t kProtectedItem = (std::uint64_t{1} << kImportanceBits) - 1;

// One choice among living tokens.
struct TokenChoice {
  std::uint32_t keep = 0;           // how many stay; all that live when they are no more
  std::uint32_t first_end = 0;      // tokens below stay in any case,
  std::uint32_t newest_from = ~0u;  // and tokens from here on,
  // and of blocks that are dealt out to `shards` heads those of the shard-th.
  std::uint16_t shards = 0, shard_block = 1, shard = 0;
  std::uint16_t block = 1;  // tokens whose importances are compared as one sum, a power of two
  bool normalised = false;
  bool by_place = false;  // no place is left for others: nothing is ranked

  WINNOW_HD constexpr bool is_protected(std::uint32_t token) const {
    return token < first_end || token >= newest_from || (shards && token / shard_block % shards == shard);
  }
  // Of tokens 0..n-1.
  WINNOW_HD constexpr std::uint32_t protects(std::uint32_t n) const {
    std::uint32_t count = 0;
    if (!shards) {
      const std::uint32_t from = newest_from < n ? newest_from : n, first = first_end < from ? first_end : from;
      return first + (n - from);
    }
    for (std::uint32_t t = 0; t < n; ++t) count += is_protected(t);
    return count;
  }
  // What a token's block has earned, of tokens 0..n-1; `importance` by token.
  template <class Word>
  WINNOW_HD constexpr std::uint64_t earned(const Word* importance, std::uint32_t token, std::uint32_t n) const {
    const std::uint32_t first = token / block * block, end = first + block < n ? first + block : n;
    std::uint64_t sum = 0;
    for (std::uint32_t t = first; t < end; ++t) sum += importance[t];
    return sum;
  }
  // What the engine compares. `chances` counts the query rows in which the token was live and visible.
  WINNOW_HD constexpr std::uint64_t item(std::uint32_t token, std::uint64_t importance, std::uint64_t chances) const {
    if (is_protected(token)) return kProtectedItem;
    const std::uint64_t item = !normalised ? importance : chances ? (importance << 8) / chances : 0;
    return item < kProtectedItem ? item : kProtectedItem - 1;
  }
};

// Query rows of a layer in which the token at `place` among `live` ones is visible.
WINNOW_HD constexpr std::uint32_t rows_seen(std::uint32_t place, std::uint32_t live, bool prompt, bool causal) {
  return !prompt ? 1 : causal ? live - place : live;
}

// What the trace weighs a query head's output with, 65535 = 1 (saturated). Asked only where it has weights.
std::uint16_t head_weight16(const Shape& shape, int layer, int head, std::size_t token);

// Throws Error on a policy that contradicts itself, a sentence too long for its sums of V, or a trace that lacks a
// tensor that the policy goes by.
Decisions decisions_of(const Policy& policy, const Shape& shape);
// Throws Error where a policy that leaves tokens out would leave out none, because it acts in generation steps and the
// trace has none: what came out would look like a result of the policy.
void require_effect(const Policy& policy, const Shape& shape);

// What is left of an importance when a generation step begins. 0: all.
WINNOW_HD constexpr std::uint64_t decayed(std::uint64_t importance, int decay_shift) {
  return decay_shift ? importance - (importance >> decay_shift) : importance;
}

}  // namespace winnow::golden
