#include "python/src/parameters.h"

#include <fmt/ranges.h>

#include <variant>

namespace winnow::python {
namespace {

// "[4, 4]" or "none" of a list, as Python numbers.
nb::object list_of(const std::string& text) {
  nb::list list;
  if (text == "none" || text.empty()) return list;
  std::string inner = text.substr(1, text.size() - 2);
  for (std::size_t from = 0; from < inner.size();) {
    const std::size_t to = std::min(inner.find(',', from), inner.size());
    const std::string item = inner.substr(from, to - from);
    if (item.find_first_of(".e") == std::string::npos)
      list.append(std::stoll(item));
    else
      list.append(std::stod(item));
    from = to + 1;
  }
  return list;
}

}  // namespace

ParameterInfo info_of(const Param& p) {
  struct Type {
    const char* operator()(const int*) const { return "int"; }
    const char* operator()(const double*) const { return "float"; }
    const char* operator()(const bool*) const { return "bool"; }
    const char* operator()(const std::string*) const { return "str"; }
    const char* operator()(const Param::Custom& c) const { return c.list ? "list" : "str"; }
  };
  return {p.key, p.unit, p.shorthand ? "float" : std::visit(Type{}, p.target), p.rule_text(), p.doc, p.shorthand};
}

nb::object value_of(const Param& p) {
  struct Value {
    nb::object operator()(const int* v) const { return nb::int_(*v); }
    nb::object operator()(const double* v) const { return nb::float_(*v); }
    nb::object operator()(const bool* v) const { return nb::bool_(*v); }
    nb::object operator()(const std::string* v) const { return nb::str(v->c_str()); }
    nb::object operator()(const Param::Custom& c) const {
      if (c.list) return list_of(c.get());
      return nb::str(c.get().c_str());
    }
  };
  if (p.shorthand) return nb::none();
  return std::visit(Value{}, p.target);
}

std::string text_of(const std::string& key, nb::handle value) {
  if (value.is_none()) return "none";
  if (nb::isinstance<nb::bool_>(value)) return nb::cast<bool>(value) ? "true" : "false";
  if (nb::isinstance<nb::str>(value)) return nb::cast<std::string>(value);
  if (nb::isinstance<nb::list>(value) || nb::isinstance<nb::tuple>(value)) {
    std::vector<std::string> items;
    for (nb::handle item : value) items.push_back(text_of(key, item));
    return items.empty() ? "none" : fmt::format("{}", fmt::join(items, ","));
  }
  // NumPy's numbers too.
  if (PyIndex_Check(value.ptr())) return std::string(nb::str(nb::steal(PyNumber_Index(value.ptr()))).c_str());
  if (PyNumber_Check(value.ptr())) return fmt::format("{}", nb::cast<double>(nb::float_(value)));
  throw Error(fmt::format("--set: {}: {}: must be a bool, a number, a string or a list of numbers", key,
                          nb::repr(value).c_str()));
}

}  // namespace winnow::python
