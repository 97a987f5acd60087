#include "sim/run/workload_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace winnow {
namespace {

using golden::Kind;

std::uint64_t& of(golden::Accesses& a, Kind k) { return a.useful[static_cast<std::size_t>(k)]; }
std::uint64_t& of(golden::Accesses& a, Stream s) { return a.stream_bursts[static_cast<std::size_t>(s)]; }

}  // namespace

golden::Accesses expected_accesses(const Workload& w, const WorkloadLayer& layer, const WorkloadLayout& layout,
                                   const std::vector<std::uint32_t>& order) {
  golden::Accesses a;
  const std::vector<std::uint32_t> positions = positions_of(w, layer, order);
  const std::uint32_t out_bytes = golden::packed_bytes(w.head_dim, golden::kWordBits);
  for (std::size_t i = layer.first; i < layer.end; ++i) {
    const WorkloadRow& r = w.rows[i];
    const WorkloadBytes bytes = row_bytes(r);
    of(a, Kind::query) += bytes.query, of(a, Kind::key_msb) += bytes.key, of(a, Kind::key_lsb) += bytes.key_refetch;
    of(a, Kind::value) += bytes.value, of(a, Kind::out) += out_bytes * positions.size();
    const auto keys = highest(order, r.keys), values = highest(order, r.values);
    for (std::size_t from = 0; from < positions.size(); from += golden::kQueryChunk)
      of(a, Stream::query) += golden::bursts(layout.query(r), &positions[from],
                                             std::min<std::size_t>(golden::kQueryChunk, positions.size() - from));
    of(a, Stream::key) += golden::bursts(layout.key(r), keys.data(), keys.size());
    if (r.refetch) of(a, Stream::key) += golden::bursts(layout.refetch(r), keys.data(), keys.size());
    of(a, Stream::value) += golden::bursts(layout.value(r), values.data(), values.size());
    a.write_bursts += golden::bursts_of(out_bytes) * positions.size();
  }
  return a;
}

void compare_workload_layer(const Workload& w, const WorkloadLayer& layer, const WorkloadLayout& layout,
                            const std::vector<std::uint32_t>& order, const std::vector<GroupRecord>& records,
                            const LayerCounts& counts, Comparison& c) {
  const std::string where = fmt::format("step {} layer {}", layer.step, layer.layer);
  // Where K and V are resident nothing is decided, and nothing recorded: what was multiplied is compared instead.
  if (w.encoder) {
    std::uint64_t products = 0;
    for (std::size_t i = layer.first; i < layer.end; ++i)
      products += static_cast<std::uint64_t>(w.rows[i].queries) * static_cast<std::uint64_t>(w.rows[i].keys) *
                  static_cast<std::uint64_t>(w.head_dim);
    c.same(CompareKind::counts, products, counts.qk_products, [&] { return where + ": products of Q x K"; });
    c.same(CompareKind::counts, products, counts.pv_products, [&] { return where + ": products of P x V"; });
  } else {
    c.same(CompareKind::decisions, layer.end - layer.first, records.size(), [&] { return where + ": rows run"; });
  }
  for (std::size_t i = 0; i < std::min(records.size(), layer.end - layer.first); ++i) {
    const WorkloadRow& r = w.rows[layer.first + i];
    const std::string row = fmt::format("{} head {} (line {})", where, r.head, r.line);
    c.same(CompareKind::decisions, static_cast<std::uint64_t>(r.head), records[i].head,
           [&] { return row + ": order of heads"; });
    c.same(CompareKind::decisions, r.refetch, records[i].refetched, [&] { return row + ": refetch"; });
    // The record holds places in the list of keys.
    const auto keys = highest(order, r.keys);
    std::vector<std::uint32_t> values;
    for (std::uint32_t place : records[i].values) values.push_back(place < keys.size() ? keys[place] : ~0u);
    c.lists(CompareKind::decisions, highest(order, r.values), values, row + ": values used");
  }
  const golden::Accesses expected = expected_accesses(w, layer, layout, order);
  for (int k = 0; k < golden::kKinds; ++k)
    c.same(CompareKind::counts, expected.useful[static_cast<std::size_t>(k)],
           counts.accesses.useful[static_cast<std::size_t>(k)],
           [&] { return fmt::format("{}: bytes of {}", where, golden::kKindNames[k]); });
  for (std::size_t s = 0; s < expected.stream_bursts.size(); ++s)
    c.same(CompareKind::counts, expected.stream_bursts[s], counts.accesses.stream_bursts[s],
           [&] { return fmt::format("{}: bursts of stream {}", where, s); });
  c.same(CompareKind::counts, expected.write_bursts, counts.accesses.write_bursts,
         [&] { return where + ": bursts written"; });
}

void compare_choice(const WorkloadLayer& next, const std::vector<std::uint32_t>& kept,
                    const std::vector<std::uint32_t>& expected, Comparison& c) {
  c.lists(CompareKind::decisions, expected, kept, fmt::format("step {} layer {}: tokens kept", next.step, next.layer));
}

void compare_totals(const WorkloadBytes& file, const golden::Accesses& machine, Comparison& c) {
  const std::pair<Kind, std::uint64_t> kinds[] = {{Kind::query, file.query},
                                                  {Kind::key_msb, file.key},
                                                  {Kind::key_lsb, file.key_refetch},
                                                  {Kind::value, file.value}};
  for (const auto& [kind, bytes] : kinds)
    c.same(CompareKind::counts, bytes, machine.useful_of(kind),
           [&] { return fmt::format("whole run: bytes of {}", golden::kKindNames[static_cast<std::size_t>(kind)]); });
}

}  // namespace winnow
