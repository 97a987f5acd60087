#pragma once
// Rows of the pool of K and V (kv_banks.h): whether a head may take some now.
//
// Heads take rows as they go: K of all tokens, then V, or the digits and V of those that stay, whose number nobody
// knows beforehand. If each took what is free, all could hold a part and none could go on. So rows are given only
// where, after it, the heads in flight could still end one after the other, oldest first, even if every token of theirs
// stayed (the banker's algorithm; at most eight heads, a sum and a comparison each). A head whose tokens would all not
// fit is given what is left, and fails if that does not do.
#include <cstdint>

#include "models/controller/state.h"

namespace winnow::controller {

class Rows {
 public:
  explicit Rows(State& state) : s_(state) {}

  // Rows that the load of a head's K takes, or of the keys of its pages while these are chosen among: its widest pass,
  // since each later one takes its place; all digits where a sentence is read whole.
  int key_bits(const Head& h) const;
  // Of K of survivors behind a crude first pass, beside the first digits.
  int second_bits() const { return s_.decisions.digits.bits(); }
  int value_bits(const Head& h) const { return h.plan->value_bits; }

  std::uint32_t of_keys(const Head& h, std::uint32_t tokens) const;
  std::uint32_t of_second(std::uint32_t tokens) const;
  std::uint32_t of_values(const Head& h, std::uint32_t tokens) const;

  // Whether `h` may take that many rows now. What it takes them for is counted in `rows`, and no longer as its need:
  // `for_key`, `for_values` say what that is. Throws winnow::Error if it holds so much that they can never be there.
  bool may_take(const Head& h, std::uint32_t rows, bool for_key, bool for_values);

 private:
  int token_key_bits(const Head& h) const;
  std::uint32_t held(const Head& h) const;
  std::uint32_t need(const Head& h, bool key_taken, bool values_taken) const;

  State& s_;
};

}  // namespace winnow::controller
