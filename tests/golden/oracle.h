#pragma once
// Two references for a row, written from the definitions, slow and obvious; neither calls golden's arithmetic.
//  integer_row   every integer of the algorithm again, by 128-bit arithmetic and sorting: golden must be equal.
//  bound_row     the same algorithm in float64 on the same codes, given golden's selections, with the error that fixed
//                point may add beside every value: golden must be within.
#include "golden/attention.h"
#include "golden/model.h"
#include "tests/golden/cases.h"

namespace winnow::golden::test {

struct Row {
  bool refetched = false;
  int flat = 0;
  std::vector<std::vector<std::uint32_t>> survivors;  // a stage each, slots
  std::vector<std::uint32_t> values;
  std::vector<std::uint32_t> p;  // [group][keys]
  std::vector<int> out;          // [group][D]
  std::vector<std::uint64_t> denominator;
  std::vector<std::vector<std::uint32_t>> candidates;  // [group] of a greedy search
};

// A code as the machine reads it when only its digits 0..last are there, in units of the full code (no half-step).
std::int64_t reading(std::int64_t code, const std::vector<int>& widths, MsbRule rule, int last);
// Places of the k largest, ascending; equals in index order.
std::vector<std::uint32_t> largest_k(const std::vector<std::uint64_t>& x, std::size_t k);

// `merged`: the last of `visible` counts as so many tokens.
Row integer_row(const Quantized& m, const Case& c, int layer, int kv_head, int position,
                const std::vector<std::uint32_t>& visible, std::uint32_t heads, bool full_width,
                std::uint32_t merged = 0);
// Whether the merged token of `step` is the mean of tokens first to before end, in every word.
bool is_merged(const Quantized& m, const Case& c, int layer, int kv_head, int step, std::size_t first, std::size_t end);

// Tokens of 0..position that a step reads behind its page stage; all where no page is left out.
std::vector<std::uint32_t> paged(const Quantized& m, const Case& c, int layer, int kv_head, int position,
                                 std::uint32_t heads);
// The pages that were scored for it.
std::vector<std::uint32_t> scored_pages(const Case& c, int tokens);

struct Bounds {
  std::uint64_t probabilities = 0, outputs = 0, denominators = 0, unbounded = 0;
  // Largest |error| and |error| / bound; outputs as a fraction of V's largest. `plain`: rows without rest and
  // renormalising.
  double p_error = 0, p_ratio = 0, p_error_plain = 0;
  double out_error = 0, out_ratio = 0, out_error_plain = 0;
  double denominator_ratio = 0;
};

// Compares golden's row; failures are reported by GoogleTest.
void bound_row(const Quantized& m, int layer, int kv_head, int position, const std::vector<std::uint32_t>& visible,
               std::uint32_t heads, bool full_width, const GroupRow& golden, Bounds& b);

}  // namespace winnow::golden::test
