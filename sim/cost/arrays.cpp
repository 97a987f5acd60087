#include "sim/cost/arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace winnow::cost {
namespace {

// Read or cleared as a whole, at any time: flip-flops, however many words.
constexpr std::array kRegisters = {"query_registers", "group_table",  "head_constants", "kept_flags",    "rows",
                                   "passes",          "search_heads", "search_query",   "output_vectors"};

// How queues inside a block lie, which the inventory gives as words only: so many of them side by side in a word of an
// array, and so many arrays.
struct Lay {
  std::uint64_t side_by_side = 1, arrays = 1;
};

Lay lay_of(const Machine& m, const Stored& s) {
  const auto channels = static_cast<std::uint64_t>(m.hbm2.channels);
  const auto p = static_cast<std::uint64_t>(m.topk.parallelism);
  if (s.block == m.hbm2.type) return {1, channels};
  if (s.name == "address_fifos") return {1, static_cast<std::uint64_t>(m.fetcher.lanes)};
  if (s.name == "sums") return {s.words, 1};  // a row leaves as a whole
  if (s.name == "output_vectors") return {s.words / static_cast<std::uint64_t>(m.pv.output_vectors), 1};
  if (s.name == "sides") return {p, 2};  // left and right
  if (s.name == "loaded_list") return {p, 1};
  if (s.block == "topk" && s.name == "lists") {
    const std::uint64_t list = p * static_cast<std::uint64_t>(m.topk.fifo);
    return {p, std::max<std::uint64_t>(1, s.words / list)};
  }
  // A scan takes one of each.
  if (s.name == "partial_scores") return {1, static_cast<std::uint64_t>(m.greedy.scan)};
  if (s.name == "weight_rows") {
    const std::uint64_t rows = static_cast<std::uint64_t>(m.pv.row_fifo);
    return {std::max<std::uint64_t>(1, s.words / rows), 1};
  }
  return {};
}

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

}  // namespace

std::string shape_name(const Array& a) {
  return fmt::format("{}x{} {}R{}W", a.words, a.bits, a.read_ports, a.write_ports);
}

std::vector<Array> arrays_of(const Machine& machine, const std::vector<Stored>& storage, const ArrayRules& rules) {
  std::vector<Array> all;
  for (const Stored& s : storage) {
    if (s.total() == 0) continue;
    Lay lay{static_cast<std::uint64_t>(s.port_words), static_cast<std::uint64_t>(s.banks)};
    if (s.kind == "registers") lay = lay_of(machine, s);
    Array a{s.block, s.name, s.kind, false, lay.arrays, 1, 0, 0, s.read_ports, s.write_ports};
    a.words = ceil_div(ceil_div(s.words, lay.arrays), lay.side_by_side);
    const std::uint64_t bits = static_cast<std::uint64_t>(s.bits) * lay.side_by_side;
    const bool registers = std::find(kRegisters.begin(), kRegisters.end(), s.name) != kRegisters.end();
    a.sram = !registers && a.words >= rules.least_words;
    if (a.sram) a.slices = ceil_div(bits, static_cast<std::uint64_t>(rules.widest_bits));
    a.bits = static_cast<int>(ceil_div(bits, a.slices));
    a.count *= a.slices;
    all.push_back(std::move(a));
  }
  return all;
}

}  // namespace winnow::cost
