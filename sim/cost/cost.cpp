#include "sim/cost/cost.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/prim/bricks.h"
#include "sim/cost/logic.h"

namespace winnow::cost {
namespace {

// By which events a queue inside a block is written and read, and how many of them an access is for; what is not named
// here is written and read in each busy cycle of its block.
struct Use {
  const char *block, *name;
  const char *written, *read;
  double a_write = 1, a_read = 1;  // accesses an event
};
constexpr Use kUses[] = {
    {"hbm2", "requests", "hbm2.bursts", "hbm2.bursts"},
    {"hbm2", "read_queues", "hbm2.rd", "hbm2.rd"},
    {"hbm2", "write_queues", "hbm2.wr", "hbm2.wr"},
    {"hbm2", "returns", "hbm2.rd", "hbm2.rd"},
    {"fetcher", "address_fifos", "hbm2.rd", "hbm2.rd"},
    {"softmax", "rows", "row_sums.writes", "row_sums.writes"},
    {"softmax", "passes", "later_passes.writes", "later_passes.writes"},
    {"pv", "sums", "outputs.writes", "outputs.writes"},
    {"pv", "output_vectors", "outputs.writes", "outputs.writes"},
    {"writeback", "vector", "outputs.writes", "outputs.writes"},
    {"greedy", "partial_scores", "greedy.iterations", "greedy.iterations", 2, 2},  // a scan's clear is not counted
    {"topk", "sides", "topk.select", "topk.select"},
    {"topk", "loaded_list", "topk.load", "topk.filter"},
    {"topk", "lists", "topk.load", "topk.busy"},
    {"cascade_topk", "sides", "cascade_topk.select", "cascade_topk.select"},
    {"cascade_topk", "loaded_list", "cascade_topk.load", "cascade_topk.filter"},
};

struct Events {
  std::string written, read;
  double a_write = 1, a_read = 1;
};

Events events_of(const Machine& m, const Array& a) {
  if (a.kind != "registers") return {a.name + ".writes", a.name + ".reads"};
  if (a.block == "softmax" && a.name == "row_fifo")
    return {"softmax.exponentials", "softmax.exponentials", 1.0 / m.softmax.width, 1.0 / m.softmax.width};
  if (a.block == "pv" && a.name == "weight_rows")
    return {"value_buffer.reads", "value_buffer.reads", 1.0 / m.softmax.width, 1.0 / m.softmax.width};
  for (const Use& u : kUses)
    if (a.block == u.block && a.name == u.name) return {u.written, u.read, u.a_write, u.a_read};
  return {a.block + ".busy", a.block + ".busy"};
}

// Accesses of a kind that a cycle may have: of K and V what the arrays take, else every port.
double most_reads(const Machine& m, const Array& a, int ports) {
  const double banks = static_cast<double>(a.count / a.slices) * ports;
  if (a.name == "key_buffer" && m.buffers != "pool")
    return std::min<double>(banks, key_banks(m.key_multipliers(), m.qk.brick_bits, m.qk.sram.head_dim));
  if (a.name == "value_buffer")
    return std::min<double>(banks, value_banks(m.value_multipliers(), m.pv.brick_bits, m.pv.sram.head_dim));
  return banks;
}

Component of_array(const Machine& m, const Array& a, const Technology& t) {
  Component c{a.block, a.name, a.sram ? "sram" : "flip_flops", a.count, 0, 0, {}, {}, !a.sram};
  const double n = static_cast<double>(a.count), slices = static_cast<double>(a.slices);
  double read = 0, write = 0;
  if (a.sram) {
    const SramFigures& f = t.sram.of(a);
    c.area_um2 = n * f.area_um2, c.leakage_w = n * f.leakage_uw * 1e-6;
    read = f.read_pj * slices, write = f.write_pj * slices;
    c.source = fmt::format("{}, {} x {} bits at {} nm, a cycle is {:.2f} ns", t.sram.tool(), f.built_words,
                           f.built_bits, t.node_nm.value, f.cycle_ns);
  } else {
    const BitCost bit = t.register_bit();
    const double bits = static_cast<double>(a.total_bits()), factor = t.wires_and_clock_tree.value;
    c.area_um2 = bits * bit.area_um2.value, c.leakage_w = bits * bit.leakage_uw.value * 1e-6;
    // The choice among few words and many costs about the same a bit that is read.
    read = a.words > 1 ? a.bits * bit.read_pj.value * factor : 0;
    write = a.bits * bit.write_pj.value * factor;
    c.source = bit.area_um2.source;
  }
  const Events e = events_of(m, a);
  c.actions.push_back({e.read, "read", read * e.a_read, most_reads(m, a, a.read_ports) / e.a_read});
  c.actions.push_back({e.written, "write", write * e.a_write, most_reads(m, a, a.write_ports) / e.a_write});
  return c;
}

}  // namespace

std::vector<Component> components_of(const Machine& machine, const std::vector<Stored>& storage,
                                     const Technology& technology) {
  std::vector<Component> all;
  for (const Array& a : arrays_of(machine, storage, technology.arrays)) all.push_back(of_array(machine, a, technology));
  for (Component& c : logic_of(machine, technology)) all.push_back(std::move(c));
  std::stable_sort(all.begin(), all.end(), [](const Component& a, const Component& b) { return a.block < b.block; });
  return all;
}

std::vector<BlockCost> block_costs(const std::vector<Component>& components, double clock_ghz) {
  std::vector<BlockCost> blocks;
  for (const Component& c : components) {
    auto at = std::find_if(blocks.begin(), blocks.end(), [&](const BlockCost& b) { return b.block == c.block; });
    if (at == blocks.end()) at = blocks.insert(blocks.end(), BlockCost{c.block});
    at->area_mm2 += c.area_um2 * 1e-6;
    if (c.estimate) at->estimated_mm2 += c.area_um2 * 1e-6;
    at->leakage_w += c.leakage_w, at->peak_w += c.leakage_w;
    // pJ a cycle times cycles a nanosecond is milliwatts.
    for (const Action& a : c.actions) at->peak_w += a.pj * a.most_cycle * clock_ghz * 1e-3;
  }
  return blocks;
}

}  // namespace winnow::cost
