#include "models/fetcher/address_crossbar.h"

#include <bit>

namespace winnow::fetcher {

AddressCrossbar::AddressCrossbar(AddressFifos& addresses, DataFifos& data, Fifo<WriteBurst>& writes,
                                 std::vector<Fifo<dram::Request>*> channels)
    : addresses_(addresses),
      data_(data),
      writes_(writes),
      channels_(std::move(channels)),
      pointer_(channels_.size(), 0) {}

AddressCrossbar::Result AddressCrossbar::tick(Cycle now) {
  Result result;
  const int write_port = data_.lanes();
  const int write_channel = writes_.can_pop(now) ? addresses_.channel_of(writes_.peek().address / kBurstBytes) : -1;
  if (addresses_.pending() == 0 && write_channel < 0) return result;

  const LaneMask room = data_.room(now);
  const int channels = static_cast<int>(channels_.size());
  const int first = addresses_.window() > 1 ? static_cast<int>(now % static_cast<Cycle>(channels)) : 0;
  for (int i = 0; i < channels; ++i) {
    const int c = (first + i) & (channels - 1);
    LaneMask asking = addresses_.asking(c) & room;
    // Behind others that are still to be sent it needs as many places more.
    if (addresses_.window() > 1)
      for (LaneMask m = asking; m; m &= m - 1) {
        const int lane = std::countr_zero(m);
        if (!data_.room(lane, addresses_.place(lane, c), now)) asking &= ~(LaneMask{1} << lane);
      }
    if (c == write_channel) asking |= LaneMask{1} << write_port;
    if (asking == 0) continue;
    Fifo<dram::Request>& out = *channels_[static_cast<std::size_t>(c)];
    if (!out.can_push(now)) {
      result.channel_full = true;
      continue;
    }
    std::uint8_t& pointer = pointer_[static_cast<std::size_t>(c)];
    const LaneMask behind = asking & (~LaneMask{0} << pointer);
    const int winner = std::countr_zero(behind ? behind : asking);
    pointer = static_cast<std::uint8_t>(winner + 1);
    conflicts_ += static_cast<std::uint64_t>(std::popcount(asking)) - 1;
    dram::Request& request = out.push(now);
    if (winner == write_port) {
      request.address = writes_.peek().address;
      request.tag = 0;
      request.write = true;
      request.data = writes_.peek().data;
      writes_.pop(now);
      ++result.writes;
    } else {
      const std::uint32_t place = addresses_.place(winner, c);
      request.address = addresses_.address(winner, place) * kBurstBytes;
      request.tag = static_cast<std::uint32_t>(winner) | data_.place(winner, place) << 6;
      request.write = false;
      addresses_.grant(winner, place);
      ++result.reads;
    }
  }
  return result;
}

}  // namespace winnow::fetcher
