#pragma once
// Where words lie in a memory's physical banks: a fixed number of them, of a fixed size, whatever a trace puts there.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace winnow {

// Rows [store][row] of words of `word` slots. Word w of a row lies in bank
//   first + (w + skew) % turns + turns * (w * word / area_slots)
// of the row's place: its words go round `turns` banks, and on to the next ones where those are full.
struct Banking {
  struct Place {
    std::uint32_t first = 0, skew = 0;
  };
  int banks = 1;
  std::uint64_t slots = 0;         // in all banks
  std::uint32_t word = 1;          // slots of a word: what a port moves
  std::uint32_t turns = 1;         // banks that a row's words go round
  std::uint32_t area_slots = ~0u;  // of a row, before the next `turns` banks
  std::vector<Place> places;       // [store * rows + row]

  // Of the row's slot `from`, a multiple of `word`.
  std::size_t bank(std::size_t place, std::uint32_t from) const {
    const Place& p = places[place];
    return p.first + (from / word + p.skew) % turns + std::size_t{turns} * (from / area_slots);
  }
};

}  // namespace winnow
