#pragma once
// Digests of every layer of every case, so that results of a real GPU can be kept and held against golden elsewhere.
#include <cstdint>
#include <string>
#include <vector>

#include "golden/layout.h"
#include "golden/walk.h"

namespace winnow::cuda_ref::test {

// FNV-1a over the values, each as eight bytes, lists with their lengths. What was recorded before scales of heads lay
// in memory (`descriptors` false) has an image without them, and no counts of them.
class Digest {
 public:
  explicit Digest(bool descriptors = true) : descriptors_(descriptors) {}

  void image(std::vector<std::uint8_t> bytes, const golden::Layout& layout, int layers) {
    const auto at = [&](std::uint64_t byte) { return bytes.begin() + static_cast<std::ptrdiff_t>(byte); };
    if (!descriptors_)
      for (int layer = layers - 1; layer >= 0; --layer)
        bytes.erase(at(layout.descriptors(layer).base), at(layout.key(layer, 0, 0).base));
    list(bytes);
  }
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
    list(r.next_live), list(r.next_heads), counts(r.accesses.useful), counts(r.accesses.stream_bursts);
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
  // Descriptors are counted last.
  template <class Counts>
  void counts(const Counts& x) {
    list(std::vector<std::uint64_t>(x.begin(), x.end() - (descriptors_ ? 0 : 1)));
  }

  bool descriptors_;
  std::uint64_t hash_ = 0xcbf29ce484222325ull, values_ = 0;
};

}  // namespace winnow::cuda_ref::test
