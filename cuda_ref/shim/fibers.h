#pragma once
// A block of GPU threads on one CPU thread: each GPU thread is a fiber (Boost.Context) that runs until a barrier.
//
// in   a kernel body, block by block; threads a multiple of 32, at most 1,024
// out  what the kernel wrote
//
// A thread gives way at __syncthreads, at __syncwarp and at every warp operation, and nowhere else, so atomics need no
// more than plain arithmetic. Which thread runs first between two barriers is an option: a kernel that lacks a barrier
// gives other results in another order. Errors that a GPU answers with a hang are found and thrown as Error: a thread
// that leaves a block while others wait, lanes of a warp at different operations, a mask that names an absent lane.
//
// One CPU thread at a time may use this: __shared__ is static storage.
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include "cuda_ref/shim/order.h"

namespace winnow::shim {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

// What the running thread sees under the CUDA names.
inline Dim3 threadIdx, blockIdx, blockDim, gridDim;

// A kernel body to be run by every thread. Plain pointers: no std::function between a launch and its threads.
struct Body {
  void (*call)(const void* self) = nullptr;
  const void* self = nullptr;
};

class BlockRunner {
 public:
  BlockRunner();
  ~BlockRunner();
  void run(Dim3 grid, unsigned threads, std::size_t dynamic_shared, Order order, Body body);

  // Called by the threads.
  void sync_block();
  // Every lane of the mask brings a value and sees all 32.
  const std::uint64_t* exchange(std::uint32_t mask, int operation, std::uint64_t value);
  void* dynamic_shared() { return shared_.data(); }

  std::uint64_t barriers() const { return barriers_; }  // block barriers released so far

 private:
  struct Thread;
  struct Warp;
  void run_block(unsigned threads, Order order);
  void release_warp(unsigned warp);
  void wait(int state);
  void grow(unsigned threads);

  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Warp> warps_;
  std::vector<std::uint64_t> shared_;
  Body body_;
  unsigned current_ = 0, count_ = 0, waiting_ = 0, done_ = 0;
  std::uint64_t barriers_ = 0;
  std::uint32_t shuffle_ = 1;
  bool quit_ = false;
  std::exception_ptr error_;
};

BlockRunner& runner();

}  // namespace winnow::shim
