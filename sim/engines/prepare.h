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

// One of the sequences that run together. The first is Prepared's own.
struct Sequence {
  const golden::Quantized* model;
  const golden::Layout* layout;  // its own part of the memory
  const golden::Reference* reference;
  golden::Shape shape;
  RunRange range;
};

struct Prepared {
  Trace trace;
  Machine machine;
  golden::Policy policy;
  golden::Shape shape;
  RunRange range;
  std::unique_ptr<golden::Reference> reference;
  std::unique_ptr<golden::Quantized> model;
  std::unique_ptr<golden::Layout> layout;
  // Of the batch, this trace's first; and what the others have of their own.
  std::vector<Sequence> sequences;
  std::vector<std::unique_ptr<golden::Reference>> references;
  std::vector<std::unique_ptr<golden::Quantized>> models;
  std::vector<std::unique_ptr<golden::Layout>> layouts;
};
// Throws Error when the trace does not fit the machine, or the range the trace.
Prepared prepare(const RunOptions& options);

// Whether the prompt lies before the range and no decision asks for what its rows have earned. Then no engine walks it,
// which takes most of the time of a long one, and importances are those that steps have earned.
bool skips_prompt(const Prepared& p, const golden::Shape& shape);
// Golden's walks, one a sequence, each where its range begins. `measure`: errors against the float reference too.
std::vector<std::unique_ptr<golden::Walk>> make_walks(const Prepared& p, bool measure);

// What a machine for the batch is built for, its memory's image included; and its plans.
Workpiece workpiece(const Prepared& p, std::uint64_t seed);
std::unique_ptr<PlanSource> plan_source(const Prepared& p, const std::vector<std::unique_ptr<golden::Walk>>& walks,
                                        ImportanceMemory& importance);

// The machine on a prepared batch, over its range. `on_layer` has to advance the sequence's walk by one layer each
// time.
std::unique_ptr<MachineModel> make_trace_machine(const Prepared& p,
                                                 const std::vector<std::unique_ptr<golden::Walk>>& walks,
                                                 std::uint64_t seed, MachineModel::OnLayer on_layer);

}  // namespace winnow
