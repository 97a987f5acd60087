#include "models/cascade/cascade.h"

#include <algorithm>
#include <bit>

namespace winnow {

using Kind = CascadeChoice::Kind;

std::uint32_t Cascade::name(std::uint32_t place) const {
  const ListRef names = choice_.job.names;
  return names == kEveryItem ? place : *m_.lists.read(names, place, 1);
}

// Claims the bank of the importance memory for this cycle.
bool Cascade::take(std::uint32_t token, std::uint64_t& banks) const {
  const std::uint64_t bank = std::uint64_t{1} << (token & static_cast<std::uint32_t>(width_ - 1));
  if (banks & bank) return false;
  banks |= bank;
  return true;
}

// The sum of the block at hand. Its words come to the tree as the rows are read, a word once; all are known when its
// first token is asked for, since nobody adds to them while the cascade chooses.
std::uint64_t Cascade::earned_by_block(std::uint32_t token) {
  const std::uint32_t block = choice_.rule.block;
  if (token % block) return block_sum_;
  block_sum_ = 0;
  for (std::uint32_t t = token; t < std::min(token + block, choice_.job.job.n); ++t)
    block_sum_ += m_.importance.read_token(choice_.base + t);
  return block_sum_;
}

Cycle Cascade::block_latency() const {
  const auto block = static_cast<int>(choice_.rule.block);
  const auto levels = [](int words) { return std::bit_width(static_cast<unsigned>(words)) - 1; };
  return static_cast<Cycle>(block <= width_ ? levels(block) : levels(width_) + block / width_);
}

void Cascade::choose(Cycle now, std::uint32_t name) {
  const ItemsRef items = choice_.job.items;
  if (choice_.kind == Kind::given)
    m_.ranking_items.reveal(items, now);
  else if (choice_.job.what == Candidates::heads)
    m_.ranking_items.write(items, m_.importance.read_head(choice_.base + name), now);
  else if (choice_.rule.block > 1)
    m_.ranking_items.write(items, choice_.rule.item(name, earned_by_block(name), 0), now + block_latency());
  else
    m_.ranking_items.write(
        items,
        choice_.rule.item(name, m_.importance.read_token(choice_.base + name),
                          choice_.rule.normalised ? m_.importance.read_chances(choice_.chances_base + name) : 0),
        choice_.rule.normalised ? now + kDivideLatency : now);
  ++items_;
}

void Cascade::tick(Cycle now) {
  if (!active_) {
    if (!choices_.can_pop(now)) {
      stats_.idle();
      return;
    }
    const bool asks = choices_.peek().kind != Kind::chances;
    if (asks && m_.importance.sweeping(now)) {
      stats_.wait(kImportance);
      return;
    }
    if (asks && !jobs_.can_push(now)) {
      stats_.wait(kTopk);
      return;
    }
    choice_ = choices_.peek();
    choices_.pop(now);
    active_ = true, next_ = 0;
    if (asks) jobs_.push(now, choice_.job);
  }
  const std::uint32_t n = choice_.job.job.n;
  const auto most = static_cast<std::uint32_t>(choice_.rule.normalised && choice_.kind == Kind::choose ? 1 : width_);
  const std::uint32_t end = std::min(n, next_ + most);
  std::uint64_t banks = 0;
  for (; next_ < end; ++next_) {
    const std::uint32_t token = name(next_);
    if (!take(token, banks)) {
      ++bank_stalls_;
      break;
    }
    if (choice_.kind == Kind::chances)
      m_.importance.add_chance(choice_.chances_base + token,
                               golden::rows_seen(next_, n, choice_.prompt, choice_.causal));
    else
      choose(now, token);
  }
  active_ = next_ < n;
  stats_.busy();
}

}  // namespace winnow
