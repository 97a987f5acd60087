#pragma once
// What a run simulates: a trace with its values, or a workload's shapes. One loop (run.cpp) runs both; here is all that
// differs between them.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "golden/walk.h"
#include "sim/machine/machine_model.h"
#include "sim/results/run_folder.h"
#include "sim/rtl/blocks.h"
#include "sim/run.h"
#include "sim/run/check.h"
#include "sim/run/report.h"

namespace winnow {

class Job {
 public:
  // A layer of the range that is finished: what it decided, fetched and put out, and the machine's counts of it
  // (nullptr where no machine ran).
  using OnLayer = std::function<void(const golden::LayerResult&, const LayerCounts*)>;

  virtual ~Job() = default;

  virtual const Machine& machine() const = 0;
  virtual const golden::Shape& shape() const = 0;
  virtual std::uint64_t layers() const = 0;  // in range
  virtual std::string title() const = 0;     // "t.safetensors: model on machine, policy p"
  virtual Manifest manifest() const = 0;
  virtual bool has_values() const = 0;  // outputs, and so their error
  virtual bool generates(int step) const = 0;
  virtual rtl::Blocks rtl() const = 0;

  // A machine before its first cycle. Each layer is held against golden, or against the closed form, as it ends, and
  // then given to `on_layer`; without one the machine runs unobserved, a second time, for a waveform. The job outlives
  // it.
  virtual std::unique_ptr<MachineModel> make_machine(OnLayer on_layer) = 0;
  // The same layers by an engine that has no time.
  virtual void run_untimed(const OnLayer& on_layer) = 0;

  // After the last layer: what the whole comes to.
  virtual void finish(Phase& phase) = 0;
  virtual void report_compared(StatTree& result) const = 0;
  virtual std::string compared_line() const = 0;
  // What a reader of the figures has to know.
  virtual std::vector<std::string> notes(bool generated) const = 0;

  const Compared& compared() const { return compared_; }
  // Of golden, of comparing and of `on_layer`: no time of the simulation.
  double seconds_beside() const { return seconds_beside_; }

 protected:
  Compared compared_;
  double seconds_beside_ = 0;
};

// Throw Error when the input does not fit the machine, or the range the input.
std::unique_ptr<Job> make_trace_job(const RunOptions& options);
std::unique_ptr<Job> make_workload_job(const RunOptions& options);

}  // namespace winnow
