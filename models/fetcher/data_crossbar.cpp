#include "models/fetcher/data_crossbar.h"

#include <bit>

namespace winnow::fetcher {

DataCrossbar::DataCrossbar(DataFifos& data, std::vector<Fifo<dram::Return>*> channels)
    : data_(data), channels_(std::move(channels)) {}

int DataCrossbar::tick(Cycle now) {
  LaneMask lanes = 0;
  int offered = 0;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    if (!channels_[c]->can_pop(now)) continue;
    const std::uint32_t lane = channels_[c]->peek().tag & 63;
    asking_[lane] |= std::uint32_t{1} << c;
    lanes |= LaneMask{1} << lane;
    ++offered;
  }
  int moved = 0;
  for (; lanes; lanes &= lanes - 1) {
    const auto lane = static_cast<std::size_t>(std::countr_zero(lanes));
    const std::uint64_t asking = asking_[lane];
    asking_[lane] = 0;
    const std::uint64_t behind = asking & (~std::uint64_t{0} << pointer_[lane]);
    const int winner = std::countr_zero(behind ? behind : asking);
    pointer_[lane] = static_cast<std::uint8_t>(winner + 1);
    Fifo<dram::Return>& in = *channels_[static_cast<std::size_t>(winner)];
    data_.write(static_cast<int>(lane), in.peek().tag >> 6, in.peek().data, now);
    in.pop(now);
    ++moved;
  }
  conflicts_ += static_cast<std::uint64_t>(offered - moved);
  return moved;
}

}  // namespace winnow::fetcher
