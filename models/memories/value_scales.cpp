#include "models/memories/value_scales.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "golden/error.h"

namespace winnow {

ScaleStore::ScaleStore(int halves, int tokens, int banks)
    : MemoryBase({"value_scales", "value scales", "converter", "pv"}), tokens_(tokens), banks_(banks) {
  if (banks <= 0) throw Error("scale store: banks is " + std::to_string(banks) + ", must be at least 1");
  if (halves <= 0 || tokens <= 0)
    throw Error("scale store: " + std::to_string(halves) + " x " + std::to_string(tokens) +
                " words, both must be at least 1");
  state_.resize(static_cast<std::size_t>(halves));
  words_.resize(static_cast<std::size_t>(halves) * static_cast<std::size_t>(tokens));
  written_.resize(words_.size(), kNever);
  read_.resize(static_cast<std::size_t>(halves) * static_cast<std::size_t>(banks), kNever);
}

void ScaleStore::begin(int half, std::uint32_t items, Cycle now) {
  if (items > static_cast<std::uint32_t>(tokens_))
    throw Error("scale store: " + std::to_string(items) + " words do not fit into " + std::to_string(tokens_) +
                " tokens");
  state_[static_cast<std::size_t>(half)] = Half{items, 0, now};
}

std::uint16_t* ScaleStore::append(int half, std::uint32_t n, Cycle now) {
  Half& h = state_[static_cast<std::size_t>(half)];
  if (h.count + n > h.items || h.begun >= now) throw std::logic_error("scale store: words written outside their load");
  const std::size_t at = index(half, h.count);
  std::uint16_t* place = &words_[at];
  std::fill_n(written_.begin() + static_cast<std::ptrdiff_t>(at), n, now);
  h.count += n;
  word_writes_ += n;
  return place;
}

std::uint16_t ScaleStore::read(int half, std::uint32_t slot, Cycle now) {
  if (!ready(half, slot, now)) throw std::logic_error("scale store: word read before it was there");
  Cycle& last = read_[bank(half, slot)];
  if (last == now) throw std::logic_error("scale store: second read of a bank in one cycle");
  last = now;
  ++words_read_;
  return words_[index(half, slot)];
}

}  // namespace winnow
