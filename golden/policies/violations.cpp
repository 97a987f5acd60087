// Rules between a policy's parameters.
#include <charconv>
#include <string>
#include <utility>

#include "golden/error.h"
#include "golden/policies/policy.h"

namespace winnow::golden {
namespace {

std::string number(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

// As a file has it.
template <class Number>
std::string list(const std::vector<Number>& v) {
  if (v.empty()) return "none";
  std::string s = "[";
  for (std::size_t i = 0; i < v.size(); ++i) s += (i ? ", " : "") + number(v[i]);
  return s + "]";
}

// Of the merged token.
std::optional<PolicyViolation> find_merge_violation(const Policy& p) {
  if (!p.merge) return std::nullopt;
  const auto where = [](const char* key, std::string value, const char* rule) {
    return PolicyViolation{key, std::move(value), std::string(rule) + " where merge is true"};
  };
  if (p.scope != ImportanceScope::kv_head) return where("scope", "shared", "must be kv_head");
  if (p.tokens.off() || p.ranks_tokens())
    return where("tokens.start", number(p.tokens.start), "must be 0, as tokens.end: places alone decide");
  if (p.shards) return where("shards", std::to_string(p.shards), "must be 0");
  if (p.masks()) return where("token_mask", p.token_mask == TokenMask::trace ? "trace" : "cluster", "must be none");
  if (p.k_digits.size() != 1) return where("k_digits", list(p.k_digits), "must be one digit");
  if (p.prunes_values()) return where("local_value", number(p.local_value), "must be 1");
  if (p.weights != RowWeights::softmax) return where("weights", "sigmoid", "must be softmax");
  if (p.lazy_softmax) return where("lazy_softmax", "true", "must be false");
  if (p.value_threshold > 0) return where("value_threshold", number(p.value_threshold), "must be 0");
  if (p.score_threshold > 0) return where("score_threshold", number(p.score_threshold), "must be 0");
  if (p.searches()) return where("candidates", number(p.candidates), "must be 1");
  if (!p.heads.off()) return where("heads.start", number(p.heads.start), "must be 1, as heads.end");
  return std::nullopt;
}

// Of keys in a basis of their own.
std::optional<PolicyViolation> find_basis_violation(const Policy& p) {
  const auto where = [](const char* key, std::string value, const std::string& rule) {
    return PolicyViolation{key, std::move(value), rule};
  };
  if (!p.codes_keys()) {
    if (p.basis_resident) return where("basis_resident", "true", "must be false where key_basis is none");
    return std::nullopt;
  }
  if (p.msb != MsbRule::round)
    return where("msb", p.msb == MsbRule::midpoint ? "midpoint" : "truncate",
                 "must be round where key_basis is trace: a channel that has no first digit is then 0 there");
  if (p.k_scale != KeyScale::tensor)
    return where("k_scale", "channel", "must be tensor where key_basis is trace: channels share a step");
  if (p.weights != RowWeights::softmax)
    return where("weights", "sigmoid", "must be softmax where key_basis is trace: the keys' mean falls out of that");
  if (p.pages_tokens()) return where("pages", std::to_string(p.pages), "must be 0 where key_basis is trace");
  if (p.searches()) return where("candidates", number(p.candidates), "must be 1 where key_basis is trace");
  if (p.merge) return where("merge", "true", "must be false where key_basis is trace");
  return std::nullopt;
}

// Of what goes by tensors of the trace.
std::optional<PolicyViolation> find_tensor_violation(const Policy& p) {
  if (p.full_heads_by == HeadMeasure::distances && p.full_heads <= 0)
    return PolicyViolation{"full_heads_by", "distances", "must be scores where full_heads is 0: no head is full"};
  if (p.head_weights == HeadWeights::route && !p.heads.off())
    return PolicyViolation{"heads.start", number(p.heads.start),
                           "must be 1, as heads.end, where head_weights is route: the router chooses the heads"};
  if (!p.masks()) return std::nullopt;
  const std::string where =
      std::string(" where token_mask is ") + (p.token_mask == TokenMask::trace ? "trace" : "cluster");
  if (p.scope != ImportanceScope::kv_head) return PolicyViolation{"scope", "shared", "must be kv_head" + where};
  if (p.tokens.off() || p.ranks_tokens())
    return PolicyViolation{"tokens.start", number(p.tokens.start), "must be 0, as tokens.end," + where};
  if (p.shards) return PolicyViolation{"shards", std::to_string(p.shards), "must be 0" + where};
  if (p.protect_newest < 1)
    return PolicyViolation{"protect_newest", std::to_string(p.protect_newest),
                           "must be at least 1" + where + ": a token sees itself"};
  return std::nullopt;
}

// Of the page stage.
std::optional<PolicyViolation> find_page_violation(const Policy& p) {
  const auto broken = [](const char* key, std::string value, std::string rule) {
    return PolicyViolation{key, std::move(value), std::move(rule)};
  };
  if (!p.pages_tokens()) {
    if (p.page_keep != 1) return broken("page_keep", number(p.page_keep), "must be 1 where pages is 0");
    return std::nullopt;
  }
  if (p.pages < 2 || (p.pages & (p.pages - 1)) != 0)
    return broken("pages", std::to_string(p.pages), "must be 0 or a power of two from 2 on");
  if (!(p.page_keep > 0 && p.page_keep < 1))
    return broken("page_keep", number(p.page_keep), "must be above 0, below 1, where pages is above 0");
  if (p.page_bits < kLeastWordBits || p.page_bits > most_page_bits(p.page_key))
    return broken("page_bits", std::to_string(p.page_bits),
                  "must be " + std::to_string(kLeastWordBits) + ".." + std::to_string(most_page_bits(p.page_key)) +
                      (p.page_key == PageKey::bounds ? ": both bounds of a channel are one word" : ""));
  if (!p.tokens.off())
    return broken("pages", std::to_string(p.pages),
                  "must be 0 where tokens.start or tokens.end is below 1: pages are of all tokens");
  if (p.compensate)
    return broken("compensate", "true", "must be false where pages is above 0: the sum of V is that of all tokens");
  if (p.searches())
    return broken("candidates", number(p.candidates), "must be 1 where pages is above 0: either chooses the keys");
  if (p.lazy_softmax)
    return broken("lazy_softmax", "true", "must be false where pages is above 0: pages are ranked by probabilities");
  if (p.value_threshold > 0)
    return broken("value_threshold", number(p.value_threshold), "must be 0 where pages is above 0");
  return std::nullopt;
}

}  // namespace

std::optional<PolicyViolation> find_violation(const Policy& p) {
  const auto broken = [](const char* key, std::string value, std::string rule) {
    return PolicyViolation{key, std::move(value), std::move(rule)};
  };
  const std::string digits = list(p.k_digits);
  const int n = static_cast<int>(p.k_digits.size());
  if (n < 1 || n > kMaxDigits)
    return broken("k_digits", digits, "must be 1 to " + std::to_string(kMaxDigits) + " digits");
  for (int w : p.k_digits)
    if (w < kLeastWordBits)
      return broken("k_digits", digits, "a digit must have at least " + std::to_string(kLeastWordBits) + " bits");
  if (p.digits().bits() > kWordBits)
    return broken("k_digits", digits, "must add up to at most " + std::to_string(kWordBits) + " bits");
  if (p.msb == MsbRule::round && largest_code(p.digits(), p.msb) == 0)
    return broken("k_digits", digits, "must leave room for a rounded code, or msb must not be round");
  if (p.v_bits < kLeastWordBits || p.v_bits > kWordBits)
    return broken("v_bits", std::to_string(p.v_bits),
                  "must be " + std::to_string(kLeastWordBits) + ".." + std::to_string(kWordBits));
  if (p.select != SelectRule::none) {
    if (p.by_marks()) {
      const std::string where = p.by_anchor() ? "anchor" : "bound";
      if (!p.select_keep.empty())
        return broken("select_keep", list(p.select_keep),
                      "must be none where select is " + where + ": score_threshold says who stays");
      if (p.by_bounds() && n < 2) return broken("k_digits", digits, "must be two digits or more where select is bound");
      if (p.by_anchor() && n != 2) return broken("k_digits", digits, "must be two digits where select is anchor");
      if (p.score_threshold <= 0)
        return broken("score_threshold", number(p.score_threshold), "must be above 0 where select is " + where);
      if (p.rest)
        return broken("rest", "true", "must be false where select is " + where + ": what is left out cannot matter");
      if (p.first_q_bits != kWordBits)
        return broken("first_q_bits", std::to_string(p.first_q_bits),
                      "must be 12 where select is " + where + ": scores are of the query that counts");
      if (p.first_exp != FirstExp::exact) return broken("first_exp", "pow2", "must be exact where select is " + where);
      if (p.by_anchor() && p.protect_first == 0 && p.protect_newest == 0)
        return broken("protect_newest", "0", "must be above 0, or protect_first, where select is anchor: the anchor's");
      if (p.by_anchor() && !p.tokens.off())
        return broken("select", "anchor", "must not be anchor where tokens.start or tokens.end is below 1");
      if (p.by_anchor() && p.pages_tokens())
        return broken("select", "anchor", "must not be anchor where pages is above 0");
    } else if (p.select_keep.empty() || p.select_keep.size() > kMaxStages)
      return broken("select_keep", list(p.select_keep),
                    "must have one to " + std::to_string(kMaxStages) + " stages where select is not none");
    if (n != p.stages() + 1)
      return broken("k_digits", digits,
                    "must be " + std::to_string(p.stages() + 1) + " digits, one more than select_keep has stages");
    for (double keep : p.select_keep)
      if (!(keep > 0 && keep <= 1))
        return broken("select_keep", list(p.select_keep), "shares must be above 0, at most 1");
    for (int i = 0; p.select == SelectRule::mass && i < p.stages(); ++i)
      if (p.mu16(i) == 0)
        return broken("select_keep", list(p.select_keep), "shares of probability must be at least 1/65536");
    if (p.threshold > 0)
      return broken("threshold", number(p.threshold), "must be 0 where select is not none: select decides per token");
    if (p.prunes_values())
      return broken("local_value", number(p.local_value),
                    "must be 1 where select is not none: V is fetched with K's last digits");
    if (p.value_threshold > 0)
      return broken("value_threshold", number(p.value_threshold), "must be 0 where select is not none");
    if (p.score_threshold > 0 && !p.by_marks())
      return broken("score_threshold", number(p.score_threshold), "must be 0 where select is count or mass");
    if (p.lazy_softmax)
      return broken("lazy_softmax", "true", "must be false where select is not none: select asks for probabilities");
  } else {
    if (!p.select_keep.empty()) return broken("select_keep", list(p.select_keep), "must be none where select is none");
    if (p.rest) return broken("rest", "true", "must be false where select is none");
    if (p.select_from) return broken("select_from", std::to_string(p.select_from), "must be 0 where select is none");
    if (p.compensate) return broken("compensate", "true", "must be false where select is none: no token is left out");
    if (p.first_q_bits != kWordBits)
      return broken("first_q_bits", std::to_string(p.first_q_bits),
                    "must be " + std::to_string(kWordBits) + " where select is none: there is no first pass");
    if (p.first_exp != FirstExp::exact)
      return broken("first_exp", "pow2", "must be exact where select is none: there is no first pass");
    if (n > 2) return broken("k_digits", digits, "must be one digit, or MSBs and LSBs, where select is none");
    if (n == 2 && p.threshold == 0)
      return broken("threshold", "0", "must be above 0 where K has two digits: its LSBs were never fetched");
  }
  if (p.compensate && !p.rest)
    return broken("compensate", "true", "must be false where rest is false: rest is what the tokens left out weigh");
  if (p.compensate && !p.tokens.off())
    return broken("compensate", "true",
                  "must be false where tokens.start or tokens.end is below 1: the sum of V is that of all tokens");
  if (p.first_q_bits < kLeastWordBits || p.first_q_bits > kWordBits)
    return broken("first_q_bits", std::to_string(p.first_q_bits),
                  "must be " + std::to_string(kLeastWordBits) + ".." + std::to_string(kWordBits));
  for (const auto& [key, share] : {std::pair{"tokens.start", p.tokens.start},
                                   {"tokens.end", p.tokens.end},
                                   {"tokens.free", p.tokens_free},
                                   {"heads.free", p.heads_free},
                                   {"protect_newest_share", p.protect_newest_share},
                                   {"full_heads", p.full_heads},
                                   {"heads.start", p.heads.start},
                                   {"heads.end", p.heads.end}})
    if (!(share >= 0 && share <= 1)) return broken(key, number(share), "must be 0..1");
  if (!(p.local_value > 0 && p.local_value <= 1))
    return broken("local_value", number(p.local_value), "must be above 0, at most 1");
  for (const auto& [key, share] :
       {std::pair{"value_threshold", p.value_threshold}, {"score_threshold", p.score_threshold}})
    if (!(share >= 0 && share <= 1)) return broken(key, number(share), "must be 0..1");
  if (!(p.candidates > 0 && p.candidates <= 1))
    return broken("candidates", number(p.candidates), "must be above 0, at most 1");
  if (p.lazy_softmax && p.prunes_values())
    return broken("lazy_softmax", "true", "must be false where local_value is below 1: that asks for probabilities");
  if (p.lazy_softmax && !p.tokens.off())
    return broken("lazy_softmax", "true",
                  "must be false where tokens.start or tokens.end is below 1: importance is made of probabilities");
  if (p.searches()) {
    if (n != 1)
      return broken("k_digits", digits,
                    "must be one digit where candidates is below 1: columns of whole keys are sorted");
    if (p.prunes_values())
      return broken("local_value", number(p.local_value),
                    "must be 1 where candidates is below 1: each query head has keys of its own");
    if (!p.tokens.off())
      return broken("candidates", number(p.candidates),
                    "must be 1 where tokens.start or tokens.end is below 1: no importance is added up");
  }
  if (const auto bad = find_basis_violation(p)) return bad;
  if (const auto bad = find_tensor_violation(p)) return bad;
  if (const auto bad = find_page_violation(p)) return bad;
  if (const auto bad = find_merge_violation(p)) return bad;
  if (p.weights == RowWeights::sigmoid) {
    const auto without = [&](const char* key, std::string value, const char* what) {
      return broken(key, std::move(value),
                    std::string("must be ") + what + " where weights is sigmoid: no sum divides it");
    };
    if (p.select != SelectRule::none) return broken("weights", "sigmoid", "must be softmax where select is not none");
    if (p.pages_tokens()) return broken("weights", "sigmoid", "must be softmax where pages is above 0");
    if (p.renormalise) return without("renormalise", "true", "false");
    if (p.lazy_softmax) return without("lazy_softmax", "true", "false");
    if (p.searches()) return broken("candidates", number(p.candidates), "must be 1 where weights is sigmoid");
    if (p.value_threshold > 0) return without("value_threshold", number(p.value_threshold), "0");
    if (p.score_threshold > 0) return without("score_threshold", number(p.score_threshold), "0");
  }
  if (p.scope == ImportanceScope::kv_head && p.permanent)
    return broken("permanent", "true", "must be false where scope is kv_head: each step chooses anew");
  if (p.scope == ImportanceScope::kv_head && p.importance == ImportanceRule::normalised)
    return broken("importance", "normalised", "must be sum or decay where scope is kv_head");
  if (p.scope == ImportanceScope::shared) {
    if (p.shards)
      return broken("shards", std::to_string(p.shards), "must be 0 where scope is shared: all heads see the same");
    if (p.full_heads > 0)
      return broken("full_heads", number(p.full_heads), "must be 0 where scope is shared: all heads see the same");
  }
  if (p.full_every) {
    const std::string every = std::to_string(p.full_every);
    if (p.full_every == 1) return broken("full_every", every, "must be 0, or 2 and more: no step would choose");
    if (p.scope == ImportanceScope::shared)
      return broken("full_every", every, "must be 0 where scope is shared: KV heads choose by a step of their own");
    if (!p.ranks_tokens())
      return broken("full_every", every,
                    p.tokens.off() ? "must be 0 where tokens.start and tokens.end are 1: no token is left out"
                                   : "must be 0 where tokens.start and tokens.end are 0: no token is ranked");
    if (p.importance != ImportanceRule::sum)
      return broken("importance", "decay", "must be sum where full_every is above 0: it begins anew in a full step");
  }
  if (p.importance_block != 1) {
    const std::string block = std::to_string(p.importance_block);
    if (p.importance_block < 1 || (p.importance_block & (p.importance_block - 1)))
      return broken("importance_block", block, "must be a power of two: a tree of adders makes the sums");
    if (p.scope == ImportanceScope::shared)
      return broken("importance_block", block, "must be 1 where scope is shared: blocks are whole in a list of all");
    if (!p.ranks_tokens())
      return broken("importance_block", block,
                    p.tokens.off() ? "must be 1 where tokens.start and tokens.end are 1: no token is left out"
                                   : "must be 1 where tokens.start and tokens.end are 0: no token is ranked");
    if (p.shards) return broken("shards", std::to_string(p.shards), "must be 0 where importance_block is above 1");
    if (p.protect_newest < 1 && p.protect_newest_share <= 0)
      return broken("protect_newest", std::to_string(p.protect_newest),
                    "must be at least 1 where importance_block is above 1: the newest block is seldom full");
  }
  if (p.tokens.off() && p.shards)
    return broken("shards", std::to_string(p.shards),
                  "must be 0 where tokens.start and tokens.end are 1: no token is left out");
  if (p.tokens.off() && p.full_heads > 0)
    return broken("full_heads", number(p.full_heads),
                  "must be 0 where tokens.start and tokens.end are 1: no token is left out");
  return std::nullopt;
}

void validate(const Policy& p) {
  if (const auto bad = find_violation(p))
    throw Error("policy " + p.name + ": " + bad->key + ": " + bad->value + ": " + bad->rule);
}

}  // namespace winnow::golden
