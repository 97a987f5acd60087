#pragma once
// A link between two blocks: a FIFO, or a pipeline of fixed latency that ends in one, with a name and both its ends.
//
// A header of models/links describes one or more links as a struct of traits:
//   struct FirstPasses {
//     using Payload = QkTask;
//     static constexpr LinkInfo kInfo{"first_passes", "controller", "qk", "why it is that deep"};
//     static std::size_t depth(const Sizes&);
//     static Cycle latency(const Sizes&);   // a pipeline; without it the link is a FIFO
//   };
// Blocks know the payload and take Fifo<Payload>& or Pipe<Payload>&; the inventory makes Link<FirstPasses>.
//
// A payload has fixed widths and no pointers, and says them: `template <class V> void fields(V&& v)` calls
// v(name, member, bits) for each field. What lies elsewhere is named by its place in a memory.
#include <cstddef>
#include <cstdint>

#include "models/prim/fifo.h"
#include "models/prim/pipe.h"
#include "models/prim/sizes.h"

namespace winnow {

struct LinkInfo {
  const char* name;      // snake_case
  const char* producer;  // a block's name
  const char* consumer;
  const char* why;  // it is that deep
};

// Bits of one payload.
template <class T>
int payload_bits() {
  int sum = 0;
  T{}.fields([&](const char*, const auto&, int bits) { sum += bits; });
  return sum;
}

// What the inventory knows of every link.
class LinkBase {
 public:
  explicit LinkBase(const LinkInfo& info) : info_(info) {}
  virtual ~LinkBase() = default;
  const LinkInfo& info() const { return info_; }
  virtual bool drained() const = 0;
  virtual std::size_t depth() const = 0;
  virtual int bits() const = 0;  // of one payload
  virtual std::uint64_t pushed() const = 0;

 private:
  const LinkInfo& info_;
};

namespace prim {
template <class L, bool kPipelined>
struct LinkStorage {
  using Type = Fifo<typename L::Payload>;
  static Type make(const Sizes& s) { return Type(L::depth(s)); }
};
template <class L>
struct LinkStorage<L, true> {
  using Type = Pipe<typename L::Payload>;
  static Type make(const Sizes& s) { return Type(L::latency(s), L::depth(s)); }
};
template <class L>
inline constexpr bool kPipelined = requires(const Sizes& s) { L::latency(s); };
}  // namespace prim

template <class L>
class Link : public prim::LinkStorage<L, prim::kPipelined<L>>::Type, public LinkBase {
  using Storage = typename prim::LinkStorage<L, prim::kPipelined<L>>::Type;

 public:
  explicit Link(const Sizes& s) : Storage(prim::LinkStorage<L, prim::kPipelined<L>>::make(s)), LinkBase(L::kInfo) {}
  bool drained() const override { return Storage::drained(); }
  std::size_t depth() const override { return Storage::depth(); }
  int bits() const override { return payload_bits<typename L::Payload>(); }
  std::uint64_t pushed() const override { return Storage::pushed(); }
};

}  // namespace winnow
