// winnow._core: golden, the machine and traces for Python. What people use is the package around it (python/winnow).
#include "golden/error.h"
#include "python/src/bindings.h"
#include "winnow_version.h"

NB_MODULE(_core, m) {
  using namespace winnow::python;
  m.doc() = "Golden, the machine and traces: the C++ part of the package winnow.";
  nb::exception<winnow::Error>(m, "Error", PyExc_ValueError).doc() =
      "Bad input: one line that names file, place, value and rule, as the command line prints it.";
  m.attr("__version__") = WINNOW_VERSION;
  bind_traces(m);
  bind_policies(m);
  bind_machines(m);
  bind_golden(m);
  bind_sessions(m);
  bind_run(m);
}
