#pragma once
// Policies and machines as Python objects: every key of their schema (sim/config), read and written with the checks and
// the words of `--set`. No key is listed here.
#include <fmt/format.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <utility>
#include <vector>

#include "golden/error.h"
#include "python/src/bindings.h"
#include "sim/config/schema.h"
#include "sim/config/settings.h"

namespace winnow::python {

// One key, for documentation and stubs.
struct ParameterInfo {
  std::string key, unit, type, rule, doc;
  bool shorthand;  // sets other keys, cannot be read
};

ParameterInfo info_of(const Param& param);
// None for a shorthand.
nb::object value_of(const Param& param);
// As `--set` takes it: a bool, a number, a string, or a list of numbers. Throws Error on another type.
std::string text_of(const std::string& key, nb::handle value);

// `Kind` has: Value, provider (the name in front of a key), load, schema, check, name.
template <class Kind>
struct Settable {
  std::string base;  // the name or file that it was made from
  typename Kind::Value value;

  explicit Settable(std::string name) : base(std::move(name)), value(Kind::load(base)) {}

  void set(const std::string& key, nb::handle to) {
    Settings settings;
    settings.add(Kind::provider, Kind::schema(value));
    settings.apply(key + "=" + text_of(key, to));
  }
  nb::object get(const std::string& key) {
    const Schema schema = Kind::schema(value);
    if (const Param* param = find_param(schema, key)) return value_of(*param);
    throw nb::key_error(key.c_str());
  }
  // What differs from the base, as `--set` takes it.
  std::vector<std::string> changes() {
    typename Kind::Value original = Kind::load(base);
    const Schema mine = Kind::schema(value), its = Kind::schema(original);
    std::vector<std::string> list;
    for (std::size_t i = 0; i < mine.size(); ++i)
      if (mine[i].value_text() != its[i].value_text())
        list.push_back(fmt::format("{}.{}={}", Kind::provider, mine[i].key, mine[i].value_text()));
    // Lists are shown as in a file, and set without their brackets.
    for (std::string& text : list) std::erase_if(text, [](char c) { return c == '[' || c == ']' || c == ' '; });
    return list;
  }
  std::vector<ParameterInfo> parameters() {
    std::vector<ParameterInfo> list;
    for (const Param& param : Kind::schema(value)) list.push_back(info_of(param));
    return list;
  }
};

template <class Kind>
nb::class_<Settable<Kind>> bind_settable(nb::module_& m, const char* name, const char* doc) {
  using S = Settable<Kind>;
  return nb::class_<S>(m, name, doc, nb::dynamic_attr())
      .def(nb::init<std::string>(), nb::arg("base"), "From a name, or the path of a .yaml file.")
      .def("_set", &S::set, nb::arg("key"), nb::arg("value").none())
      .def("_get", &S::get, nb::arg("key"))
      .def("_parameters", &S::parameters)
      .def(
          "check", [](S& s) { Kind::check(s.value); }, "Raises Error where parameters contradict each other.")
      .def("changes", &S::changes, "What differs from the base, as --set takes it: ['policy.v_bits=6'].")
      .def_prop_ro(
          "base", [](const S& s) { return s.base; }, "The name or file that it was made from.")
      .def_prop_ro(
          "name", [](const S& s) { return s.value.name; }, "What results call it.")
      .def(
          "yaml", [](S& s) { return show_yaml(Kind::file_schema(s.value)); },
          "A file that loads again, with units, rules and explanations as comments.");
}

}  // namespace winnow::python
