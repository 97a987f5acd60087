#pragma once
// Bytes a layer moves, by kind: what is useful and what the bursts carry. Counted by golden from the layout alone, and
// by the machine from its requests; the two must agree.
#include <array>
#include <cstdint>

#include "golden/layout.h"

namespace winnow::golden {

enum class Kind : std::uint8_t { query, key_msb, key_lsb, value, value_scale, out };
inline constexpr int kKinds = 6;
inline constexpr const char* kKindNames[kKinds] = {"query", "key_msb", "key_lsb", "value", "value_scale", "out"};

struct Accesses {
  std::array<std::uint64_t, kKinds> useful{};  // bytes
  // Read bursts by payload stream: query, key, value, value_scale, record.
  std::array<std::uint64_t, 5> stream_bursts{};
  std::uint64_t write_bursts = 0;

  Accesses& operator+=(const Accesses& o) {
    for (std::size_t i = 0; i < useful.size(); ++i) useful[i] += o.useful[i];
    for (std::size_t i = 0; i < stream_bursts.size(); ++i) stream_bursts[i] += o.stream_bursts[i];
    write_bursts += o.write_bursts;
    return *this;
  }
  bool operator==(const Accesses&) const = default;
  std::uint64_t useful_of(Kind k) const { return useful[static_cast<std::size_t>(k)]; }
  // K and V with their scales, what reductions are taken over.
  std::uint64_t kv_useful() const {
    return useful_of(Kind::key_msb) + useful_of(Kind::key_lsb) + useful_of(Kind::value) + useful_of(Kind::value_scale);
  }
  std::uint64_t kv_bursts() const { return stream_bursts[1] + stream_bursts[2] + stream_bursts[3] + stream_bursts[4]; }
  std::uint64_t read_bursts() const { return stream_bursts[0] + kv_bursts(); }
};

}  // namespace winnow::golden
