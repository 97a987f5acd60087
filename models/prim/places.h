#pragma once
// Which places of a small memory are taken: the controller takes one for each head or group and gives it back.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace winnow {

class Places {
 public:
  // The lowest free place; `limit` of them at most. Throws std::logic_error when all are taken.
  std::uint16_t take(std::size_t limit, const char* of) {
    for (std::size_t i = 0; i < taken_.size(); ++i)
      if (!taken_[i]) return taken_[i] = 1, ++held_, static_cast<std::uint16_t>(i);
    if (taken_.size() == limit)
      throw std::logic_error(std::string(of) + ": all " + std::to_string(limit) + " are taken");
    taken_.push_back(1), ++held_;
    most_ = most_ > held_ ? most_ : held_;
    return static_cast<std::uint16_t>(taken_.size() - 1);
  }
  void give_back(std::uint16_t place, const char* of) {
    if (place >= taken_.size() || !taken_[place])
      throw std::logic_error(std::string(of) + ": place " + std::to_string(place) + " given back, but nobody has it");
    taken_[place] = 0, --held_;
  }
  std::size_t held() const { return held_; }
  std::size_t most() const { return most_; }

 private:
  std::vector<std::uint8_t> taken_;
  std::size_t held_ = 0, most_ = 0;
};

}  // namespace winnow
