#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Progressive selection on transform-coded keys: in a basis in which queries are white and keys uncorrelated two bits a
// channel say what four say of keys as they are.
Policy make() {
  Policy p = select().make();
  p.name = "coded";
  p.k_digits = {2, 4};
  p.k_scale = KeyScale::tensor;
  p.key_basis = KeyBasisRule::trace;
  p.v_bits = 6;
  p.select_keep = {0.98};
  p.compensate = true;
  return p;
}

}  // namespace

PolicyEntry coded() {
  return {"coded", Family::selection,
          "selection on keys in a basis of their own, with as many bits a channel as its range needs; compensated",
          "this project's, docs/specification/basis.md", make};
}

}  // namespace winnow::golden::rules
