#pragma once
// A memory: where anything lies that more than one block reads or writes. Each has a name, a shape, and counts what
// goes through its ports.
//
// Each kind of memory is a class of models/memories: banks, ports and widths stand there. A port that is used twice in
// a cycle throws std::logic_error.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/prim/banking.h"
#include "models/prim/fifo.h"
#include "models/prim/stat_sink.h"

namespace winnow {

struct MemoryShape {
  std::uint64_t words = 0;
  int bits = 0;   // of a word
  int banks = 1;  // each with these ports:
  int read_ports = 1, write_ports = 1;
  int port_words = 1;  // that a port moves in a cycle, side by side in a bank
  std::uint64_t total_bits() const { return words * static_cast<std::uint64_t>(bits); }
};

// Name in snake_case, and as people read it; names of the blocks at its ports, with commas between; a block that
// reads only what it writes itself is no reader.
struct MemoryInfo {
  const char *name, *label;
  const char *written_by, *read_by;
};

// What the inventory knows of every memory.
class MemoryBase {
 public:
  explicit MemoryBase(const MemoryInfo& info) : info_(info) {}
  virtual ~MemoryBase() = default;
  const MemoryInfo& info() const { return info_; }
  const char* name() const { return info_.name; }
  const char* label() const { return info_.label; }
  virtual MemoryShape shape() const = 0;
  // Whether this machine has it: what it has not has no words and no statistics.
  virtual bool there() const { return true; }
  // Nothing is left in it that somebody still has to take away.
  virtual bool drained() const { return true; }
  virtual void report(StatSink& sink) const {
    sink.count("words_read", "words read", words_read_);
    sink.count("words_written", "words written", words_written_);
  }
  std::uint64_t words_read() const { return words_read_; }
  std::uint64_t words_written() const { return words_written_; }

 protected:
  mutable std::uint64_t words_read_ = 0;
  std::uint64_t words_written_ = 0;

 private:
  MemoryInfo info_;
};

// What goes through a write port in a cycle, in order, for what stands beside the writing block (sim/rtl/memory_tap.h);
// only while somebody listens.
template <class Event>
class Heard {
 public:
  void operator()(const Event& event) const {
    if (by_) by_->push_back(event);
  }
  void by(std::vector<Event>* listener) { by_ = listener; }

 private:
  std::vector<Event>* by_ = nullptr;
};

// Words of type T in rows: [store][row][slot]. Users take a run of slots at a time, which is counted. The words of a
// run lie in physical banks (Banking), each with one write port and `read_ports` read ports; an access in a cycle takes
// a port of each bank that it touches, and a second one of a port throws std::logic_error.
template <class T>
class RowMemory : public MemoryBase {
 public:
  // `stores` groups in flight, each `rows` rows (query heads) of `slots` words at most.
  RowMemory(const MemoryInfo& info, int bits, int stores, int rows, int slots, Banking banking, int read_ports = 1)
      : MemoryBase(info),
        bits_(bits),
        read_ports_(read_ports),
        banking_(std::move(banking)),
        rows_(static_cast<std::size_t>(rows)),
        slots_(static_cast<std::size_t>(slots)),
        words_(static_cast<std::size_t>(stores) * rows_ * slots_),
        read_at_(static_cast<std::size_t>(banking_.banks * read_ports), kNever),
        write_at_(static_cast<std::size_t>(banking_.banks), kNever) {
    for (std::size_t place = 0; place < static_cast<std::size_t>(stores) * rows_; ++place)
      if (place >= banking_.places.size() ||
          banking_.bank(place, slots_ ? static_cast<std::uint32_t>((slots_ - 1) / banking_.word * banking_.word) : 0) >=
              static_cast<std::size_t>(banking_.banks))
        throw std::logic_error(std::string(label()) + ": row " + std::to_string(place) + " reaches beyond its banks");
  }

  std::uint32_t slots() const { return static_cast<std::uint32_t>(slots_); }
  // Slots [from, from + n) of a row, n words through a port in cycle `now`.
  const T* read(std::size_t store, std::size_t row, std::uint32_t from, std::uint32_t n, Cycle now,
                std::size_t port = 0) const {
    use(&read_at_[port * static_cast<std::size_t>(banking_.banks)], store * rows_ + row, from, n, now, "read");
    return read(store, row, from, n);
  }
  // Whether it may: no other access in this cycle so far has one of its ports.
  bool can_read(std::size_t store, std::size_t row, std::uint32_t from, std::uint32_t n, Cycle now,
                std::size_t port = 0) const {
    const Cycle* ports = &read_at_[port * static_cast<std::size_t>(banking_.banks)];
    for (std::uint32_t at = from / banking_.word * banking_.word; at < from + n; at += banking_.word)
      if (ports[banking_.bank(store * rows_ + row, at)] == now) return false;
    return true;
  }
  T* write(std::size_t store, std::size_t row, std::uint32_t from, std::uint32_t n, Cycle now) {
    use(write_at_.data(), store * rows_ + row, from, n, now, "write");
    return write(store, row, from, n);
  }
  // The same, counted, where words are registers or the cycle is not modelled.
  const T* read(std::size_t store, std::size_t row, std::uint32_t from, std::uint32_t n) const {
    words_read_ += n, port_reads_ += ports_of(from, n);
    return at(store, row) + from;
  }
  T* write(std::size_t store, std::size_t row, std::uint32_t from, std::uint32_t n) {
    words_written_ += n, port_writes_ += ports_of(from, n);
    return at(store, row) + from;
  }
  // Without a port, uncounted: for tests, reports and observers.
  const T* peek(std::size_t store, std::size_t row = 0) const { return at(store, row); }
  T* poke(std::size_t store, std::size_t row = 0) { return at(store, row); }

  MemoryShape shape() const override {
    return {banking_.slots, bits_, banking_.banks, read_ports_, 1, static_cast<int>(banking_.word)};
  }
  void report(StatSink& sink) const override {
    MemoryBase::report(sink);
    sink.count("port_reads", "reads of a bank", port_reads_);
    sink.count("port_writes", "writes of a bank", port_writes_);
  }

 private:
  // Accesses of banks that a run of slots is.
  std::uint64_t ports_of(std::uint32_t from, std::uint32_t n) const {
    return n ? (from + n - 1) / banking_.word - from / banking_.word + 1 : 0;
  }
  T* at(std::size_t store, std::size_t row) { return &words_[(store * rows_ + row) * slots_]; }
  const T* at(std::size_t store, std::size_t row) const { return &words_[(store * rows_ + row) * slots_]; }

  static constexpr Cycle kNever = ~Cycle{0};
  // The ports of one kind, a bank each.
  void use(Cycle* ports, std::size_t place, std::uint32_t from, std::uint32_t n, Cycle now, const char* what) const {
    if (n == 0) return;
    const std::uint32_t word = banking_.word;
    for (std::uint32_t at = from / word * word; at < from + n; at += word) {
      Cycle& last = ports[banking_.bank(place, at)];
      if (last == now) throw std::logic_error(std::string(label()) + ": second " + what + " of a bank in one cycle");
      last = now;
    }
  }

  int bits_, read_ports_;
  Banking banking_;
  std::size_t rows_, slots_;
  std::vector<T> words_;
  mutable std::uint64_t port_reads_ = 0;
  std::uint64_t port_writes_ = 0;
  mutable std::vector<Cycle> read_at_;  // cycle of each port's last access
  std::vector<Cycle> write_at_;
};

}  // namespace winnow
