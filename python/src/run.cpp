#include "sim/run.h"

#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <mutex>

#include "golden/error.h"
#include "python/src/machines.h"
#include "python/src/policies.h"
#include "sim/commands/range.h"
#include "sim/results/writers.h"
#include "sim/rtl/shell.h"
#include "sim/run/in_memory.h"
#include "winnow_version.h"

namespace winnow::python {
namespace {

// SystemC's kernel and the RTL that stands beside it have one state a process.
std::mutex one_machine;

// The same on the command line.
std::string command_of(const RunOptions& o) {
  std::string text = "winnow run " + rtl::quoted(o.trace);
  for (const std::string& with : o.with) text += " " + rtl::quoted(with);
  const auto add = [&](const char* option, const std::string& value) {
    text += fmt::format(" {} {}", option, rtl::quoted(value));
  };
  add("--machine", o.machine), add("--policy", o.policy);
  if (o.engine != "systemc") add("--engine", o.engine);
  const auto range = [&](const char* option, IndexRange r) {
    if (!r.all()) add(option, r.last < 0 ? fmt::format("{}-", r.first) : fmt::format("{}-{}", r.first, r.last));
  };
  range("--layers", o.layers), range("--steps", o.steps);
  if (o.batch != 1) add("--batch", std::to_string(o.batch)), add("--batch-stagger", std::to_string(o.batch_stagger));
  if (o.seed != 1) add("--seed", std::to_string(o.seed));
  if (!o.against.empty()) add("--against", o.against);
  for (const std::string& set : o.set) add("--set", set);
  return text;
}

RunOutcome run(const std::vector<std::string>& traces, MachineObject& machine, PolicyObject& policy,
               const std::string& engine, const std::optional<std::string>& layers,
               const std::optional<std::string>& steps, int batch, int batch_stagger, std::uint64_t seed,
               const std::optional<std::string>& against) {
  RunOptions o;
  if (traces.empty()) throw Error("run: no trace is named");
  o.trace = traces.front(), o.with.assign(traces.begin() + 1, traces.end());
  o.machine = machine.base, o.policy = policy.base, o.engine = engine;
  for (const std::string& set : machine.changes()) o.set.push_back(set);
  for (const std::string& set : policy.changes()) o.set.push_back(set);
  if (layers) o.layers = parse_range("--layers", *layers);
  if (steps) o.steps = parse_range("--steps", *steps);
  o.batch = batch, o.batch_stagger = batch_stagger, o.seed = seed, o.against = against.value_or("");
  o.version = WINNOW_VERSION;
  o.command = command_of(o);

  const nb::gil_scoped_release release;
  const std::unique_lock<std::mutex> only(one_machine, std::try_to_lock);
  if (!only)
    throw Error("run: another run is on its way in this process: one at a time, or a process each (multiprocessing)");
  return run_in_memory(o, [] {
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  });
}

}  // namespace

void bind_run(nb::module_& m) {
  nb::class_<RunOutcome>(m, "RunOutcome", "What a run measured, as the files of its folder would have it.")
      .def_prop_ro(
          "result_json", [](const RunOutcome& o) { return to_json(o.result); }, "result.json, byte for byte.")
      .def_prop_ro("manifest_json", [](const RunOutcome& o) { return to_json(o.manifest, true); })
      .def_prop_ro("command", [](const RunOutcome& o) { return o.manifest.command; })
      .def_ro("columns", &RunOutcome::columns)
      .def_ro("rows", &RunOutcome::layers)
      .def_ro("compared", &RunOutcome::compared)
      .def_ro("different", &RunOutcome::different)
      .def_ro("first_difference", &RunOutcome::first_difference);
  m.def("run", &run, nb::arg("traces"), nb::arg("machine"), nb::arg("policy"), nb::arg("engine"),
        nb::arg("layers").none(), nb::arg("steps").none(), nb::arg("batch"), nb::arg("batch_stagger"), nb::arg("seed"),
        nb::arg("against").none());
}

}  // namespace winnow::python
