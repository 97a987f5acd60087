#include "sim/commands/gpu_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cuda_ref/baseline/samples.h"
#include "cuda_ref/baseline/sets.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

using cuda_ref::Measured;
using cuda_ref::of_l2;

std::string name_of(const Measured& m) {
  std::string name = fmt::format("{} {} batch {} {}", m.kernel, m.dtype, m.batch, m.cache);
  for (char& c : name) c = c == ' ' || c == ',' ? '_' : c;
  return name;
}

double median(const Measured& m) { return cuda_ref::summarize(m.samples).median; }

// The fastest with L2 cold that `fits`; null when there is none.
template <class Fits>
const Measured* fastest(const std::vector<Measured>& all, Fits fits) {
  const Measured* best = nullptr;
  for (const Measured& m : all)
    if (m.cache == "cold" && fits(m) && (best == nullptr || median(m) < median(*best))) best = &m;
  return best;
}

bool has_dram(const Measured& m) { return m.dram_read + m.dram_write > 0; }

// One layer, one sequence, under names that `winnow table` also derives for runs of the machine.
void summarize_into(StatTree& t, const std::vector<Measured>& all, Manifest& manifest) {
  if (all.empty()) return;
  const auto [least, most] = std::minmax_element(
      all.begin(), all.end(), [](const Measured& a, const Measured& b) { return a.batch < b.batch; });
  const int single = least->batch, large = most->batch;
  const auto dense = [&](int batch) {
    return fastest(all, [&](const Measured& m) { return m.batch == batch && !m.sparse && !m.naive; });
  };
  const Measured* best = dense(single);
  // Where no fused kernel ran, the straw man stands alone, and the manifest says so.
  if (best == nullptr) best = fastest(all, [&](const Measured& m) { return m.batch == single && !m.sparse; });
  if (best == nullptr) return;
  manifest.options.emplace_back("fastest_dense", fmt::format("{}, {}", best->kernel, best->dtype));
  t.seconds("time_a_layer", "time a layer", median(*best) / single);
  t.seconds("time_a_layer_roofline", "time a layer, roofline", best->roofline_seconds / single);
  t.bytes("dram_bytes_a_layer", "DRAM bytes a layer", static_cast<std::uint64_t>(best->bytes / single));
  if (has_dram(*best))
    t.bytes("dram_bytes_a_layer_measured", "DRAM bytes a layer, by Nsight Compute",
            static_cast<std::uint64_t>((best->dram_read + best->dram_write) / single));
  if (best->watts > 0) t.joules("energy_a_layer_gpu", "energy a layer, GPU over idle", best->joules / single);
  if (const Measured* m = fastest(all, [&](const Measured& x) { return x.batch == single && x.sparse; })) {
    manifest.options.emplace_back("fastest_sparse", fmt::format("{}, {}", m->kernel, m->dtype));
    t.seconds("time_a_layer_chosen", "time a layer, chosen tokens", median(*m) / single);
    if (m->watts > 0)
      t.joules("energy_a_layer_chosen_gpu", "energy a layer, chosen tokens, GPU over idle", m->joules / single);
  }
  for (const char* dtype : {"fp32", "fp16"})
    if (const Measured* m = fastest(
            all, [&](const Measured& x) { return x.batch == single && !x.sparse && x.naive && x.dtype == dtype; }))
      t.seconds(fmt::format("time_a_layer_naive_{}", dtype), fmt::format("time a layer, naive {}", dtype),
                median(*m) / single);
  if (const Measured* m = large == single ? nullptr : dense(large)) {
    t.seconds(fmt::format("time_a_sequence_batch_{}", large), fmt::format("time a layer and sequence, batch {}", large),
              median(*m) / large);
    if (m->watts > 0)
      t.joules(fmt::format("energy_a_sequence_batch_{}_gpu", large),
               fmt::format("energy a layer and sequence, batch {}, GPU over idle", large), m->joules / large);
  }
}

void describe(StatTree& t, const Measured& m, int layers, std::uint64_t l2) {
  const cuda_ref::Summary s = cuda_ref::summarize(m.samples);
  t.seconds("median", "median", s.median), t.seconds("trimmed_mean", "trimmed_mean", s.trimmed_mean);
  t.seconds("least", "least", s.least), t.seconds("most", "most", s.most),
      t.seconds("roofline", "roofline", m.roofline_seconds);
  t.seconds("all_layers", "all_layers", s.median * layers);
  t.ratio("of_roofline", "of_roofline", m.roofline_seconds / s.median);
  t.bytes("dram_counted", "dram_counted", static_cast<std::uint64_t>(m.bytes));
  if (has_dram(m)) {
    t.bytes("dram_measured_read", "dram_measured_read", static_cast<std::uint64_t>(m.dram_read));
    t.bytes("dram_measured_write", "dram_measured_write", static_cast<std::uint64_t>(m.dram_write));
  }
  t.bytes_per_second("bandwidth", "bandwidth", m.bytes / s.median);
  t.count("operations", "operations", static_cast<std::uint64_t>(m.operations));
  t.count("runs", "runs", m.samples.size()), t.count("outputs_compared", "outputs_compared", m.compared);
  t.ratio("largest_error", "largest_error", m.largest_error);
  t.count("buffer_sets", "buffer_sets", static_cast<std::uint64_t>(m.sets)),
      t.ratio("footprint_of_l2", "footprint_of_l2", of_l2(m.bytes, m.sets, l2));
  if (m.watts > 0) t.joules("a_run", "a_run", m.joules), t.seconds("power_window", "power_window", m.window_seconds);
}

// Rows under a temporary name until all are there, so that an earlier file stays whole until then.
class Rows {
 public:
  Rows(const RunFolder& folder, const std::string& name, const std::vector<std::string>& columns)
      : path_(folder.path() + "/" + name), file_(path_ + ".partial", columns) {}
  void row(const std::vector<std::string>& cells) { file_.row(cells); }
  void replace() {
    file_.sync();
    std::filesystem::rename(path_ + ".partial", path_);
  }

 private:
  std::string path_;
  CsvFile file_;
};

}  // namespace

std::string write_gpu_results(RunFolder& folder, Manifest manifest, int layers, const cuda_ref::Baseline& baseline,
                              const std::vector<std::string>& to_come) {
  const cuda_ref::GpuFacts& facts = baseline.facts;
  const bool any_dram = std::any_of(baseline.measured.begin(), baseline.measured.end(), has_dram);
  for (const auto& [key, value] :
       Manifest::Pairs{{"name", facts.name},
                       {"driver", facts.driver},
                       {"cuda_runtime", facts.toolkit},
                       {"cudnn", facts.cudnn},
                       {"power_from", facts.power},
                       {"l2_bytes", std::to_string(facts.l2_bytes)},
                       {"dram_bytes_from", any_dram ? "counted (operands and result once), and Nsight Compute"
                                                    : "counted: operands and result once"},
                       {"peak_bytes_per_second", fmt::format("{:.4g}", facts.peak_bytes)},
                       {"peak_fp32_per_second", fmt::format("{:.4g}", facts.peak_fp32)},
                       {"peak_fp16_per_second", fmt::format("{:.4g}", facts.peak_fp16)}})
    manifest.machine.emplace_back(key, value);
  for (const auto* lines : {&baseline.refused, &baseline.wrong})
    for (const std::string& line : *lines)
      manifest.options.emplace_back(fmt::format("not_measured_{}", manifest.options.size()), line);

  StatTree result("result");
  summarize_into(result.part("summary", "summary"), baseline.measured, manifest);
  Rows samples(folder, "samples.csv", {"measurement", "run", "seconds"});
  Rows rows(
      folder, "layers.csv",
      {"measurement", "kernel", "dtype", "batch", "cache", "median_seconds", "trimmed_mean_seconds", "roofline_seconds",
       "counted_dram_bytes", "measured_dram_read_bytes", "measured_dram_write_bytes", "joules", "mean_watts",
       "idle_watts", "sm_megahertz", "memory_megahertz", "buffer_sets", "footprint_of_l2"});
  std::vector<std::vector<std::string>> table = {{"kernel", "type", "batch", "L2", "used of L2", "median us", "mean us",
                                                  "roofline us", "of roofline", "DRAM MB counted", "measured",
                                                  "mJ a run", "W", "idle W"}};
  for (const Measured& m : baseline.measured) {
    const cuda_ref::Summary s = cuda_ref::summarize(m.samples);
    const std::string name = name_of(m);
    describe(result.part(snake_case(name), name), m, layers, facts.l2_bytes);
    for (std::size_t i = 0; i < m.samples.size(); ++i)
      samples.row({name, std::to_string(i), fmt::format("{:.9g}", m.samples[i])});
    const double footprint = of_l2(m.bytes, m.sets, facts.l2_bytes);
    const bool dram = has_dram(m), power = m.watts > 0;
    rows.row({name, m.kernel, m.dtype, std::to_string(m.batch), m.cache, fmt::format("{:.9g}", s.median),
              fmt::format("{:.9g}", s.trimmed_mean), fmt::format("{:.9g}", m.roofline_seconds),
              fmt::format("{:.0f}", m.bytes), dram ? fmt::format("{:.0f}", m.dram_read) : "",
              dram ? fmt::format("{:.0f}", m.dram_write) : "", fmt::format("{:.6g}", m.joules),
              fmt::format("{:.2f}", m.watts), fmt::format("{:.2f}", m.idle_watts), std::to_string(m.sm_megahertz),
              std::to_string(m.memory_megahertz), std::to_string(m.sets), fmt::format("{:.4g}", footprint)});
    table.push_back({m.kernel, m.dtype, std::to_string(m.batch), m.cache, fmt::format("{:.2f}", footprint),
                     fmt::format("{:.2f}", s.median * 1e6), fmt::format("{:.2f}", s.trimmed_mean * 1e6),
                     fmt::format("{:.2f} ({})", m.roofline_seconds * 1e6, m.limit),
                     fmt::format("{:.0f} %", 100 * m.roofline_seconds / s.median),
                     fmt::format("{:.3f}", m.bytes * 1e-6),
                     dram ? fmt::format("{:.3f}", (m.dram_read + m.dram_write) * 1e-6) : "-",
                     power ? fmt::format("{:.4f}", m.joules * 1e3) : "-", power ? fmt::format("{:.0f}", m.watts) : "-",
                     power ? fmt::format("{:.0f}", m.idle_watts) : "-"});
  }
  samples.replace(), rows.replace();
  for (const std::string& what : to_come) manifest.options.emplace_back(what, "not finished");
  to_come.empty() ? folder.finish(manifest, result) : folder.keep(manifest, result);
  return align(table);
}

}  // namespace winnow
