#include "sim/run/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <tuple>

#include "models/dram/driver.h"
#include "models/dram/energy.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

std::string number(double x) { return fmt::format("{:.6g}", x); }
double share(std::uint64_t part, std::uint64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}
double root_ratio(double difference, double reference) { return reference > 0 ? std::sqrt(difference / reference) : 0; }

struct Living {
  std::uint64_t tokens = 0, heads = 0;
};
// Tokens summed over the KV heads that run, and live query heads.
Living living(const golden::LayerResult& r) {
  Living l;
  for (std::size_t kv = 0; kv < r.live.size(); ++kv) {
    if (r.heads[kv]) l.tokens += r.live[kv].size();
    l.heads += static_cast<std::uint64_t>(std::popcount(r.heads[kv]));
  }
  return l;
}

}  // namespace

std::vector<std::string> layer_columns() {
  std::vector<std::string> c = {"step",  "layer", "tokens", "queries", "live_tokens_over_kv_heads", "live_query_heads",
                                "cycles"};
  for (const char* kind : golden::kKindNames) c.push_back(std::string(kind) + "_bytes");
  for (const char* name : {"read_bursts", "write_bursts", "query_groups", "refetched_groups", "keys_seen", "survivors",
                           "values_used", "output_error", "output_error_all"})
    c.push_back(name);
  return c;
}

std::vector<std::string> layer_row(const golden::LayerResult& r, std::optional<Cycle> cycles) {
  const Living l = living(r);
  std::vector<std::string> row = {std::to_string(r.step),
                                  std::to_string(r.layer),
                                  std::to_string(r.tokens),
                                  std::to_string(r.positions.size()),
                                  std::to_string(l.tokens),
                                  std::to_string(l.heads),
                                  cycles ? std::to_string(*cycles) : ""};
  for (std::uint64_t bytes : r.accesses.useful) row.push_back(std::to_string(bytes));
  for (std::uint64_t n : {r.accesses.read_bursts(), r.accesses.write_bursts, r.row_groups, r.refetched, r.keys_seen,
                          r.survivors, r.values})
    row.push_back(std::to_string(n));
  row.push_back(number(root_ratio(r.error.difference, r.error.reference)));
  row.push_back(number(root_ratio(r.error.difference_all, r.error.reference_all)));
  return row;
}

void Errors::add(int layer, const golden::ErrorSums& s) {
  Layer& l = layers_[static_cast<std::size_t>(layer)];
  l.difference += s.difference, l.reference += s.reference;
  l.difference_all += s.difference_all, l.reference_all += s.reference_all;
  rows_.insert(rows_.end(), s.rows.begin(), s.rows.end());
}

void Errors::report(StatTree& tree, const std::string& key, const std::string& label) const {
  double mean = 0, worst = 0, mean_all = 0;
  std::size_t n = 0;
  for (const Layer& l : layers_) {
    if (l.reference_all == 0) continue;
    const double e = root_ratio(l.difference, l.reference);
    mean += e, worst = std::max(worst, e), mean_all += root_ratio(l.difference_all, l.reference_all);
    ++n;
  }
  if (!n) return;
  std::vector<float> rows = rows_;
  double p99 = 0;
  if (!rows.empty()) {
    const auto at = rows.begin() + static_cast<std::ptrdiff_t>((rows.size() - 1) * 99 / 100);
    std::nth_element(rows.begin(), at, rows.end());
    p99 = static_cast<double>(*at);
  }
  tree.ratio(key + "_mean", label + ", mean of layers", mean / static_cast<double>(n));
  tree.ratio(key + "_worst_layer", label + ", worst layer", worst);
  tree.ratio(key + "_rows_p99", label + ", rows' 99th percentile", p99);
  tree.ratio(key + "_all_mean", label + ", pruned outputs counted as 0", mean_all / static_cast<double>(n));
}

void Phase::add(const golden::LayerResult& r, const golden::Shape& s, Cycle layer_cycles, const TimeShares& spent) {
  ++layers, cycles += layer_cycles, time += spent;
  accesses += r.accesses;
  dense_elements += static_cast<std::uint64_t>(s.kv_heads) * static_cast<std::uint64_t>(r.tokens) *
                    static_cast<std::uint64_t>(s.head_dim) * 2;
  row_heads += r.row_heads, flat += r.flat, row_groups += r.row_groups, refetched += r.refetched;
  keys_seen += r.keys_seen, survivors += r.survivors, values += r.values;
  const Living l = living(r);
  kept_elements += l.tokens * static_cast<std::uint64_t>(s.head_dim) * 2;
  live_tokens += l.tokens, all_tokens += static_cast<std::uint64_t>(r.tokens) * static_cast<std::uint64_t>(s.kv_heads);
  live_heads += l.heads, all_heads += static_cast<std::uint64_t>(s.heads);
  errors.add(r.layer, r.error);
}

void report(const Phase& p, bool timed, StatTree& t) {
  if (!p.layers) return;
  t.count("layers_run", "layers run", p.layers);
  if (timed) t.cycles("cycles", "cycles", p.cycles);
  for (int k = 0; k < golden::kKinds; ++k)
    t.bytes(fmt::format("dram_{}_useful", golden::kKindNames[k]), fmt::format("DRAM {}, useful", golden::kKindNames[k]),
            p.accesses.useful[static_cast<std::size_t>(k)]);
  const std::uint64_t useful = p.accesses.kv_useful(), carried = p.accesses.kv_bursts() * golden::kBurstBytes;
  t.bytes("dram_kv_useful", "DRAM K+V, useful", useful);
  t.bytes("dram_kv_bursts", "DRAM K+V, in bursts", carried);
  t.bytes("dram_kv_dense", "DRAM K+V, all at 12 bits (closed form)", p.dense_elements * 12 / 8);
  t.bytes("dram_all_bursts", "DRAM all, in bursts",
          (p.accesses.read_bursts() + p.accesses.write_bursts) * golden::kBurstBytes);
  for (const auto& [key, name, bits] :
       {std::tuple{"fp32", "FP32", 32}, {"fp16", "FP16", 16}, {"dense_12_bit", "12-bit dense", 12}}) {
    const double dense = static_cast<double>(p.dense_elements) * bits / 8;
    t.ratio(fmt::format("kv_reduction_{}", key), fmt::format("K+V reduction against {}", name),
            useful ? dense / static_cast<double>(useful) : 0);
  }
  t.ratio("kv_reduction_dense_12_bit_bursts", "K+V reduction against 12-bit dense, in bursts",
          carried ? static_cast<double>(p.dense_elements) * 1.5 / static_cast<double>(carried) : 0);
  t.ratio("tokens_kept", "tokens kept", share(p.live_tokens, p.all_tokens));
  t.ratio("query_heads_kept", "query heads kept", share(p.live_heads, p.all_heads));
  t.ratio("bits_read_kept_element", "bits read a K or V element of a kept token",
          p.kept_elements ? 8 * static_cast<double>(useful) / static_cast<double>(p.kept_elements) : 0);
  t.ratio("lsb_refetch_rate", "LSB refetch rate", share(p.refetched, p.row_groups));
  t.ratio("tokens_selected", "tokens selected of those seen", share(p.survivors, p.keys_seen));
  t.ratio("values_used", "values used of tokens seen", share(p.values, p.keys_seen));
  if (timed)
    for (const auto& [kind, key, label] : {std::tuple{TimeShares::memory, "time_memory", "time: waiting for memory"},
                                           {TimeShares::qk, "time_qk", "time: multiplying Q x K"},
                                           {TimeShares::softmax, "time_softmax", "time: waiting for softmax"},
                                           {TimeShares::topk, "time_topk", "time: waiting for top-k"},
                                           {TimeShares::drain, "time_drain", "time: draining"},
                                           {TimeShares::other, "time_other", "time: other"}})
      t.cycles(key, label, p.time.cycles[kind]);
  p.errors.report(t);
}

void report_batch(const Phase& p, int sequences, int steps, StatTree& t) {
  t.count("sequences", "sequences that run together", static_cast<std::uint64_t>(sequences));
  const std::uint64_t a_step = p.cycles / static_cast<std::uint64_t>(steps);
  t.cycles("cycles_batch_step", "cycles of a step of the batch", a_step);
  t.cycles("cycles_sequence_step", "a sequence's share of them", a_step / static_cast<std::uint64_t>(sequences));
}

void ByLayer::add(const golden::LayerResult& r, const golden::Shape& shape, Cycle cycles) {
  Sum& s = layers_[static_cast<std::size_t>(r.layer)];
  const Living l = living(r);
  ++s.runs, s.cycles += cycles;
  s.live_tokens += l.tokens,
      s.all_tokens += static_cast<std::uint64_t>(r.tokens) * static_cast<std::uint64_t>(shape.kv_heads);
  s.live_heads += l.heads, s.all_heads += static_cast<std::uint64_t>(shape.heads);
  s.groups += r.row_groups, s.refetched += r.refetched, s.keys += r.keys_seen, s.survivors += r.survivors,
      s.values += r.values;
  s.error.difference += r.error.difference, s.error.reference += r.error.reference;
}

std::string ByLayer::table(bool timed) const {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "cycles a step", "tokens kept", "heads kept", "refetched", "selected", "V used", "output error"}};
  const auto percent = [](double x) { return fmt::format("{:.1f} %", 100 * x); };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Sum& s = layers_[i];
    if (!s.runs) continue;
    rows.push_back({std::to_string(i),
                    timed ? fmt::format("{:.0f}", static_cast<double>(s.cycles) / static_cast<double>(s.runs)) : "-",
                    percent(share(s.live_tokens, s.all_tokens)), percent(share(s.live_heads, s.all_heads)),
                    percent(share(s.refetched, s.groups)), percent(share(s.survivors, s.keys)),
                    percent(share(s.values, s.keys)),
                    fmt::format("{:.2f} %", 100 * root_ratio(s.error.difference, s.error.reference))});
  }
  return align(rows);
}

double attainable_bandwidth(const Machine& machine, const std::vector<dram::RequestStream>& streams) {
  const dram::Spec& spec = dram::memory_spec(machine.hbm2.type);
  dram::DriverConfig config;
  config.controller = spec.controller("ch");
  config.controller.read_queue = machine.hbm2.read_queue, config.controller.write_queue = machine.hbm2.write_queue;
  config.controller.offers = 1;  // the crossbar hands a channel one request a cycle
  config.mapping = machine.hbm2.mapping;
  std::uint64_t bursts = 0, cycles = 0;
  for (const dram::RequestStream& s : streams) {
    if (s.bursts.empty()) continue;
    cycles = std::max(cycles, dram::drive(spec, config, s).cycles);
    bursts += s.bursts.size();
  }
  return cycles ? static_cast<double>(bursts * kBurstBytes) * machine.clock_ghz * 1e9 / static_cast<double>(cycles) : 0;
}

void report_memory(const MachineModel& m, const Machine& machine, Cycle cycles,
                   const std::vector<dram::RequestStream>& streams, StatTree& summary) {
  std::uint64_t recorded = 0;
  for (const auto& s : streams) recorded += s.bursts.size();
  const std::uint64_t moved = m.parts().fetcher.reads() + m.parts().fetcher.writes();
  const double seconds = static_cast<double>(cycles) / (machine.clock_ghz * 1e9);
  summary.seconds("time_at_the_clock", "time at the clock", seconds);
  summary.cycles("cycles_whole_run", "cycles, whole run", cycles);
  summary.bytes_per_second("bandwidth_achieved", "bandwidth achieved",
                           static_cast<double>(moved * kBurstBytes) / seconds);
  summary.bytes_per_second("bandwidth_attainable",
                           recorded < moved ? "bandwidth attainable (first 4 Mi bursts)" : "bandwidth attainable",
                           attainable_bandwidth(machine, streams));
  summary.joules("dram_energy", "DRAM energy", m.parts().hbm2.energy().total_pj() * 1e-12);
}

void dump_requests(const std::string& prefix, const Machine& machine, const std::vector<dram::RequestStream>& streams) {
  for (std::size_t c = 0; c < streams.size(); ++c)
    if (!streams[c].bursts.empty())
      dram::write_ramulator_trace(fmt::format("{}.ch{:02}", prefix, c), streams[c],
                                  dram::memory_spec(machine.hbm2.type), machine.hbm2.mapping, 2);
}

std::string utilisation_table(const MachineModel& m, Cycle cycles) {
  std::string table = fmt::format("{:<18}  {:>7}  {:>7}  {}\n", "block", "busy", "idle", "waits for");
  for (const Block* block : m.parts().all.blocks) {
    const BlockStats& b = block->stats();
    if (!b.cycles()) continue;  // the memory counts commands instead
    std::vector<std::pair<std::uint64_t, std::string>> waits;
    for (int i = 0; i < b.wait_count(); ++i)
      if (b.wait_at(i).cycles) waits.emplace_back(b.wait_at(i).cycles, b.wait_at(i).label);
    std::stable_sort(waits.begin(), waits.end(), [](const auto& a, const auto& c) { return a.first > c.first; });
    std::string text;
    for (const auto& [n, who] : waits)
      text += fmt::format("{}{} {:.1f} %", text.empty() ? "" : ", ", who, 100 * share(n, cycles));
    table += fmt::format("{:<18}  {:>5.1f} %  {:>5.1f} %  {}\n", block->label(), 100 * share(b.busy_cycles(), cycles),
                         100 * share(b.idle_cycles(), cycles), text.empty() ? "-" : text);
  }
  return table;
}

}  // namespace winnow
