#pragma once
// What a run simulates: a trace with its values, or a workload's shapes. One loop (run.cpp) runs both; here is all that
// differs between them.
#include <memory>
#include <string>
#include <vector>

#include "golden/walk.h"
#include "sim/engines/machine_engine.h"
#include "sim/results/run_folder.h"
#include "sim/run.h"
#include "sim/run/report.h"

namespace winnow {

class Job {
 public:
  virtual ~Job() = default;

  virtual const Machine& machine() const = 0;
  virtual const golden::Shape& shape() const = 0;
  virtual const golden::Policy* policy() const { return nullptr; }  // none: shape-only, where nobody decides
  virtual std::uint64_t layers() const = 0;                         // in range
  virtual std::string title() const = 0;                            // "t.safetensors: model on machine, policy p"
  virtual Manifest manifest() const = 0;
  virtual int sequences() const { return 1; }  // that run together, and the steps of each
  virtual int steps() const { return 1; }
  virtual bool has_values() const = 0;  // outputs, and so their error
  virtual bool generates(int step) const = 0;

  // What options.engine names. The job outlives it.
  virtual std::unique_ptr<Engine> make_engine(const EngineHooks& hooks) = 0;
  // A layer of the engine, held against golden or the closed form.
  virtual void compare(const EngineLayer& layer, LayerDetail detail) = 0;

  // After the last layer: what the whole comes to.
  virtual void finish(Phase& phase) = 0;
  virtual void report_compared(StatTree& result) const = 0;
  virtual std::string compared_line() const = 0;
  // What a reader of the figures has to know.
  virtual std::vector<std::string> notes(bool generated) const = 0;

  const Comparison& compared() const { return compared_; }

 protected:
  explicit Job(const char* expected) : compared_(expected, "machine") {}
  Comparison compared_;
};

// Throw Error when the input does not fit the machine, or the range the input.
std::unique_ptr<Job> make_trace_job(const RunOptions& options);
std::unique_ptr<Job> make_workload_job(const RunOptions& options);

}  // namespace winnow
