#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Progressive selection: 4 bits of K for all; the tokens with 97 % of the probability go on to 4 more bits and V.
Policy make() {
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

}  // namespace

PolicyEntry select() {
  return {"select", Family::selection,
          "progressive selection: MSBs of K for all, LSBs of K and V for the tokens that carry the probability",
          "this project's, docs/specification/selection.md", make};
}

}  // namespace winnow::golden::rules
