#pragma once
// A hardware block: what the machine, SystemC, statistics and reports need to know of it.
//
// tick(now) is one cycle: it looks at the links' and memories' state at the cycle's start and does what the contract in
// the block's header says. The order in which blocks are ticked never matters.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/prim/block_stats.h"
#include "models/prim/fifo.h"
#include "models/prim/stat_sink.h"

namespace winnow {

// A queue or a large register inside a block, which no other block reads: `words` of `bits`.
struct StoredWords {
  const char* name;  // snake_case
  std::uint64_t words = 0;
  int bits = 0;
};

class Block {
 public:
  // Name in snake_case: that of the block's folder, its section of the YAML and of result.json; and as people read it.
  Block(const char* name, const char* label) : name_(name), label_(label) {}
  virtual ~Block() = default;
  Block(const Block&) = delete;  // parts and links refer to it
  Block& operator=(const Block&) = delete;

  const char* name() const { return name_; }
  const char* label() const { return label_; }

  virtual void tick(Cycle now) = 0;
  // Nothing at work and nothing waiting in the block or in front of it.
  virtual bool idle() const = 0;
  // What it counted besides stats().
  virtual void report(StatSink&) const {}
  // What it holds inside, for the inventory of storage. Pipeline registers of a few words are left out.
  virtual std::vector<StoredWords> registers() const { return {}; }
  // Whether this machine has it: what it has not has no statistics.
  virtual bool there() const { return true; }
  // What it is working on, for a report; empty where the block does not say.
  virtual std::string doing() const { return {}; }
  // What it is configured with, a register each: visit(name, value). RTL has a port of that name.
  using VisitSetting = std::function<void(const char*, std::uint32_t&)>;
  virtual void settings(const VisitSetting&) {}

  // What its RTL is built with, a parameter each: visit(name, value).
  using VisitParameter = std::function<void(const char*, std::uint64_t)>;
  virtual void parameters(const VisitParameter&) const {}
  // Named state at the cycle's start that RTL must have too: visit(name, lane, value), the same name by the same
  // pointer. What means nothing in this cycle is left out.
  using VisitProbe = std::function<void(const char*, int, std::uint64_t)>;
  virtual void probes(const VisitProbe&) const {}

  const BlockStats& stats() const { return stats_; }

 protected:
  BlockStats stats_;

 private:
  const char *name_, *label_;
};

}  // namespace winnow
