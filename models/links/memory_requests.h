#pragma once
// Fetcher -> memory -> fetcher: one FIFO of each a channel. The memory owns them, since their depth is its own.
#include <cstdint>

#include "models/links/write_bursts.h"

namespace winnow::dram {

struct Request {
  std::uint64_t address = 0;  // global, a multiple of 32
  std::uint32_t tag = 0;      // comes back with a read
  bool write = false;
  Burst data{};  // of writes; reads need not set it

  template <class V>
  void fields(V&& v) {
    v("address", address, 36), v("tag", tag, 18), v("write", write, 1), v("data", data, 8 * kBurstBytes);
  }
};

struct Return {
  std::uint64_t address = 0;
  std::uint32_t tag = 0;
  Burst data{};

  template <class V>
  void fields(V&& v) {
    v("address", address, 36), v("tag", tag, 18), v("data", data, 8 * kBurstBytes);
  }
};

}  // namespace winnow::dram
