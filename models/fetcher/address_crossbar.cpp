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
  for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
    LaneMask asking = addresses_.asking(c) & room;
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
      request.address = addresses_.head(winner) * kBurstBytes;
      request.tag = static_cast<std::uint32_t>(winner) | data_.reserve(winner) << 6;
      request.write = false;
      addresses_.grant(winner, c);
      ++result.reads;
    }
  }
  return result;
}

}  // namespace winnow::fetcher
