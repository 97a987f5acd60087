#include "models/importance/importance.h"

#include <algorithm>
#include <bit>

namespace winnow {

Importance::Importance(const golden::Shape& shape, const golden::Decisions& decisions, int width,
                       std::vector<GroupStore>& stores, Fifo<ImportanceJob>& jobs, Fifo<ImportanceDone>& done,
                       Fifo<HeadMagnitude>& magnitudes)
    : shape_(shape),
      decay_shift_(decisions.decay_shift),
      width_(width),
      per_head_(decisions.per_kv_head),
      stores_(stores),
      jobs_(jobs),
      done_(done),
      magnitudes_(magnitudes) {
  const auto n = static_cast<std::size_t>(shape.tokens);
  tokens_.assign(per_head_ ? n * static_cast<std::size_t>(shape.layers * shape.kv_heads) : n, 0);
  chances_.assign(n, 0);
  heads_.assign(static_cast<std::size_t>(shape.heads), 0);
  queue_.assign(static_cast<std::size_t>(width), 0);
}

void Importance::load(const std::vector<std::uint64_t>& importance, const std::vector<std::uint64_t>& chances,
                      const std::vector<std::uint64_t>& heads) {
  tokens_ = importance, chances_ = chances, heads_ = heads;
}

void Importance::begin_step() {
  if (decay_shift_ == 0) return;
  for (auto& x : tokens_) x = golden::decayed(x, decay_shift_);
  // With a list a KV head the subtraction rides on the load of the list for its choice.
  if (!per_head_) sweep_ = (tokens_.size() + static_cast<std::size_t>(width_) - 1) / static_cast<std::size_t>(width_);
}

void Importance::tick(Cycle now) {
  if (magnitudes_.can_pop(now)) {
    heads_[magnitudes_.peek().head] += magnitudes_.peek().value;
    magnitudes_.pop(now);
  }
  if (sweep_) {
    --sweep_;
    stats_.busy();
    return;
  }
  if (!active_) {
    if (!jobs_.can_pop(now)) {
      stats_.idle();
      return;
    }
    job_ = jobs_.peek();
    jobs_.pop(now);
    active_ = true, next_ = 0;
  }
  // Every bank adds one token a cycle.
  int waiting = 0;
  for (int& level : queue_) {
    level -= level > 0;
    waiting += level;
  }
  const GroupStore& g = stores_[job_.store];
  // Sums are complete behind the last live head's division.
  if (g.readable[static_cast<std::size_t>(std::bit_width(g.heads) - 1)] > now) {
    stats_.wait(kSoftmax);
    return;
  }
  if (next_ < g.slots) {
    const std::uint32_t end = std::min(g.slots, next_ + static_cast<std::uint32_t>(width_));
    bool stalled = false;
    while (next_ < end) {
      const std::uint32_t token = job_.tokens[g.origin[next_]];
      int& level = queue_[token & static_cast<std::uint32_t>(width_ - 1)];  // a power of two
      if (level == kBankQueue) {
        stalled = true;
        break;
      }
      ++level;
      tokens_[job_.base + token] += g.sums[next_++];
      ++accumulations_;
    }
    bank_stalls_ += stalled;
    if (stalled)
      stats_.wait(kBank);
    else
      stats_.busy();
    return;
  }
  if (waiting == 0 && done_.can_push(now)) {
    done_.push(now, {job_.store});
    active_ = false;
  }
  stats_.busy();
}

}  // namespace winnow
