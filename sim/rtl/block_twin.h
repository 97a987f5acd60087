#pragma once
// A block's RTL at the block's links, in every cycle of the machine: one class for any block.
//
// It is ticked in the block's place. Each cycle the RTL is given what the block's links offer and accept at the cycle's
// start and the words that it reads; then the block does its cycle; then every transfer of the one is held against the
// other's: which entries were taken, which were given, and all bits of what was given; and what either wrote into
// memories, entry by entry. Named state is compared before, at the cycle's start. Then the RTL's clock.
// A transfer of more than one entry a cycle on a link is an error: RTL has one port there.
//
// With a seed for stalls each link of the block is held now and then, as if nothing were offered or there were no room,
// and each memory for whose words it waits: the machine's cycles change, its values do not.
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "models/prim/block.h"
#include "sim/machine/inventory.h"
#include "sim/rtl/block_port.h"
#include "sim/rtl/difference.h"
#include "sim/rtl/memory_tap.h"

namespace winnow::rtl {

class BlockTwin final : public Block {
 public:
  // Resets the RTL. `parts` are those that the block is one of; both must outlive it. Throws Error when RTL and machine
  // do not fit.
  BlockTwin(Block& block, Inventory& parts, std::shared_ptr<BlockPort> rtl, std::optional<std::uint64_t> stalls);
  ~BlockTwin() override;

  // Throws Diverged in the cycle of a first difference.
  void tick(Cycle now) override;
  bool idle() const override { return model_.idle(); }

  std::uint64_t cycles() const { return cycle_; }
  std::uint64_t compared() const { return compared_; }
  std::uint64_t transfers() const { return transfers_; }
  std::uint64_t stalled() const { return stalled_; }  // cycles of a link or memory in which it was held
  // Its clock goes on from here, where several follow each other.
  void begin_at(std::uint64_t cycle) { cycle_ = cycle; }

  // Writes the waveform of both sides to stem.fst from this cycle on, and stem.gtkw at the difference.
  void trace(const std::string& stem, std::uint64_t from) { stem_ = stem, from_ = from; }

 private:
  struct At {  // a link
    RtlLink port;
    LinkTap* link;
    Hesitation flow;
    bool ready = false;       // offers, or accepts
    bool head_known = false;  // `payload` is the head
    std::uint64_t moved = 0;  // entries taken or given so far
    Bits payload, rtl;        // what is offered, or was given
  };
  struct ReadPort {
    RtlMemory port;
    MemoryTap memory;
    Hesitation flow;
    Bits word, all;
  };
  struct WritePort {
    RtlWrite port;
    WriteTap memory;
    Bits entry, rtl, all, valid;
  };

  void drive(Cycle now);
  void compare(At& at, Cycle now);
  void compare(WritePort& port);
  void compare_probes();
  void require_parameters() const;
  void show(const At& at, bool moved);
  void show(WritePort& port);
  [[noreturn]] void part(const Difference& d);

  Block& model_;
  std::shared_ptr<BlockPort> rtl_;
  std::vector<At> links_;
  std::vector<ReadPort> memories_;
  std::vector<WritePort> writes_;
  std::unordered_map<const void*, const RtlProbe*> probes_;  // by the model's name
  std::optional<Stimuli> stalls_;
  std::uint64_t cycle_ = 0, compared_ = 0, transfers_ = 0, stalled_ = 0;
  std::string stem_;
  std::uint64_t from_ = 0;
  bool tracing_ = false;
};

}  // namespace winnow::rtl
