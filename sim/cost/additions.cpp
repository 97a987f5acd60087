#include "sim/cost/additions.h"

#include <fmt/format.h>

#include <algorithm>

#include "golden/formats.h"
#include "sim/cost/builder.h"

namespace winnow::cost {
namespace {

// Twelve by twelve bits: what a wider product is made of.
constexpr const char* kProduct = "multiply12";
constexpr const char* kAdder = "add24";

// Memories that the policy makes larger: their own figures, in proportion to their bits.
void add_storage(std::vector<Component>& all, const std::vector<Component>& components,
                 const std::vector<Stored>& without, const std::vector<Stored>& with) {
  for (const Stored& after : with) {
    const auto same = [&after](const auto& s) { return s.block == after.block && s.name == after.name; };
    const auto before = std::find_if(without.begin(), without.end(), same);
    const auto of = std::find_if(components.begin(), components.end(), same);
    if (before == without.end() || of == components.end() || before->total() == 0 || after.total() <= before->total())
      continue;
    const double more = static_cast<double>(after.total()) / static_cast<double>(before->total()) - 1;
    Component c = *of;
    c.area_um2 *= more, c.leakage_w *= more, c.estimate = true;
    for (Action& a : c.actions) a.pj *= more;
    c.source += fmt::format("; x {:.4g}: in proportion to the bits that the policy adds", more);
    all.push_back(std::move(c));
  }
}

}  // namespace

std::vector<Component> additions_of(const Machine& m, const golden::Policy& p, const std::vector<Component>& components,
                                    const std::vector<Stored>& without, const std::vector<Stored>& with,
                                    const Technology& t) {
  std::vector<Component> all;
  Builder b(t, all);
  const double width = m.softmax.width;
  // Which of a page's bounds meets each element of the query.
  if (p.pages_tokens() && p.page_key == golden::PageKey::bounds)
    b.add_multiplexers("qk", "page_bounds", 2, m.key_multipliers(), golden::most_page_bits(p.page_key),
                       "qk.multiplications");
  // A comparison a lane; by bounds a row's margin too, a product of 20 by 12 bits, and its scale.
  if (p.by_marks()) b.add("softmax", kAdder, width, "softmax.exact_exponentials", 1, width, "compare");
  if (p.by_bounds()) b.add("softmax", kProduct, 4, "row_sums.writes", 4, 1, "row");
  // An exponential of 21 bits times up to 4,095 tokens, in the sum and before the division, whose product is wider.
  if (p.merge) b.add("softmax", kProduct, 7, "row_sums.writes", 7, 1, "row");
  // A lane's chord of the sigmoid, 10 by 14 bits, and its bias.
  if (p.weights == golden::RowWeights::sigmoid) {
    b.add("softmax", kProduct, 2 * width, "softmax.exact_exponentials", 2, width, "sigmoid");
    b.add("softmax", kAdder, width, "softmax.exact_exponentials", 1, width, "sigmoid");
  }
  // A tree of adders over a word of importances of 48 bits.
  if (p.importance_block > 1) b.add("cascade", kAdder, 2 * (width - 1), "cascade.busy", 2 * (width - 1), 1, "cycle");
  // The weight of a head into its output's scale.
  if (p.head_weights != golden::HeadWeights::none) b.add("pv", kProduct, 2, "outputs.writes", 2, 1, "row");
  for (Component& c : all) c.estimate = true;
  add_storage(all, components, without, with);
  return all;
}

}  // namespace winnow::cost
