#include "sim/run/workload_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace winnow {
namespace {

using golden::Kind;

std::uint64_t& of(golden::Accesses& a, Kind k) { return a.useful[static_cast<std::size_t>(k)]; }
std::uint64_t& of(golden::Accesses& a, Stream s) { return a.stream_bursts[static_cast<std::size_t>(s)]; }

void same(Compared& c, std::uint64_t& counter, std::uint64_t machine, std::uint64_t expected, auto&& place) {
  ++counter;
  if (machine == expected) return;
  if (c.differences++ == 0) c.first = fmt::format("{}: machine {}, workload {}", place(), machine, expected);
}

void same_list(Compared& c, const std::vector<std::uint32_t>& machine, const std::vector<std::uint32_t>& expected,
               const std::string& what) {
  same(c, c.decisions, machine.size(), expected.size(), [&] { return what + ": how many"; });
  for (std::size_t i = 0; i < std::min(machine.size(), expected.size()); ++i)
    same(c, c.decisions, machine[i], expected[i], [&] { return fmt::format("{}: entry {}", what, i); });
}

}  // namespace

golden::Accesses expected_accesses(const Workload& w, const WorkloadLayer& layer, const WorkloadLayout& layout,
                                   const std::vector<std::uint32_t>& order) {
  golden::Accesses a;
  const auto position = static_cast<std::uint32_t>(order.size()) - 1;
  const std::uint32_t out_bytes = golden::packed_bytes(w.head_dim, golden::kWordBits);
  for (std::size_t i = layer.first; i < layer.end; ++i) {
    const WorkloadRow& r = w.rows[i];
    const WorkloadBytes bytes = row_bytes(r);
    of(a, Kind::query) += bytes.query, of(a, Kind::key_msb) += bytes.key, of(a, Kind::key_lsb) += bytes.key_refetch;
    of(a, Kind::value) += bytes.value, of(a, Kind::out) += out_bytes;
    const auto keys = highest(order, r.keys), values = highest(order, r.values);
    of(a, Stream::query) += golden::bursts(layout.query(r), &position, 1);
    of(a, Stream::key) += golden::bursts(layout.key(r), keys.data(), keys.size());
    if (r.refetch) of(a, Stream::key) += golden::bursts(layout.refetch(r), keys.data(), keys.size());
    of(a, Stream::value) += golden::bursts(layout.value(r), values.data(), values.size());
    a.write_bursts += golden::bursts_of(out_bytes);
  }
  return a;
}

void compare_workload_layer(const Workload& w, const WorkloadLayer& layer, const WorkloadLayout& layout,
                            const std::vector<std::uint32_t>& order, const std::vector<GroupRecord>& records,
                            const LayerCounts& counts, Compared& c) {
  const std::string where = fmt::format("step {} layer {}", layer.step, layer.layer);
  same(c, c.decisions, records.size(), layer.end - layer.first, [&] { return where + ": rows run"; });
  for (std::size_t i = 0; i < std::min(records.size(), layer.end - layer.first); ++i) {
    const WorkloadRow& r = w.rows[layer.first + i];
    const std::string row = fmt::format("{} head {} (line {})", where, r.head, r.line);
    same(c, c.decisions, records[i].head, static_cast<std::uint64_t>(r.head), [&] { return row + ": order of heads"; });
    same(c, c.decisions, records[i].refetched, r.refetch, [&] { return row + ": refetch"; });
    // The record holds places in the list of keys.
    const auto keys = highest(order, r.keys);
    std::vector<std::uint32_t> values;
    for (std::uint32_t place : records[i].values) values.push_back(place < keys.size() ? keys[place] : ~0u);
    same_list(c, values, highest(order, r.values), row + ": values used");
  }
  const golden::Accesses expected = expected_accesses(w, layer, layout, order);
  for (int k = 0; k < golden::kKinds; ++k)
    same(c, c.counts, counts.accesses.useful[static_cast<std::size_t>(k)], expected.useful[static_cast<std::size_t>(k)],
         [&] { return fmt::format("{}: bytes of {}", where, golden::kKindNames[k]); });
  for (std::size_t s = 0; s < expected.stream_bursts.size(); ++s)
    same(c, c.counts, counts.accesses.stream_bursts[s], expected.stream_bursts[s],
         [&] { return fmt::format("{}: bursts of stream {}", where, s); });
  same(c, c.counts, counts.accesses.write_bursts, expected.write_bursts, [&] { return where + ": bursts written"; });
}

void compare_choice(const WorkloadLayer& next, const std::vector<std::uint32_t>& kept,
                    const std::vector<std::uint32_t>& expected, Compared& c) {
  same_list(c, kept, expected, fmt::format("step {} layer {}: tokens kept", next.step, next.layer));
}

void compare_totals(const WorkloadBytes& file, const golden::Accesses& machine, Compared& c) {
  const std::pair<Kind, std::uint64_t> kinds[] = {{Kind::query, file.query},
                                                  {Kind::key_msb, file.key},
                                                  {Kind::key_lsb, file.key_refetch},
                                                  {Kind::value, file.value}};
  for (const auto& [kind, bytes] : kinds)
    same(c, c.counts, machine.useful_of(kind), bytes,
         [&] { return fmt::format("whole run: bytes of {}", golden::kKindNames[static_cast<std::size_t>(kind)]); });
}

}  // namespace winnow
