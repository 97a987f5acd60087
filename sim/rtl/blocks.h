#pragma once
// The blocks of a machine that run in RTL, in lockstep with their models.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/machine/machine_model.h"
#include "sim/rtl/block_twin.h"
#include "sim/rtl/library.h"

namespace winnow::rtl {

// What --rtl names: `topk`, or `topk=FOLDER`. There is RTL of what has a manifest, rtl/<block>/<block>.yaml.
struct Request {
  std::string block, folder;
};
// A list of them; none for an empty text. Throws Error `--rtl: ...`.
std::vector<Request> parse_requests(const std::string& list);

// Which of the two top-k engines a run uses.
struct Uses {
  bool topk = true, cascade_topk = true;
};
Uses uses_of(const golden::Decisions& decisions);

class Blocks {
 public:
  // Builds what is asked for and used. `group`: query heads a KV head. `stalls`: seed of stalls at the links of these
  // blocks; none without.
  Blocks(const std::vector<Request>& requests, const Machine& machine, Uses uses, int group, std::uint64_t seed,
         std::optional<std::uint64_t> stalls = {});

  bool asked() const { return asked_; }
  // Fresh RTL into a machine, before its first cycle.
  void attach(MachineModel& machine);

  // Runs `simulate`, which attaches to a machine that outlives it and runs that. At a first difference: prints the
  // report, runs `again`, which attaches to a new machine and runs that, so that the waveform is written to
  // folder/BLOCK.fst, draws it, and returns true. `repeat` is the command that does all that again, whose first word is
  // replaced by this program's path; `pause` comes before the report.
  bool diverge(const std::function<void()>& simulate, const std::function<void()>& again,
               const std::function<void()>& pause, const std::string& folder, const std::string& repeat);

  // "topk in RTL: 12345 cycles, 678901 values equal to the model's", a line a block; with "42 stalls" where there are.
  std::string summary() const;
  bool worked() const;  // not all of them were idle from end to end

 private:
  struct Loaded {
    std::string block;  // of the machine
    BlockLibrary library;
  };
  std::optional<std::uint64_t> stalls_of(std::size_t number) const;

  bool asked_ = false, nothing_to_choose_ = false;
  std::uint64_t seed_;
  std::optional<std::uint64_t> stalls_;
  std::vector<Loaded> loaded_;
  std::vector<std::unique_ptr<BlockTwin>> twins_;
  MachineModel* machine_ = nullptr;
  std::string traced_block_, stem_;
  std::uint64_t trace_from_ = 0;
};

}  // namespace winnow::rtl
