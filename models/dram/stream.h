#pragma once
// Request streams: one request a line, in one of four forms, the same in all lines of a file:
//   R|W ADDRESS BYTES          our own: hexadecimal address, decimal size; split into the bursts it touches
//   ADDRESS R|W                Ramulator's DRAM trace
//   LD|ST ADDRESS              Ramulator 2's load/store trace
//   ADDRESS READ|WRITE CYCLE   DRAMsim3's: not offered before that cycle; order stays that of the lines
// An address is of a byte inside one channel, hexadecimal with 0x and decimal without; DRAMsim3 and our own form read
// it as hexadecimal either way, as those programs do. Lines of other programs' forms are one burst each, the one that
// holds the byte. What follows a # is a comment; empty lines are skipped.
#include <cstdint>
#include <string>
#include <vector>

#include "models/dram/spec.h"

namespace winnow::dram {

struct StreamBurst {
  std::uint64_t address = 0;  // a multiple of the burst
  bool write = false;
};

struct RequestStream {
  std::vector<StreamBurst> bursts;
  std::vector<std::uint64_t> earliest;                // cycle before which bursts[i] is not offered; empty: none waits
  std::uint64_t requests = 0, reads = 0, writes = 0;  // reads and writes count bursts

  void add(bool write, std::uint64_t address, std::uint64_t bytes);  // splits
};

// Throws Error naming file, line, value and rule; an address beyond `channel_bytes` and a stream without a
// request are errors.
RequestStream read_stream(const std::string& path, std::uint64_t channel_bytes);
RequestStream parse_stream(const std::string& text, const std::string& file_name, std::uint64_t channel_bytes);

// Writes the bursts as a load/store trace of Ramulator 2 (`LD 0x..` and `ST 0x..`, one burst a line). Addresses
// are rebuilt so that its RoBaRaCoCh mapper (column, pseudo-channel, bank group, bank, row from the burst
// upwards) finds every burst in the bank, row and column that `mapping` gives it here.
void write_ramulator_trace(const std::string& path, const RequestStream& stream, const Spec& spec,
                           const std::string& mapping, int pseudo_channels);

}  // namespace winnow::dram
