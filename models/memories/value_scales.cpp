#include "models/memories/value_scales.h"

#include <stdexcept>
#include <string>

#include "golden/error.h"

namespace winnow {

ScaleStore::ScaleStore(int halves, int tokens)
    : MemoryBase({"value_scales", "value scales", "converter", "pv"}), tokens_(tokens) {
  if (halves <= 0 || tokens <= 0)
    throw Error("scale store: " + std::to_string(halves) + " x " + std::to_string(tokens) +
                " words, both must be at least 1");
  state_.resize(static_cast<std::size_t>(halves));
  words_.resize(static_cast<std::size_t>(halves) * static_cast<std::size_t>(tokens));
}

void ScaleStore::begin(int half, std::uint32_t items, Cycle now) {
  if (items > static_cast<std::uint32_t>(tokens_))
    throw Error("scale store: " + std::to_string(items) + " words do not fit into " + std::to_string(tokens_) +
                " tokens");
  state_[static_cast<std::size_t>(half)] = Half{items, 0, 0, now, kNever};
}

std::uint16_t* ScaleStore::append(int half, std::uint32_t n, Cycle now) {
  Half& h = state_[static_cast<std::size_t>(half)];
  if (h.count + n > h.items || h.begun >= now) throw std::logic_error("scale store: words written outside their load");
  if (h.last != now) h.last = now, h.count_now = 0;
  std::uint16_t* place = &words_[static_cast<std::size_t>(half) * static_cast<std::size_t>(tokens_) + h.count];
  h.count += n;
  h.count_now += n;
  word_writes_ += n;
  return place;
}

}  // namespace winnow
