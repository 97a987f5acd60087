#include "python/src/machines.h"

#include "sim/config/machine_folder.h"

namespace winnow::python {

void bind_machines(nb::module_& m) {
  bind_settable<MachineKind>(m, "Machine", "Sizes of every block of a machine.")
      .def_prop_ro(
          "alignment", [](const MachineObject& o) { return o.value.alignment(); },
          "Bytes at whose multiples regions of the memory begin.");
  m.def("machine_names", &machine_names);
  m.def(
      "set_machine_folder", [](const std::string& folder) { set_machine_folder(folder); }, nb::arg("folder"),
      "Where named machines lie; the installed package has them in itself.");
}

}  // namespace winnow::python
