#include "models/links/data_fifos.h"

namespace winnow {

DataFifos::DataFifos(int lanes, int depth)
    : LinkBase(kInfo),
      lanes_(lanes),
      depth_(depth),
      shift_(std::bit_width(static_cast<unsigned>(depth - 1))),
      mask_((1u << shift_) - 1),
      room_((LaneMask{1} << lanes) - 1) {
  const std::size_t places = static_cast<std::size_t>(lanes) << shift_;
  bursts_.resize(places);
  present_.resize(places, 0);
  lanes_state_.resize(static_cast<std::size_t>(lanes));
}

}  // namespace winnow
