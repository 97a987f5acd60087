#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "golden/error.h"
#include "golden/policies/rules/rules.h"

namespace winnow::golden {

const std::vector<PolicyEntry>& policies() {
  static const std::vector<PolicyEntry> all = [] {
    std::vector<PolicyEntry> list = {
#include "golden/policies/rules/listed.inc"
    };
    std::sort(list.begin(), list.end(), [](const PolicyEntry& a, const PolicyEntry& b) {
      return std::pair(a.family, std::string_view(a.name)) < std::pair(b.family, std::string_view(b.name));
    });
    return list;
  }();
  return all;
}

Policy make_policy(const std::string& name) {
  std::string known;
  for (const auto& e : policies()) {
    if (name == e.name) return e.make();
    known += (known.empty() ? "" : ", ") + std::string(e.name);
  }
  throw Error("policy '" + name + "': unknown; known are " + known);
}

KeepSchedule tokens_from_average(double avg) {
  const double start = std::min(1.0, 1.5 * avg);
  return {start, 2 * avg - start};
}

KeepSchedule heads_from_average(double avg) { return {1.0, 2 * avg - 1.0}; }

}  // namespace winnow::golden
