#pragma once
// Joules and watts of a run, by block: what it counted, times what the technology says (sim/cost).
#include <optional>
#include <string>
#include <vector>

#include "sim/cost/energy.h"
#include "sim/machine/machine_model.h"
#include "sim/results/statistics.h"
#include "sim/run.h"
#include "sim/run/job.h"

namespace winnow {

// Everything that a run counted by the names of sim/cost/energy.h.
cost::Events events_of(const MachineModel& model);

class RunCost {
 public:
  // The machine's components, before the run. Where the technology lacks an array of the machine there are none, and
  // table() says why; a technology that the options name must have all: throws Error.
  // What the job's policy adds is counted too.
  RunCost(const RunOptions& options, const Job& job);

  // After the run, which took `cycles`: the part `cost` of the result; and the file of --accelergy. Throws
  // std::logic_error where the counts cannot be.
  void report(const MachineModel& model, Cycle cycles, StatTree& result);
  // For people, after report().
  std::string table() const;

 private:
  RunOptions options_;
  Machine machine_;
  std::string technology_, why_not_;
  double added_mm2_ = 0;  // by the policy
  std::vector<cost::Component> components_;
  std::string table_;
};

}  // namespace winnow
