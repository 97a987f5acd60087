#include <algorithm>
#include <string>

#include "golden/error.h"
#include "golden/policies/policy.h"

namespace winnow::golden {
namespace {

Policy dense() { return {}; }

// The paper's rule to the letter: 8+4 bits of K, refetch under 0.1, cascade of tokens and heads, local value pruning.
Policy spatten() {
  Policy p;
  p.name = "spatten";
  p.k_digits = {8, 4};
  p.v_bits = 8;
  p.threshold = 0.1;
  p.tokens = tokens_from_average(0.7);
  p.heads = heads_from_average(0.9);
  p.local_value = 0.3;
  return p;
}

// What real models turn out to need: the newest and the first tokens stay, importance forgets, the kept V are
// renormalised, heads are left alone.
Policy spatten_protected() {
  Policy p = spatten();
  p.name = "spatten-protected";
  p.heads = {};
  p.protect_first = 4;
  p.protect_newest = 32;
  p.importance = ImportanceRule::decay;
  p.renormalise = true;
  return p;
}

// Progressive selection: 4 bits of K for all; the tokens with 97 % of the probability go on to 4 more bits and V.
Policy select() {
  Policy p;
  p.name = "select";
  p.k_digits = {4, 4};
  p.msb = MsbRule::round;
  p.k_scale = KeyScale::channel;
  p.v_bits = 8;
  p.v_scale = ValueScale::token;
  p.select = SelectRule::mass;
  p.select_keep = {0.97};
  p.rest = true;
  return p;
}

std::string list(const std::vector<int>& v) {
  std::string s = "[";
  for (std::size_t i = 0; i < v.size(); ++i) s += (i ? ", " : "") + std::to_string(v[i]);
  return s + "]";
}

}  // namespace

const std::vector<PolicyEntry>& policies() {
  static const std::vector<PolicyEntry> all = {
      {"dense", "everything is fetched, K and V 12 bits", dense},
      {"spatten", "SpAtten's rule: cascade of tokens and heads, local value pruning, LSB refetch when p is flat",
       spatten},
      {"spatten-protected", "spatten with first and newest tokens kept, decaying importance, renormalised values",
       spatten_protected},
      {"select", "progressive selection: MSBs of K for all, LSBs of K and V for the tokens that carry the probability",
       select},
  };
  return all;
}

Policy make_policy(const std::string& name) {
  std::string known;
  for (const auto& e : policies()) {
    if (name == e.name) return e.make();
    known += (known.empty() ? "" : ", ") + std::string(e.name);
  }
  throw Error("policy '" + name + "': unknown; known are " + known);
}

KeepSchedule tokens_from_average(double avg) {
  const double start = std::min(1.0, 1.5 * avg);
  return {start, 2 * avg - start};
}

KeepSchedule heads_from_average(double avg) { return {1.0, 2 * avg - 1.0}; }

void validate(const Policy& p) {
  const auto fail = [&](const std::string& what) { throw Error("policy " + p.name + ": " + what); };
  const int n = static_cast<int>(p.k_digits.size());
  if (n < 1 || n > kMaxDigits) fail("k_digits: " + list(p.k_digits) + ": 1 to 4 digits");
  const int bits = p.digits().bits();
  for (int w : p.k_digits)
    if (w < 2) fail("k_digits: " + list(p.k_digits) + ": a digit has at least 2 bits");
  if (bits < 2 || bits > 12)
    fail("k_digits: " + list(p.k_digits) + ": sum " + std::to_string(bits) + " is not in 2..12");
  if (p.msb == MsbRule::round && largest_code(p.digits(), p.msb) == 0)
    fail("k_digits: " + list(p.k_digits) + ": no rounded code fits these digits");
  if (p.select != SelectRule::none) {
    if (p.select_keep.empty() || p.select_keep.size() > 3)
      fail("select_keep: " + std::to_string(p.select_keep.size()) + " stages: one to three");
    if (n != p.stages() + 1)
      fail("k_digits: " + list(p.k_digits) + ": select with " + std::to_string(p.stages()) + " stage(s) needs " +
           std::to_string(p.stages() + 1) + " digits");
    for (double keep : p.select_keep)
      if (!(keep > 0 && keep <= 1)) fail("select_keep: " + std::to_string(keep) + ": outside (0, 1]");
    for (int i = 0; p.select == SelectRule::mass && i < p.stages(); ++i)
      if (p.mu16(i) == 0)
        fail("select_keep: " + std::to_string(p.select_keep[static_cast<std::size_t>(i)]) + ": mass below 1/65536");
    if (p.threshold > 0) fail("threshold: select decides per token; set threshold to 0");
    if (p.prunes_values()) fail("local_value: select fetches V with K's LSBs; set local_value to 1");
  } else {
    if (!p.select_keep.empty()) fail("select_keep: given, but select is none");
    if (p.rest) fail("rest: given, but select is none");
    if (n > 2) fail("k_digits: " + list(p.k_digits) + ": without select at most MSB and LSB");
    if (n == 2 && p.threshold == 0) fail("threshold: 0 with two digits never fetches K's LSBs; give one digit instead");
  }
  for (const auto& [key, s] : {std::pair{"tokens", p.tokens}, std::pair{"heads", p.heads}})
    if (!(s.start >= 0 && s.start <= 1 && s.end >= 0 && s.end <= 1))
      fail(std::string(key) + ": start and end must lie in 0..1");
  if (!(p.local_value > 0 && p.local_value <= 1))
    fail("local_value: " + std::to_string(p.local_value) + ": outside (0, 1]");
  if (p.scope == ImportanceScope::kv_head && p.permanent) fail("permanent: with scope kv_head each step chooses anew");
  if (p.scope == ImportanceScope::kv_head && p.importance == ImportanceRule::normalised)
    fail("importance: normalised is kept with scope shared only");
}

}  // namespace winnow::golden
