#include "models/fetcher/address_fifos.h"

namespace winnow::fetcher {

namespace {

LaneMask all(int lanes) { return (LaneMask{1} << lanes) - 1; }

int log2_ceil(int n) { return std::bit_width(static_cast<unsigned>(n - 1)); }

}  // namespace

AddressFifos::AddressFifos(int lanes, int depth, int channels, int interleave_bytes)
    : depth_(static_cast<std::uint32_t>(depth)),
      mask_((1u << log2_ceil(depth)) - 1),
      shift_(log2_ceil(depth)),
      interleave_shift_(log2_ceil(interleave_bytes / kBurstBytes)),
      channel_mask_(channels - 1),
      room_(all(lanes)) {
  ring_.resize(static_cast<std::size_t>(lanes) << shift_);
  state_.resize(static_cast<std::size_t>(lanes));
  asking_.resize(static_cast<std::size_t>(channels), 0);
}

}  // namespace winnow::fetcher
