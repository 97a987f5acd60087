#include "models/topk/types.h"

#include <bit>
#include <string>

#include "golden/error.h"

namespace winnow::topk {

namespace {

// The texts are shared with rtl/topk, which stops at elaboration (Config) or refuses the header (Job) with them.
[[noreturn]] void refuse(const char* where, const char* what, std::uint64_t value, const std::string& rule) {
  throw Error(std::string(where) + "." + what + " " + std::to_string(value) + " " + rule);
}

bool in(unsigned v, unsigned lo, unsigned hi) { return v >= lo && v <= hi; }

std::string span(unsigned lo, unsigned hi) { return std::to_string(lo) + ".." + std::to_string(hi); }

}  // namespace

unsigned Config::index_bits() const { return static_cast<unsigned>(std::bit_width(capacity() - 1)); }

void check(const Config& c, const char* where) {
  if (!std::has_single_bit(c.parallelism) || !in(c.parallelism, kParallelismMin, kParallelismMax))
    refuse(where, "parallelism", c.parallelism, "is not a power of two in " + span(kParallelismMin, kParallelismMax));
  if (!std::has_single_bit(c.fifo_depth) || !in(c.fifo_depth, kFifoMin, kFifoMax))
    refuse(where, "fifo", c.fifo_depth, "is not a power of two in " + span(kFifoMin, kFifoMax));
  if (!in(c.item_bits, kItemBitsMin, kItemBitsMax))
    refuse(where, "item_bits", c.item_bits, "is not in " + span(kItemBitsMin, kItemBitsMax));
  if (c.prefilter == Prefilter::bracket && c.item_bits > kBracketItemBitsMax)
    refuse(where, "item_bits", c.item_bits,
           "is not in " + span(kItemBitsMin, kBracketItemBitsMax) + " with prefilter bracket");
  if (c.sum_bits() > kSumBitsMax)
    refuse(where, "item_bits", c.item_bits,
           "and parallelism * fifo give sums of more than " + std::to_string(kSumBitsMax) + " bits");
}

void check(const Job& job, const Config& c, const char* where) {
  if (job.n == 0 || job.n > c.capacity())
    refuse(where, "n", job.n, "is not in 1..parallelism * fifo = " + std::to_string(c.capacity()));
  if (job.rule == Rule::count && (job.amount == 0 || job.amount > job.n))
    refuse(where, "k", job.amount, "is not in 1..n = " + std::to_string(job.n));
  if (job.rule == Rule::mass && (job.amount == 0 || job.amount > 65536))
    refuse(where, "mu16", job.amount, "is not in 1..65536");
}

}  // namespace winnow::topk
