#pragma once
// winnow.Machine.
#include "python/src/parameters.h"
#include "sim/config/machine.h"

namespace winnow::python {

struct MachineKind {
  using Value = Machine;
  static constexpr const char* provider = "machine";
  static Value load(const std::string& name) { return load_machine(name); }
  static Schema schema(Value& value) { return machine_schema(value); }
  static Schema file_schema(Value& value) { return machine_schema(value); }
  static void check(const Value& value) { require_consistent("--set", value); }
};
using MachineObject = Settable<MachineKind>;

}  // namespace winnow::python
