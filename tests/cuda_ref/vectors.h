#pragma once
// Digests of every layer of every case, so that results of a real GPU can be kept and held against golden elsewhere.
#include <cstdint>
#include <string>
#include <vector>

#include "golden/walk.h"

namespace winnow::cuda_ref::test {

// FNV-1a over the values, each as eight bytes, lists with their lengths.
class Digest {
 public:
  void value(std::uint64_t x) {
    for (int i = 0; i < 8; ++i) hash_ = (hash_ ^ ((x >> (8 * i)) & 255)) * 0x100000001b3ull;
    ++values_;
  }
  template <class List>
  void list(const List& x) {
    value(x.size());
    for (const auto& v : x) value(static_cast<std::uint64_t>(v));
  }
  void layer(const golden::LayerResult& r) {
    list(r.positions), list(r.heads), list(r.out), list(r.importance), list(r.head_importance);
    list(r.next_live), list(r.next_heads), list(r.accesses.useful), list(r.accesses.stream_bursts);
    value(r.accesses.write_bursts), value(r.flat), value(r.refetched), value(r.survivors), value(r.values);
    for (const auto& live : r.live) list(live);
    for (const auto& one : r.rows) {
      list(one.row.p), list(one.row.denominator), list(one.row.values);
      for (const auto& s : one.row.survivors) list(s);
    }
  }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t values() const { return values_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ull, values_ = 0;
};

}  // namespace winnow::cuda_ref::test
