#pragma once
// Write-back -> fetcher: bursts of outputs.
#include <array>
#include <cstdint>

#include "models/prim/limits.h"
#include "models/prim/link.h"
#include "models/prim/tag.h"

namespace winnow {

using Burst = std::array<std::uint8_t, kBurstBytes>;

// One burst to be written; `address` is 32 B aligned.
struct WriteBurst {
  Tag tag;
  std::uint64_t address = 0;
  Burst data{};

  template <class V>
  void fields(V&& v) {
    tag.fields(v);
    v("address", address, 36), v("data", data, 8 * kBurstBytes);
  }
};

struct WriteBursts {
  using Payload = WriteBurst;
  static constexpr LinkInfo kInfo{"write_bursts", "writeback", "fetcher",
                                  "two output vectors at D 64 while reads hold the channel"};
  static std::size_t depth(const Sizes&) { return 8; }
};

}  // namespace winnow
