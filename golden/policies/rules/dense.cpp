#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

Policy make() {
  Policy p;
  p.name = "dense";
  return p;
}

}  // namespace

PolicyEntry dense() {
  return {"dense", Family::baseline, "everything is fetched, K and V 12 bits",
          "attention as such, in 12 bits (SpAtten, HPCA 2021, IV)", make};
}

}  // namespace winnow::golden::rules
