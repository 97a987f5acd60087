#include "cuda_ref/shim/fibers.h"

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <string>

#include "golden/error.h"

namespace winnow::shim {
namespace {

namespace ctx = boost::context;
constexpr std::size_t kStack = 128 * 1024;
enum State { ready, at_block_barrier, at_warp_barrier, finished };

}  // namespace

struct BlockRunner::Thread {
  ctx::fiber fiber;      // where the thread goes on
  ctx::fiber scheduler;  // where the scheduler goes on
  int state = finished;
  unsigned parity = 0;  // which of the warp's two slot rows the next operation uses
};

// Two rows of slots: a lane that is one operation ahead must not overwrite what a slower lane still reads.
struct BlockRunner::Warp {
  std::uint64_t slot[2][32] = {};
  std::uint32_t arrived = 0, mask = 0;
  int operation = 0;
};

BlockRunner::BlockRunner() = default;

BlockRunner::~BlockRunner() {
  quit_ = true;
  for (auto& t : threads_)
    while (t->state == finished && t->fiber) t->fiber = std::move(t->fiber).resume();
}

BlockRunner& runner() {
  static BlockRunner one;
  return one;
}

void BlockRunner::grow(unsigned threads) {
  while (threads_.size() < threads) {
    threads_.push_back(std::make_unique<Thread>());
    Thread* self = threads_.back().get();
    self->fiber = ctx::fiber(std::allocator_arg, ctx::fixedsize_stack(kStack), [this, self](ctx::fiber&& from) {
      self->scheduler = std::move(from);
      while (!quit_) {
        try {
          body_.call(body_.self);
        } catch (const ctx::detail::forced_unwind&) {
          throw;  // the runner is being destroyed while this thread waits
        } catch (...) {
          if (!error_) error_ = std::current_exception();
        }
        self->state = finished;
        ++done_;
        self->scheduler = std::move(self->scheduler).resume();
      }
      return std::move(self->scheduler);
    });
  }
  warps_.resize((threads_.size() + 31) / 32);
}

void BlockRunner::run(Dim3 grid, unsigned threads, std::size_t dynamic_shared, Order order, Body body) {
  if (threads == 0 || threads % 32 != 0 || threads > 1024)
    throw Error("block of " + std::to_string(threads) + " threads: must be a multiple of 32, 32..1024");
  grow(threads);
  shared_.assign((dynamic_shared + 7) / 8, 0);
  body_ = body, count_ = threads;
  gridDim = grid, blockDim = {threads, 1, 1};
  for (unsigned y = 0; y < grid.y; ++y)
    for (unsigned x = 0; x < grid.x; ++x) {
      blockIdx = {x, y, 0};
      run_block(threads, order);
    }
}

void BlockRunner::run_block(unsigned threads, Order order) {
  // A block begins with whatever the one before left in shared memory; what a kernel reads it must have written.
  std::fill(shared_.begin(), shared_.end(), 0xa5a5a5a5a5a5a5a5u);
  for (unsigned t = 0; t < threads; ++t) threads_[t]->state = ready, threads_[t]->parity = 0;
  for (auto& w : warps_) w.arrived = 0;
  waiting_ = done_ = 0;
  while (done_ < threads) {
    bool progressed = false;
    unsigned first = 0;
    if (order == Order::shuffled) {
      shuffle_ ^= shuffle_ << 13, shuffle_ ^= shuffle_ >> 17, shuffle_ ^= shuffle_ << 5;
      first = shuffle_ % threads;
    }
    for (unsigned i = 0; i < threads; ++i) {
      // Shuffled: a random start and a stride that is prime to every multiple of 32 up to 1,024.
      const unsigned t = order == Order::forward    ? i
                         : order == Order::backward ? threads - 1 - i
                                                    : (first + i * 37u) % threads;
      Thread& thread = *threads_[t];
      if (thread.state != ready) continue;
      current_ = t;
      threadIdx = {t, 0, 0};
      progressed = true;
      thread.fiber = std::move(thread.fiber).resume();
      if (error_) {
        // Threads that wait inside the kernel cannot go on: drop them all, the next launch makes new ones.
        const auto error = error_;
        error_ = nullptr;
        threads_.clear();
        std::rethrow_exception(error);
      }
    }
    if (waiting_ == threads) {
      waiting_ = 0;
      ++barriers_;
      for (unsigned t = 0; t < threads; ++t) threads_[t]->state = ready;
    } else if (!progressed) {
      const std::string what = std::to_string(waiting_) + " of " + std::to_string(threads) +
                               " threads wait at a barrier of block " + std::to_string(blockIdx.x) + ", " +
                               std::to_string(done_) + " have left: a barrier must be reached by all";
      threads_.clear();
      throw Error(what);
    }
  }
}

void BlockRunner::wait(int state) {
  Thread& self = *threads_[current_];
  self.state = state;
  self.scheduler = std::move(self.scheduler).resume();
}

void BlockRunner::sync_block() {
  ++waiting_;
  wait(at_block_barrier);
}

void BlockRunner::release_warp(unsigned warp) {
  Warp& w = warps_[warp];
  w.arrived = 0;
  for (unsigned lane = 0; lane < 32; ++lane)
    if ((w.mask >> lane) & 1) threads_[warp * 32 + lane]->state = ready;
}

const std::uint64_t* BlockRunner::exchange(std::uint32_t mask, int operation, std::uint64_t value) {
  const unsigned t = current_, lane = t % 32;
  Warp& w = warps_[t / 32];
  Thread& self = *threads_[t];
  if (!((mask >> lane) & 1)) throw Error("lane " + std::to_string(lane) + " is not in its own mask");
  if (w.arrived && (w.mask != mask || w.operation != operation))
    throw Error("lanes of a warp meet at different operations or masks (thread " + std::to_string(t) + ")");
  const std::uint64_t* row = w.slot[self.parity];
  w.slot[self.parity][lane] = value;
  self.parity ^= 1;
  w.mask = mask, w.operation = operation, w.arrived |= 1u << lane;
  if (w.arrived == mask)
    release_warp(t / 32);
  else
    wait(at_warp_barrier);
  self.state = ready;
  return row;
}

}  // namespace winnow::shim
