#pragma once
// Bytes a layer moves, by kind: what is useful and what the bursts carry. Counted by golden from the layout alone, and
// by the machine from its requests; the two must agree.
#include <array>
#include <cstdint>

#include "golden/formats.h"

namespace winnow::golden {

struct Accesses {
  std::array<std::uint64_t, kKinds> useful{};           // bytes
  std::array<std::uint64_t, kStreams> stream_bursts{};  // read bursts
  std::uint64_t write_bursts = 0;
  // Tables of the keys' basis, which only golden reads so far: apart from all others.
  std::uint64_t basis_useful = 0, basis_bursts = 0;

  Accesses& operator+=(const Accesses& o) {
    for (std::size_t i = 0; i < useful.size(); ++i) useful[i] += o.useful[i];
    for (std::size_t i = 0; i < stream_bursts.size(); ++i) stream_bursts[i] += o.stream_bursts[i];
    write_bursts += o.write_bursts;
    basis_useful += o.basis_useful, basis_bursts += o.basis_bursts;
    return *this;
  }
  bool operator==(const Accesses&) const = default;
  std::uint64_t useful_of(Kind k) const { return useful[static_cast<std::size_t>(k)]; }
  // K and V with their scales, what reductions are taken over.
  std::uint64_t kv_useful() const {
    return useful_of(Kind::key_msb) + useful_of(Kind::key_lsb) + useful_of(Kind::value) + useful_of(Kind::value_scale);
  }
  std::uint64_t bursts_of(Stream s) const { return stream_bursts[static_cast<std::size_t>(s)]; }
  std::uint64_t kv_bursts() const { return read_bursts() - bursts_of(Stream::query) - bursts_of(Stream::descriptor); }
  std::uint64_t read_bursts() const {
    std::uint64_t n = 0;
    for (std::uint64_t bursts : stream_bursts) n += bursts;
    return n;
  }
};

}  // namespace winnow::golden
