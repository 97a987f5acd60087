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
// v(name, member, bits) for each field, "tag.step" for one of a part. What lies elsewhere is named by its place in a
// memory.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "models/prim/fifo.h"
#include "models/prim/payload.h"
#include "models/prim/pipe.h"
#include "models/prim/sizes.h"
#include "models/prim/tag.h"

namespace winnow {

struct LinkInfo {
  const char* name;      // snake_case
  const char* producer;  // a block's name
  const char* consumer;
  const char* why;           // it is that deep
  bool starts_work = false;  // its consumer works on what it took last from such a link: a timeline names work by it
};

// Whose work an entry is, as far as its payload says.
struct Work {
  std::optional<Tag> tag;
  std::optional<std::uint16_t> store;  // without a tag: the group's place in the group table, which has it
  const char* kind = "";               // what is fetched, or chosen among; empty where there is but one kind
  bool operator==(const Work& o) const { return tag == o.tag && store == o.store && std::string_view(kind) == o.kind; }
};
template <class T>
Work work_of(const T& payload) {
  Work w;
  if constexpr (requires { payload.tag; })
    w.tag = payload.tag;
  else if constexpr (requires { payload.job.tag; })
    w.tag = payload.job.tag;
  else if constexpr (requires { payload.store; })
    w.store = payload.store;
  if constexpr (requires { payload.what_kind(); }) w.kind = payload.what_kind();
  return w;
}

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
  virtual int bits() const = 0;             // of one payload
  virtual int copies() const { return 1; }  // such FIFOs side by side
  virtual std::uint64_t pushed() const = 0;
  // Of a link that starts work: entries popped, and whose work the last of them is, in the cycle of its pop.
  virtual std::uint64_t popped() const { return 0; }
  virtual Work work_taken() const { return {}; }

 private:
  const LinkInfo& info_;
};

// A link's two ends without its types: payloads as bits (payload.h). What stands beside a block looks at its links so.
class LinkTap {
 public:
  virtual ~LinkTap() = default;
  virtual const std::vector<Field>& fields() const = 0;
  // Of the state at the cycle's start, as the block sees it.
  virtual bool offers(Cycle now) const = 0;
  virtual bool accepts(Cycle now) const = 0;
  virtual std::uint64_t taken() const = 0;  // entries popped
  virtual std::uint64_t given() const = 0;  // entries pushed
  virtual void head(Bits& into) = 0;        // the oldest entry, which may be popped or not
  virtual void newest(Bits& into) = 0;      // the entry pushed last
  // In place of the block at that end.
  virtual void give(Cycle now, const Bits& payload) = 0;
  virtual void take(Cycle now) = 0;
  virtual void stall_consumer(bool on) = 0;
  virtual void stall_producer(bool on) = 0;
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
class Link : public prim::LinkStorage<L, prim::kPipelined<L>>::Type, public LinkBase, public LinkTap {
  using Storage = typename prim::LinkStorage<L, prim::kPipelined<L>>::Type;

 public:
  explicit Link(const Sizes& s) : Storage(prim::LinkStorage<L, prim::kPipelined<L>>::make(s)), LinkBase(L::kInfo) {}
  bool drained() const override { return Storage::drained(); }
  std::size_t depth() const override { return Storage::depth(); }
  int bits() const override { return payload_bits<typename L::Payload>(); }
  std::uint64_t pushed() const override { return Storage::pushed(); }
  std::uint64_t popped() const override { return Storage::popped(); }
  Work work_taken() const override { return work_of(Storage::taken_last()); }

  const std::vector<Field>& fields() const override { return fields_; }
  bool offers(Cycle now) const override { return Storage::can_pop(now); }
  bool accepts(Cycle now) const override { return Storage::can_push(now); }
  std::uint64_t taken() const override { return Storage::popped(); }
  std::uint64_t given() const override { return Storage::pushed(); }
  void head(Bits& into) override { pack(Storage::peek(), into); }
  void newest(Bits& into) override { pack(Storage::newest(), into); }
  void give(Cycle now, const Bits& payload) override { unpack(payload, Storage::push(now)); }
  void take(Cycle now) override { Storage::pop(now); }
  void stall_consumer(bool on) override { Storage::hold_consumer(on); }
  void stall_producer(bool on) override { Storage::hold_producer(on); }

 private:
  std::vector<Field> fields_ = fields_as_bits<typename L::Payload>();
};

}  // namespace winnow
