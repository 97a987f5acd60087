#pragma once
// A place for every bit: what holds state, by the block that it is counted to. A FIFO counts to its consumer, a memory
// to the first block that reads it, registers to their own block.
#include <cstdint>
#include <string>
#include <vector>

namespace winnow {

struct Inventory;

struct Stored {
  std::string block, name;
  std::string kind;  // memory, fifo, registers
  std::uint64_t words = 0;
  int bits = 0, banks = 1, read_ports = 1, write_ports = 1;
  int port_words = 1;  // words that a port moves in a cycle, side by side in a bank
  std::uint64_t total() const { return words * static_cast<std::uint64_t>(bits); }
};

// Sorted by block.
std::vector<Stored> storage_of(const Inventory& parts);

}  // namespace winnow
