#include "python/src/policies.h"

namespace winnow::python {

void bind_policies(nb::module_& m) {
  nb::class_<ParameterInfo>(m, "ParameterInfo", "One key of a policy or a machine.")
      .def_ro("key", &ParameterInfo::key)
      .def_ro("unit", &ParameterInfo::unit)
      .def_ro("type", &ParameterInfo::type)
      .def_ro("rule", &ParameterInfo::rule)
      .def_ro("doc", &ParameterInfo::doc)
      .def_ro("shorthand", &ParameterInfo::shorthand);
  bind_settable<PolicyKind>(m, "Policy", "What is fetched for a query: tokens, heads, values and bits.");
  m.def("policy_names", [] {
    std::vector<std::string> names;
    for (const golden::PolicyEntry& entry : golden::policies()) names.emplace_back(entry.name);
    return names;
  });
}

}  // namespace winnow::python
