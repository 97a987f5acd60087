#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// MNNFast (ISCA 2019): V of a probability below 0.01 is not multiplied; softmax divides at the end.
Policy make() {
  Policy p;
  p.name = "mnnfast";
  p.value_threshold = 0.01;
  p.lazy_softmax = true;
  return p;
}

}  // namespace

PolicyEntry mnnfast() {
  return {"mnnfast", Family::rival, "MNNFast's rule: all is fetched, V of a probability below 0.01 is not multiplied",
          "Jang et al., \"MnnFast\", ISCA 2019, III", make};
}

}  // namespace winnow::golden::rules
