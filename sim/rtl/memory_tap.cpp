#include "sim/rtl/memory_tap.h"

#include <stdexcept>

namespace winnow::rtl {
namespace {

template <class Word>
MemoryTap tap(const MemoryBase& memory, std::uint32_t words, std::function<Word&(std::uint32_t)> at) {
  const auto checked = [=, name = std::string(memory.name())](std::uint32_t i) -> Word& {
    if (i >= words) throw std::logic_error(name + ": word " + std::to_string(i) + " of " + std::to_string(words));
    return at(i);
  };
  return {memory.name(), fields_as_bits<Word>(), words,
          [checked](std::uint32_t i, Bits& into) { pack(checked(i), into); },
          [checked](std::uint32_t i, const Bits& from) { unpack(from, checked(i)); }};
}

}  // namespace

std::vector<MemoryTap> memory_taps(Inventory& parts) {
  return {tap<GroupEntry>(parts.groups, static_cast<std::uint32_t>(parts.groups.size()),
                          [&](std::uint32_t i) -> GroupEntry& { return parts.groups[i]; })};
}

}  // namespace winnow::rtl
