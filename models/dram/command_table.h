#pragma once
// The constraint table of a memory type, compiled for one channel: what each command delays, and by how much.
//
// Delays at bank-group level and above meet in one number a bank group ("lane": pseudo-channel * groups +
// group, at most 8), those of single banks stay apart.
#include <array>
#include <cstdint>
#include <vector>

#include "models/dram/spec.h"

namespace winnow::dram {

inline constexpr int kLanes = 8;      // bank groups of a channel
inline constexpr int kMaxBanks = 32;  // banks of a channel
inline constexpr std::int32_t kNoDelay = INT32_MIN / 2;

// One number a lane; comparisons, sums and ?: work on all at once (GCC and Clang).
using LaneCycles __attribute__((vector_size(kLanes * sizeof(std::int32_t)))) = std::int32_t;

struct LaneDelay {
  LaneCycles cycles{};  // kNoDelay where the table has none
  Command following = Command::activate;
};

struct BankDelay {
  Command following = Command::activate;
  std::int32_t cycles = 0;
};

template <class T>
struct Delays {  // at most one a following command
  std::array<T, kCommands> entry{};
  int count = 0;
  void add(const T& t) { entry[static_cast<std::size_t>(count++)] = t; }
  const T* begin() const { return entry.data(); }
  const T* end() const { return entry.data() + count; }
};

struct WindowRule {
  Level level = Level::channel;
  Command preceding = Command::activate, following = Command::activate;
  std::int32_t cycles = 0;
  int window = 0;
};

struct CommandTable {
  CommandTable(const Spec& spec, int pseudo_channels);

  int pseudo_channels, groups, banks;                                  // groups and banks of the whole channel
  int bank_bits, group_bits;                                           // banks in a group, groups in a pseudo-channel
  std::array<std::array<Delays<LaneDelay>, kLanes>, kCommands> lanes;  // [preceding][lane it is issued to]
  std::array<Delays<BankDelay>, kCommands> bank;                       // [preceding]
  std::vector<WindowRule> windows;
  std::array<std::uint32_t, 1 << kLanes> banks_of_lanes;  // mask of lanes -> mask of their banks

  int lane_of(int flat_bank) const { return flat_bank >> bank_bits; }
  int pseudo_of(int flat_bank) const { return flat_bank >> (bank_bits + group_bits); }
  int first_bank(int pseudo) const { return pseudo << (bank_bits + group_bits); }
  std::uint32_t banks_of(int pseudo) const {
    const int n = bank_bits + group_bits;
    return static_cast<std::uint32_t>(((std::uint64_t{1} << (1 << n)) - 1) << (pseudo << n));
  }
};

}  // namespace winnow::dram
