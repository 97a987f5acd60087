#pragma once
// What a run needs before its first cycle: trace, machine and policy with their settings applied, checked against each
// other, and the trace quantized.
#include <memory>

#include "golden/layout.h"
#include "golden/quant.h"
#include "golden/reference.h"
#include "sim/config/machine.h"
#include "sim/machine/machine_model.h"
#include "sim/machine/trace_source.h"
#include "sim/run.h"
#include "traces/trace.h"

namespace winnow {

// Float values of a trace, for golden.
golden::FloatSource float_source(const Trace& trace);

// Machine and policy as named, with every --set applied. Throws Error.
struct Settled {
  Machine machine;
  golden::Policy policy;
};
Settled settle(const RunOptions& options);
// Those of options.set that are the machine's.
std::vector<std::string> machine_settings(const RunOptions& options);

struct Prepared {
  Trace trace;
  Machine machine;
  golden::Policy policy;
  golden::Shape shape;
  RunRange range;
  std::unique_ptr<golden::Reference> reference;
  std::unique_ptr<golden::Quantized> model;
  std::unique_ptr<golden::Layout> layout;
};
// Throws Error when the trace does not fit the machine, or the range the trace.
Prepared prepare(const RunOptions& options);

// The machine on a prepared trace, over its range. `walk` is golden's: it is advanced over what lies outside the range,
// and `on_layer` has to advance it by one layer each time.
std::unique_ptr<MachineModel> make_trace_machine(const Prepared& p, golden::Walk& walk, std::uint64_t seed,
                                                 MachineModel::OnLayer on_layer);

}  // namespace winnow
