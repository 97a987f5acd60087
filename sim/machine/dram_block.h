#pragma once
// The memory as a block of the machine: one tick is a cycle of all channels. They are one process, because a kernel
// with one a channel would be half as fast.
#include "models/dram/energy.h"
#include "models/dram/memory.h"
#include "models/links/writes_accepted.h"
#include "models/prim/block.h"

namespace winnow {

class DramBlock : public Block {
 public:
  // `preset`: of the energy model.
  DramBlock(const dram::MemoryConfig& config, std::string preset, std::vector<std::uint8_t> image,
            Fifo<AcceptedWrites>& accepted)
      : Block("hbm2", "hbm2"), memory_(config, std::move(image)), preset_(std::move(preset)), accepted_(accepted) {}

  void tick(Cycle now) override {
    memory_.tick(now);
    if (const std::uint64_t writes = memory_.writes_accepted(); writes != seen_) {
      accepted_.push(now, {static_cast<std::uint8_t>(writes - seen_)});
      seen_ = writes;
    }
  }
  // Nothing waits in front of the channels or behind them. Writes may still lie in their queues.
  bool idle() const override;
  // Of all channels: requests in front, queues of the controllers (writes with their data), returns.
  std::vector<StoredWords> registers() const override;
  void report(StatSink& sink) const override;

  dram::Memory& memory() { return memory_; }
  const dram::Memory& memory() const { return memory_; }
  dram::Energy energy() const;

 private:
  dram::Memory memory_;
  std::string preset_;
  Fifo<AcceptedWrites>& accepted_;
  std::uint64_t seen_ = 0;  // writes accepted
};

}  // namespace winnow
