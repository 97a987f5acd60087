#pragma once
// Random models and policies. Shares of a policy are whole percent, so that a reference can count in exact fractions.
#include <array>

#include "golden/model.h"
#include "golden/policies/policy.h"
#include "tests/golden/common.h"

namespace winnow::golden::test {

struct Values {
  Shape shape;
  std::vector<std::vector<float>> q, k, v;  // [layer * heads + head][tokens][D]
  FloatSource source() const;
};

// Random values with what is hard: equal tokens (ties), zero tokens, flat and peaked rows, generated values beyond the
// prompt's largest, channels that are outliers.
// `heat` scales the queries (0: at random, a layer each).
Values random_values(const Shape& shape, Random& random, double heat = 0);
Shape random_shape(Random& random);
std::shared_ptr<const HeadTensors> random_tensors(const Shape& shape, Random& random);
// At most so many layers, and tensors for their heads alone.
void fewer_layers(Shape& shape, int most);

struct Case {
  Policy policy;
  int tokens_start = 100, tokens_end = 100, heads_start = 100, heads_end = 100, local_value = 100;  // percent
  std::array<int, 3> select_keep{};                                                                 // percent
  int threshold = 0;                                                                                // thousandths
  int candidates = 100;                                                                             // percent
  int tokens_free = 15, heads_free = 30, newest_share = 0, full_heads = 0;                          // percent
  int page_keep = 100;                                                                              // percent
  int value_threshold = 0, score_threshold = 0;                                                     // thousandths
};
// Rules of the rivals, for a case that they may be added to: at least one of them.
void random_rival(Case& c, Random& random);
Case random_case(Random& random);
// Options of a selecting case's first pass, and compensation, each off half of the time.
void random_first_pass(Case& c, Random& random);
// Tokens left out by place become one.
void random_merge(Case& c, Random& random);
// What goes by tensors of the trace: heads by distance, weights of heads, a mask or clusters; one of them at least.
void random_tensor_rule(Case& c, Random& random);
// Another rule of a row in the place of the case's: an anchor, or a sigmoid.
void random_variant(Case& c, Random& random);
// A page stage, for a case that it may be added to.
void random_pages(Case& c, Random& random);
// Full steps, importances by block, or both, for a case that has neither a rival's rules nor
// compensation: its KV heads rank their tokens.
void random_full_steps(Case& c, Random& random);
// Keys in a basis of their own, for a case that it may be added to, and a basis for every head of the shape: near one,
// far from it, rows of very different sizes, channels without a range.
void random_basis(Case& c, Shape& shape, Random& random);
std::shared_ptr<const KeyBasis> random_key_basis(const Shape& shape, Random& random);
void set_key_basis(Shape& shape, std::shared_ptr<const KeyBasis> basis);
std::string describe(const Case& c, const Shape& s);

}  // namespace winnow::golden::test
