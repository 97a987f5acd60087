#include "models/importance/importance.h"

#include <algorithm>
#include <bit>

namespace winnow {

Importance::Importance(int width, ImportanceMemories memories, Fifo<ImportanceJob>& jobs, Fifo<ImportanceDone>& done,
                       Fifo<HeadMagnitude>& magnitudes)
    : Block("importance", "importance"),
      width_(width),
      m_(memories),
      jobs_(jobs),
      done_(done),
      magnitudes_(magnitudes),
      queue_(static_cast<std::size_t>(width), 0) {}

void Importance::tick(Cycle now) {
  if (magnitudes_.can_pop(now)) {
    m_.importance.add_head(magnitudes_.peek().head, magnitudes_.peek().value);
    magnitudes_.pop(now);
  }
  if (m_.importance.sweeping()) {
    m_.importance.sweep();
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
  const GroupEntry& g = m_.groups[job_.store];
  // Sums are complete behind the last live head's division.
  if (g.readable[static_cast<std::size_t>(std::bit_width(g.heads) - 1)] > now) {
    stats_.wait(kSoftmax);
    return;
  }
  if (next_ < g.slots) {
    const std::uint32_t end = std::min(g.slots, next_ + static_cast<std::uint32_t>(width_));
    const std::uint32_t first = next_;
    const std::uint32_t* origins = m_.origins.peek(job_.store);
    const std::uint32_t* sums = m_.selection_scores.peek(job_.store);
    const std::uint32_t* tokens = job_.tokens == kEveryItem ? nullptr : m_.lists.peek(job_.tokens).data();
    bool stalled = false;
    while (next_ < end) {
      const std::uint32_t token = tokens ? tokens[origins[next_]] : origins[next_];
      int& level = queue_[token & static_cast<std::uint32_t>(width_ - 1)];  // a power of two
      if (level == kBankQueue) {
        stalled = true;
        break;
      }
      ++level;
      m_.importance.add_token(job_.base + token, sums[next_++]);
      ++accumulations_;
    }
    m_.origins.read(job_.store, 0, first, next_ - first);
    m_.selection_scores.read(job_.store, 0, first, next_ - first);
    if (tokens) m_.lists.read(job_.tokens, 0, next_ - first);
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
