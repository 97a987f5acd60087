#pragma once
// Sizes of the main memory: its section of the machine's YAML, which is called as the memory's type is. Defaults are
// the paper's (16 channels of HBM2) and what common DRAM simulators assume.
#include "models/dram/spec.h"
#include "models/prim/params.h"

namespace winnow {

struct DramParams {
  std::string type = "hbm2";  // a table of models/dram: <type>.yaml
  int channels = 16;
  int interleave_bytes = 32;   // neighbouring channels take turns at this grain
  std::string mapping = "M2";  // order of the address bits inside a channel, by the table's names
  int read_queue = 64;         // requests a channel
  int write_queue = 32;
  int return_queue = 16;               // bursts a channel; a read is issued only with a place free
  int refresh_phase = 0;               // cycles by which channel c + 1 refreshes after channel c
  std::string energy = "oconnor2017";  // preset of the energy model

  // What the keys may say, the type's table says.
  template <class P, class V>
  static void visit(P& p, V&& v) {
    using namespace param;
    const dram::Spec& table = dram::memory_spec(p.type);
    v("channels", p.channels, "", power(1, 32), "of two pseudo-channels, 32 B a cycle each");
    v("interleave_bytes", p.interleave_bytes, "B", power(32, 2048), "bytes before the next channel");
    v("mapping", p.mapping, "", one_of(table.mapping_names()),
      "address bits in a channel: column first, or bank group first");
    v("read_queue", p.read_queue, "requests", range(2, 1024), "a channel");
    v("write_queue", p.write_queue, "requests", range(2, 1024), "a channel");
    v("return_queue", p.return_queue, "bursts", range(2, 1024), "a channel; reads are issued with a place free only");
    v("refresh_phase", p.refresh_phase, "cycles", range(0, table.evaluate(table.refresh_interval) - 1),
      "how much later each next channel refreshes");
    v("energy", p.energy, "", one_of(table.energy_names()), "energy preset");
  }
};

}  // namespace winnow
