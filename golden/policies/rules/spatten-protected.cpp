#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// What real models turn out to need: the newest and the first tokens stay, importance forgets, the kept V are
// renormalised, heads are left alone.
Policy make() {
  Policy p = spatten().make();
  p.name = "spatten-protected";
  p.heads = {};
  p.protect_first = 4;
  p.protect_newest = 32;
  p.importance = ImportanceRule::decay;
  p.renormalise = true;
  return p;
}

}  // namespace

PolicyEntry spatten_protected() {
  return {"spatten-protected", Family::cascade,
          "spatten with first and newest tokens kept, decaying importance, renormalised values",
          "this project's, docs/policies.md", make};
}

}  // namespace winnow::golden::rules
