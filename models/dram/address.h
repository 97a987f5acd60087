#pragma once
// Address inside a channel -> pseudo-channel, bank group, bank, row, column, by bit fields.
#include <array>
#include <cstdint>

#include "models/dram/spec.h"

namespace winnow::dram {

struct Place {
  std::uint8_t bank = 0;  // flat: (pseudo-channel * bank groups + group) * banks + bank
  std::uint16_t column = 0;
  std::uint32_t row = 0;
};

class AddressMap {
 public:
  AddressMap(const Spec& spec, const std::string& mapping, int pseudo_channels);

  Place operator()(std::uint64_t address) const {
    const std::uint64_t burst = address >> burst_bits_;
    Place p;
    p.column = static_cast<std::uint16_t>(column_.of(burst));
    p.row = static_cast<std::uint32_t>(row_.of(burst));
    p.bank =
        static_cast<std::uint8_t>(pseudo_.of(burst) << bank_bits_ | group_.of(burst) << bank_.bits | bank_.of(burst));
    return p;
  }

 private:
  struct Slice {
    unsigned shift = 0, bits = 0;
    std::uint64_t of(std::uint64_t burst) const { return burst >> shift & ((std::uint64_t{1} << bits) - 1); }
  };
  Slice pseudo_, group_, bank_, column_, row_;
  unsigned burst_bits_ = 5, bank_bits_ = 4;  // bank_bits_: group and bank together
};

}  // namespace winnow::dram
