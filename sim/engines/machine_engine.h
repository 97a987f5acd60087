#pragma once
// The machine as an engine: under the SystemC kernel, all blocks models or some of them in RTL.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/dram/stream.h"
#include "sim/engines/engine.h"
#include "sim/machine/machine_model.h"
#include "sim/machine/timeline.h"
#include "sim/rtl/blocks.h"

namespace winnow {

// What a run wants of an engine besides its layers.
struct EngineHooks {
  std::string waves = ".";                  // folder for the waveform of a first difference of RTL and model
  std::string repeat = "winnow ...";        // the command that does all again
  std::function<void()> pause;              // before a report is printed
  std::function<void(Cycle)> on_cycle;      // now and then, for progress
  std::uint64_t record_bursts = 0;          // of the request stream, at most
  std::optional<std::uint64_t> stall = {};  // seed of stalls at the links of blocks in RTL
  bool measure = false;                     // errors against the float reference
  std::string timeline;                     // file for a timeline; empty: none
  std::uint64_t timeline_events = kTimelineEvents;
};

class MachineEngine : public Engine {
 public:
  MachineEngine(std::string name, std::string what, double clock_ghz, int channels, rtl::Blocks rtl, EngineHooks hooks)
      : name_(std::move(name)),
        what_(std::move(what)),
        clock_ghz_(clock_ghz),
        channels_(static_cast<std::size_t>(channels)),
        rtl_(std::move(rtl)),
        hooks_(std::move(hooks)) {}

  std::string name() const override { return name_; }
  std::string what() const override { return what_; }
  LayerDetail detail() const override { return LayerDetail::machine; }
  bool run(const OnLayer& on_layer) override;
  std::string lockstep() const override { return rtl_.summary(); }
  bool lockstep_empty() const override { return rtl_.asked() && !rtl_.worked(); }
  const MachineEngine* timed() const override { return this; }

  // From the first layer on; outlives the run, since a report asks the machine what it was doing.
  const MachineModel& machine() const { return *machine_; }
  // From the first request to the last write.
  Cycle cycles() const { return machine_->last_write() - machine_->first_request(); }
  const std::vector<dram::RequestStream>& streams() const { return streams_; }  // one a channel
  const Timeline* timeline() const { return timeline_.get(); }                  // nullptr: none was asked for
  // Of simulation alone: golden and what on_layer does are not in it.
  double seconds() const { return seconds_; }

 protected:
  // A machine before its first cycle. Called a second time for a waveform; both live until the engine ends.
  virtual std::unique_ptr<MachineModel> make_machine(MachineModel::OnLayer on_layer) = 0;
  // A layer is finished: brings beside-running golden up to it, and calls `on_layer` unless it is nullptr.
  virtual void finished(const LayerPlan& plan, const std::vector<GroupRecord>& records, const LayerCounts& counts,
                        const OnLayer* on_layer) = 0;

 private:
  std::string name_, what_;
  double clock_ghz_;
  std::size_t channels_;
  rtl::Blocks rtl_;
  EngineHooks hooks_;
  std::unique_ptr<Timeline> timeline_;  // outlives the machine that ticks it
  std::unique_ptr<MachineModel> machine_, again_;
  std::vector<dram::RequestStream> streams_;
  double seconds_ = 0;
};

}  // namespace winnow
