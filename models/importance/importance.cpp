#include "models/importance/importance.h"

#include <algorithm>
#include <bit>

namespace winnow {

Importance::Importance(int width, const ImportanceParams& params, ImportanceMemories memories,
                       Fifo<ImportanceJob>& jobs, Fifo<ImportanceDone>& done, Fifo<HeadMagnitude>& magnitudes)
    : Block("importance", "importance"),
      width_(width),
      params_(params),
      m_(memories),
      jobs_(jobs),
      done_(done),
      magnitudes_(magnitudes),
      lanes_(static_cast<std::size_t>(width)),
      banks_(static_cast<std::size_t>(width)) {
  for (Lane& lane : lanes_) lane.ring.resize(static_cast<std::size_t>(params.lane_queue));
}

// Every bank adds one token a cycle.
void Importance::add() {
  if (in_queues_ == 0) return;
  for (Bank& bank : banks_) {
    if (bank.level == 0) continue;
    --bank.level, --in_queues_;
    --left_[bank.jobs & 1];
    bank.jobs >>= 1;
  }
}

// The lanes' oldest go to their banks' queues.
void Importance::cross() {
  if (in_lanes_ == 0) return;
  for (Bank& bank : banks_) bank.accepted = 0;
  for (int i = 0; i < width_; ++i) {
    Lane& lane = lanes_[static_cast<std::size_t>((first_lane_ + i) & (width_ - 1))];
    if (lane.level == 0) continue;
    const Item& item = lane.ring[lane.head];
    Bank& bank = banks_[item.place & static_cast<std::uint32_t>(width_ - 1)];  // a power of two
    if (bank.accepted == params_.bank_accepts || bank.level == params_.bank_queue) continue;
    bank.jobs = (bank.jobs & ~(std::uint64_t{1} << bank.level)) | std::uint64_t{item.job} << bank.level;
    ++bank.accepted, ++bank.level, ++in_queues_;
    // The order in which a bank adds does not matter: it is done here.
    m_.importance.add_token(item.place, item.sum);
    ++accumulations_;
    lane.head = lane.head + 1 == lane.ring.size() ? 0 : lane.head + 1;
    --lane.level, --in_lanes_;
  }
  first_lane_ = (first_lane_ + 1) & (width_ - 1);
}

// The next `width` slots go to the lanes.
bool Importance::read(Cycle now) {
  if (in_lanes_ != 0 &&
      std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& l) { return l.level == l.ring.size(); }))
    return false;
  const std::uint32_t n = words();
  const std::uint32_t* origins = m_.origins.read(job_.store, 0, next_, n, now, 1);
  const std::uint32_t* sums = m_.selection_scores.read(job_.store, 0, next_, n, now);
  const std::uint32_t* tokens = job_.tokens == kEveryItem ? nullptr : m_.lists.read(job_.tokens, 0, n);
  for (std::uint32_t i = 0; i < n; ++i) {
    Lane& lane = lanes_[i];
    const std::size_t at = lane.head + lane.level, depth = lane.ring.size();
    lane.ring[at < depth ? at : at - depth] = {job_.base + (tokens ? tokens[origins[i]] : origins[i]), sums[i], turn_};
    ++lane.level;
  }
  in_lanes_ += n;
  left_[turn_] += n;
  next_ += n;
  return true;
}

void Importance::tick(Cycle now) {
  if (magnitudes_.can_pop(now)) {
    m_.importance.add_head(magnitudes_.peek().head, magnitudes_.peek().value);
    magnitudes_.pop(now);
  }
  if (m_.importance.sweeping(now)) {
    m_.importance.sweep(now);
    stats_.busy();
    return;
  }
  if (!active_ && !draining_ && !jobs_.can_pop(now)) {
    stats_.idle();
    return;
  }
  add();
  cross();
  if (draining_ && left_[turn_ ^ 1] == 0 && done_.can_push(now)) {
    done_.push(now, {draining_store_});
    draining_ = false;
  }
  if (!active_ && jobs_.can_pop(now)) {
    job_ = jobs_.peek();
    jobs_.pop(now);
    active_ = true, next_ = 0;
  }
  const GroupEntry& g = m_.groups[job_.store];
  // Sums are complete behind the last live head's division.
  if (active_ && !g.readable[static_cast<std::size_t>(std::bit_width(g.heads) - 1)].up(now)) {
    stats_.wait(kSoftmax);
    return;
  }
  if (active_ && next_ < g.slots && m_.selection_scores.claimed(job_.store, next_, words(), now)) {
    stats_.wait(kSums);
    return;
  }
  if (active_ && next_ < g.slots && !read(now)) {
    ++bank_stalls_;
    stats_.wait(kBank);
    return;
  }
  // The next job is read while this one's tokens drain.
  if (active_ && next_ == g.slots && !draining_) {
    draining_ = true, draining_store_ = job_.store, turn_ ^= 1;
    active_ = false;
  }
  stats_.busy();
}

}  // namespace winnow
