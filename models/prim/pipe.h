#pragma once
// A pipeline of fixed latency that ends in a FIFO: what is pushed in cycle c can be popped from c + latency on.
//
// The producer pushes only while `depth` entries (in the stages and behind them) leave room, so the stages never
// stall: the usual credit scheme in RTL. depth > latency gives one entry a cycle. See fifo.h for the rest.
#include <utility>

#include "models/prim/fifo.h"

namespace winnow {

template <class T>
class Pipe {
 public:
  // latency >= 1 cycles.
  Pipe(Cycle latency, std::size_t depth) : latency_(latency), fifo_(depth) {}

  bool can_push(Cycle now) const { return fifo_.can_push(now); }
  T& push(Cycle now) {
    auto& entry = fifo_.push(now);
    entry.first = now + latency_;
    return entry.second;
  }
  bool can_pop(Cycle now) const { return fifo_.can_pop(now) && fifo_.peek().first <= now; }
  T& peek() { return fifo_.peek().second; }
  void pop(Cycle now) { fifo_.pop(now); }
  T& newest() { return fifo_.newest().second; }
  const T& taken_last() const { return fifo_.taken_last().second; }
  void hold_consumer(bool on) { fifo_.hold_consumer(on); }
  void hold_producer(bool on) { fifo_.hold_producer(on); }
  bool drained() const { return fifo_.drained(); }
  std::size_t depth() const { return fifo_.depth(); }
  std::uint64_t pushed() const { return fifo_.pushed(); }
  std::uint64_t popped() const { return fifo_.popped(); }

 private:
  Cycle latency_;
  Fifo<std::pair<Cycle, T>> fifo_;
};

}  // namespace winnow
