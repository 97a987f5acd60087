#include "models/memories/query_registers.h"

#include <bit>
#include <stdexcept>
#include <string>

#include "golden/error.h"

namespace winnow {

QueryRegisters::QueryRegisters(int entries, int head_dim, bool weighted)
    : MemoryBase({"query_registers", "query registers", "converter", "qk"}),
      entries_(entries),
      head_dim_(head_dim),
      weighted_(weighted) {
  if (entries <= 0) throw Error("query registers: entries is " + std::to_string(entries) + ", must be at least 1");
  if (head_dim <= 0 || head_dim % 8)
    throw Error("query registers: head dimension is " + std::to_string(head_dim) +
                ", must be a positive multiple of 8");
  stride_ = static_cast<std::size_t>(head_dim + 15) / 16 * 16;
  const std::size_t places = std::bit_ceil(static_cast<std::size_t>(entries));
  mask_ = places - 1;
  words_.resize(places * stride_);
  written_.resize(places), weights_.resize(places);
}

std::int16_t* QueryRegisters::push(Cycle now, Cycle written) {
  if (!can_push(now)) throw std::logic_error("query registers: pushed while full");
  if (push_cycle_ != now) push_cycle_ = now, pushed_now_ = 0;
  ++pushed_now_;
  written_[static_cast<std::size_t>(pushed_ & mask_)] = written;
  return &words_[static_cast<std::size_t>(pushed_++ & mask_) * stride_];
}

void QueryRegisters::release(std::uint64_t count, Cycle now) {
  if (released_ + count > pushed_ - (push_cycle_ == now ? pushed_now_ : 0))
    throw std::logic_error("query registers: released more than they hold");
  if (release_cycle_ != now) release_cycle_ = now, released_now_ = 0;
  released_ += count;
  released_now_ += count;
}

}  // namespace winnow
