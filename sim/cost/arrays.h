#pragma once
// The physical arrays that a machine's storage is made of: words x bits, with ports, how many alike. An entry of the
// inventory of storage (`winnow machines --show M --storage`) becomes one array a bank, as wide as what a port moves in
// a cycle; halves of a double buffer are banks, and so arrays, of their own. What is too wide is cut into slices side
// by side; what has too few words for an SRAM is made of flip-flops.
#include <cstdint>
#include <string>
#include <vector>

#include "sim/config/machine.h"
#include "sim/machine/storage.h"

namespace winnow::cost {

struct Array {
  std::string block, name;  // of the inventory's entry
  std::string kind;         // of it: memory, fifo, registers
  bool sram = false;        // or flip-flops
  std::uint64_t count = 1;  // alike, of which an access takes `slices`
  std::uint64_t slices = 1;
  std::uint64_t words = 0;  // of one
  int bits = 0;
  int read_ports = 1, write_ports = 1;

  std::uint64_t total_bits() const { return count * words * static_cast<std::uint64_t>(bits); }
};

// "1024x768 1R1W": by this an array is looked up in the table of SRAMs.
std::string shape_name(const Array& array);

// What is an SRAM: from so many words on; and how wide one may be.
struct ArrayRules {
  std::uint64_t least_words = 32;
  int widest_bits = 768;
};

// Sum of total_bits() is that of the entries, but for words that do not divide into the banks.
std::vector<Array> arrays_of(const Machine& machine, const std::vector<Stored>& storage, const ArrayRules& rules);

}  // namespace winnow::cost
