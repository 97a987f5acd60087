#include "models/converter/record_unit.h"

#include <bit>
#include <cstring>

#include "models/converter/unpack.h"

namespace winnow::converter {

namespace {

constexpr std::size_t kReadPad = 16;  // unpack reads past a record's end

}  // namespace

RecordUnit::RecordUnit(const Lists& lists, DataFifos& data, KvBuffer& key, KvBuffer& value, int record_bursts,
                       Cycle stages)
    : lists_(lists),
      data_(data),
      key_(key),
      value_(value),
      lanes_(data.lanes()),
      stages_(stages),
      lane_bytes_(static_cast<std::size_t>(record_bursts) * kBurstBytes + kReadPad),
      bytes_(lane_bytes_ * static_cast<std::size_t>(lanes_)),
      shared_(&key.store() == &value.store()) {}

void RecordUnit::start(const FetchJob& job) {
  job_ = job;
  list_ = !job.second || job.list == kEveryItem ? nullptr : lists_.read(job.list, 0, job.items);
  record_bursts_ = (job.item_bytes + kBurstBytes - 1) / kBurstBytes;
  left_ = job.items;
  whole_ = filling_ = 0;
  for (std::uint32_t i = 0; i < job.items && i < static_cast<std::uint32_t>(lanes_); ++i) {
    lane_[i] = Lane{i, 0};
    filling_ |= LaneMask{1} << i;
  }
}

int RecordUnit::deliver(Cycle now) {
  if (whole_ == 0) return 0;
  const LaneMask from = ~LaneMask{0} << pointer_;
  // Taken in this cycle: written, and read. K is written `stages_` cycles from now on, V then or a cycle later.
  using Mask = KvBanks::Mask;
  Mask banks = late(now + stages_), value_banks = 0, held_banks = 0;
  const Cycle value_at = now + stages_ + (shared_ && job_.key_bits ? 1 : 0);
  int first_loser = -1, delivered = 0;
  // In lane order from the pointer on, then from lane 0: each bank takes the first that asks.
  LaneMask part = whole_ & from, rest = whole_ & ~from;
  for (;;) {
    if (part == 0) {
      if (rest == 0) break;
      part = rest;
      rest = 0;
    }
    const int lane = std::countr_zero(part);
    part &= part - 1;
    Lane& l = lane_[static_cast<std::size_t>(lane)];
    const std::uint32_t slot = job_.first + l.item;
    const Mask bank = job_.key_bits ? key_.mask(key_.part(job_.half, job_.second), slot) : 0;
    const Mask value_bank = job_.value_bits ? value_.mask(job_.half, slot) : 0;
    // The first digit of the record's token, which is read to go before the others.
    const std::uint32_t token = list_ ? list_[l.item] : slot;
    const Mask held = job_.second ? key_.mask(job_.half, token) : 0;
    if (banks & bank || value_banks & value_bank || held_banks & held) {
      if (first_loser < 0) first_loser = lane;
      ++bank_conflicts_;
      continue;
    }
    banks |= bank, value_banks |= value_bank, held_banks |= held;
    const std::uint8_t* bytes = &bytes_[lane_bytes_ * static_cast<std::size_t>(lane)];
    if (job_.key_bits) {
      std::int16_t* to = job_.second ? key_.merge_second(job_.half, token, slot, now + stages_)
                         : job_.held ? key_.put_behind(job_.half, slot, now + stages_, job_.held, job_.key_bits)
                                     : key_.write(job_.half, slot, now + stages_);
      if (!job_.shape_only)
        (job_.held || job_.second ? unpack_behind : unpack)(bytes, job_.key_bits, job_.key_signed, job_.words, to);
    }
    if (job_.value_bits) {
      std::int16_t* to = value_.write(job_.half, slot, value_at);
      if (!job_.shape_only)
        unpack(bytes + job_.words * job_.key_bits / 8, job_.value_bits, job_.value_signed, job_.words, to);
    }
    whole_ &= ~(LaneMask{1} << lane);
    l.item += static_cast<std::uint32_t>(lanes_);
    l.have = 0;
    if (l.item < job_.items) filling_ |= LaneMask{1} << lane;
    ++delivered;
  }
  if (first_loser >= 0) pointer_ = first_loser;
  if (shared_ && value_banks) late_ = value_banks, late_cycle_ = value_at;
  left_ -= static_cast<std::uint32_t>(delivered);
  return delivered;
}

int RecordUnit::take(Cycle now) {
  const LaneMask lanes = filling_ & data_.ready(now);
  for (LaneMask m = lanes; m; m &= m - 1) {
    const int lane = std::countr_zero(m);
    Lane& l = lane_[static_cast<std::size_t>(lane)];
    std::memcpy(&bytes_[lane_bytes_ * static_cast<std::size_t>(lane) + l.have * kBurstBytes], data_.front(lane).data(),
                kBurstBytes);
    data_.pop(lane, now);
    if (++l.have == record_bursts_) {
      filling_ &= ~(LaneMask{1} << lane);
      whole_ |= LaneMask{1} << lane;
    }
  }
  const int n = std::popcount(lanes);
  bursts_ += static_cast<std::uint64_t>(n);
  return n;
}

}  // namespace winnow::converter
