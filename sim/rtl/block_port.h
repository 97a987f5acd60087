#pragma once
// What a shared library of a Verilated block offers: the ports of its lockstep top by name, as words of memory. One for
// every block; scripts/rtl/link_top.py makes the tables from the block's manifest, block_library.cpp is compiled
// around them.
#include <cstdint>
#include <string>
#include <vector>

#include "models/prim/payload.h"
#include "sim/rtl/stimuli.h"

namespace winnow::rtl {

// A port of the top, `bits` wide, where Verilator keeps it.
struct RtlSignal {
  int bits = 0;
  void* at = nullptr;
};

// A ready/valid port of the block at a link of the machine. The `model_` signals carry the model's side into a
// waveform.
struct RtlLink {
  const char *port, *link;
  bool input;
  RtlSignal valid, ready, data, model_taken, model_data;
};
// A read port: `lanes` words from that address on, in the same cycle, the first in the lower bits.
struct RtlMemory {
  const char *port, *memory;
  int lanes;
  RtlSignal address, data;
};
// A write port: up to `lanes` entries a cycle, each with a bit of `valid`, in the order of the lanes. The `model_`
// signals carry what the model wrote into a waveform.
struct RtlWrite {
  const char *port, *write;
  int lanes;
  RtlSignal valid, data, model_valid, model_data;
};
// Named state, `lanes` values of at most 64 bits, and where it is declared. `model` shows the model's.
struct RtlProbe {
  const char* name;
  int lanes;  // 0: one value, without a number
  std::uint64_t *rtl, *model;
  const char* place;
};
// A register that the machine writes before a run.
struct RtlSetting {
  const char* name;
  RtlSignal value;
};
// What the RTL was built with.
struct RtlParameter {
  const char* name;
  std::uint64_t value;
};
// The same RTL as another block of the machine, at other links: port and link in turn.
struct RtlOther {
  const char* block;
  std::vector<const char*> ports_and_links;
};

struct RtlPorts {
  std::vector<RtlLink> links;
  std::vector<RtlMemory> memories;
  std::vector<RtlWrite> writes;
  std::vector<RtlSetting> settings;
  std::vector<RtlParameter> parameters;
  std::vector<RtlProbe> probes;
  std::vector<RtlOther> others;
  const char* scope;               // of the signals rtl_X and model_X, in waveforms
  std::vector<std::string> waves;  // these X, with their range: "burst_data[255:0]"
};

class BlockPort {
 public:
  virtual ~BlockPort() = default;
  virtual const RtlPorts& ports() const = 0;
  virtual void reset() = 0;  // held for a cycle, then let go
  virtual void eval() = 0;
  // Returns the assertion that failed, "FILE:LINE"; empty: none did.
  virtual std::string clock() = 0;

  // A random value for a field of a payload, of a memory's word or of the settings, as the manifest's `stimuli` have
  // it; false where they have nothing for it: any value will do.
  virtual bool stimulus(const std::string& port, const std::string& field, Stimuli& random, std::uint64_t& value) = 0;

  virtual void trace_open(const char* path) = 0;
  virtual void trace_dump(std::uint64_t cycle) = 0;
  virtual void trace_close() = 0;
  virtual void write_coverage(const char* path) = 0;
};

// Registers without reset begin with values from the seed. `plusargs`, "+mutant=3", are for sources that have any; with
// blanks between them. `layout` is the hash of the headers that the caller was compiled with (sim/rtl/layout.cmake):
// null is returned if they are not the library's own.
inline constexpr const char* kMakeBlockPort = "winnow_make_block_port";
using MakeBlockPort = BlockPort*(const char* layout, std::uint64_t seed, const char* plusargs);

}  // namespace winnow::rtl
