#include "models/writeback/writeback.h"

#include <cstring>
#include <stdexcept>
#include <string>

namespace winnow {

void WriteBack::tick(Cycle now) {
  bool sent = false;
  const bool held = left_ != 0;
  if (held && out_.can_push(now)) {
    WriteBurst& burst = out_.push(now);
    burst.tag = tag_;
    burst.address = address_ + static_cast<std::uint64_t>(next_) * kBurstBytes;
    std::memcpy(burst.data.data(), &bytes_[static_cast<std::size_t>(next_) * kBurstBytes], kBurstBytes);
    ++next_;
    --left_;
    ++bursts_;
    sent = true;
  }
  bool taken = false;
  if (left_ == 0 && in_.can_pop(now)) {
    take(in_.peek());
    in_.pop(now);
    taken = true;
  }
  if (sent || taken)
    stats_.busy();
  else if (held)
    stats_.wait(kFetcher);
  else
    stats_.idle();
}

void WriteBack::take(const OutputVector& vector) {
  if (vector.address % kBurstBytes || vector.words % 8 || vector.words == 0 || vector.words > kMaxHeadDim)
    throw std::logic_error("writeback: vector of " + std::to_string(vector.words) + " words at address " +
                           std::to_string(vector.address) + ", must be a multiple of 8 up to 256, at a burst's start");
  tag_ = vector.tag;
  address_ = vector.address;
  next_ = 0;
  left_ = output_bursts(vector.words);
  ++vectors_;
  useful_bytes_ += golden::packed_bytes(vector.words, golden::kWordBits);
  std::uint8_t* p = bytes_.data();
  for (std::size_t i = 0; i < vector.words; i += 2) {  // two words are three bytes
    const auto a = static_cast<std::uint32_t>(vector.data[i]) & 0xfff;
    const auto b = static_cast<std::uint32_t>(vector.data[i + 1]) & 0xfff;
    *p++ = static_cast<std::uint8_t>(a);
    *p++ = static_cast<std::uint8_t>(a >> 8 | b << 4);
    *p++ = static_cast<std::uint8_t>(b >> 4);
  }
  std::memset(p, 0, static_cast<std::size_t>(bytes_.data() + left_ * kBurstBytes - p));
}

std::string WriteBack::doing() const {
  if (vectors_ == 0) return "no vector yet";
  return to_text(tag_) + ", query head " + std::to_string(tag_.group) + " of its group: vector " +
         std::to_string(vectors_) + ", " + std::to_string(next_) + " of its " + std::to_string(next_ + left_) +
         " bursts sent";
}

}  // namespace winnow
