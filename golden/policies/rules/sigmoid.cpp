#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Sigmoid attention: each score's weight is its own sigmoid, under a bias of minus the logarithm of the number of
// tokens; no sum, no division. K is fetched progressively under a confidence rule of its own: where no weight of a row
// reaches the threshold on the MSBs, the LSBs are read too. Models are trained so; in one that is not, values are right
// and accuracy is not claimed.
Policy make() {
  Policy p;
  p.name = "sigmoid";
  p.weights = RowWeights::sigmoid;
  p.k_digits = {6, 4};
  p.threshold = 0.1;
  return p;
}

}  // namespace

PolicyEntry sigmoid() {
  return {"sigmoid", Family::variants, "a sigmoid of each score weighs V; K's LSBs where no weight stands out",
          "Ramapuram et al., \"Theory, Analysis, and Best Practices for Sigmoid Self-Attention\", 2024 (arXiv "
          "2409.04431), 3",
          make};
}

}  // namespace winnow::golden::rules
