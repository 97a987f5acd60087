#include "sim/commands/gpu.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cuda_ref/baseline/baseline.h"
#include "cuda_ref/baseline/samples.h"
#include "cuda_ref/walk.h"
#include "golden/error.h"
#include "sim/commands/commands.h"
#include "sim/results/files.h"
#include "sim/results/run_folder.h"
#include "sim/results/writers.h"
#include "traces/trace.h"
#include "winnow_version.h"

extern char** environ;

namespace winnow {
namespace {

struct GpuOptions {
  std::string trace, policy = "select", output;
  int layer = -1, runs = 1000;
  std::vector<int> batches;
  bool force = false;
};

#ifdef WINNOW_CUDA

golden::FloatSource source_of(const Trace& trace) {
  const TraceMeta& m = trace.meta();
  golden::FloatSource s;
  s.shape = {m.layers, m.heads, m.kv_heads, m.head_dim, m.tokens, m.prompt, m.causal, m.attention_scale};
  s.q = [trace](int layer, int head, float* dst) { trace.read_q(layer, head, dst); };
  s.k = [trace](int layer, int head, float* dst) { trace.read_k(layer, head, dst); };
  s.v = [trace](int layer, int head, float* dst) { trace.read_v(layer, head, dst); };
  return s;
}

// The layer's values; in decode the last position's query alone, and the tokens whose V the policy fetched for it.
cuda_ref::BaselineInput layer_input(const Trace& trace, const GpuOptions& o, int layer) {
  const TraceMeta& m = trace.meta();
  const bool decode = m.generated() > 0;
  const auto D = static_cast<std::size_t>(m.head_dim), n = static_cast<std::size_t>(m.tokens);
  cuda_ref::BaselineInput in;
  in.heads = m.heads, in.kv_heads = m.kv_heads, in.head_dim = m.head_dim, in.keys = m.tokens;
  in.rows = decode ? 1 : m.tokens, in.first = decode ? m.tokens - 1 : 0;
  in.causal = m.causal, in.scale = m.attention_scale;
  const golden::FloatSource source = source_of(trace);
  const auto model = cuda_ref::load(cuda_ref::Backend::gpu, source);
  std::vector<float> values(n * D);
  const auto from = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(in.first) * D);
  for (int h = 0; h < m.heads; ++h) {
    trace.read_q(layer, h, values.data());
    in.q.insert(in.q.end(), values.begin() + from, values.end());
    const std::vector<float> out = model->reference(layer, h);
    in.expected.insert(in.expected.end(), out.begin() + from, out.end());
  }
  for (int h = 0; h < m.kv_heads; ++h) {
    trace.read_k(layer, h, values.data());
    in.k.insert(in.k.end(), values.begin(), values.end());
    trace.read_v(layer, h, values.data());
    in.v.insert(in.v.end(), values.begin(), values.end());
  }
  in.runs = o.runs;
  in.batches = !o.batches.empty() ? o.batches : decode ? std::vector<int>{1, 16, 64} : std::vector<int>{1, 8};
  if (!decode) return in;

  const golden::Policy policy = golden::make_policy(o.policy);
  const golden::Layout layout(source.shape, policy, 1024);
  const auto walk = model->walk(policy, layout);
  golden::LayerResult r;
  while (walk->next(r))
    if (r.step == source.shape.steps() - 1 && r.layer == layer) break;
  for (int kv = 0; kv < m.kv_heads; ++kv) {
    in.chosen.push_back({static_cast<std::uint32_t>(in.first)});  // a KV head without live query heads: its own token
    for (const auto& row : r.rows)
      if (row.kv_head == kv) {
        in.chosen.back().clear();
        for (const std::uint32_t slot : row.row.values)
          in.chosen.back().push_back(r.live[static_cast<std::size_t>(kv)][slot]);
      }
  }
  return in;
}

// PyTorch's fused kernels, measured by the same method; empty with a line of reason when torch or its CUDA is not
// there.
std::vector<cuda_ref::Measured> measure_sdpa(const cuda_ref::BaselineInput& in, const cuda_ref::GpuFacts& facts,
                                             const std::string& folder) {
  const std::string script = WINNOW_SOURCE_DIR "/cuda_ref/baseline/sdpa.py", file = folder + "/sdpa.json";
  std::string batches;
  for (const int b : in.batches) batches += (batches.empty() ? "" : ",") + std::to_string(b);
  std::vector<std::string> words = {"python3",    script,
                                    "--heads",    std::to_string(in.heads),
                                    "--kv-heads", std::to_string(in.kv_heads),
                                    "--rows",     std::to_string(in.rows),
                                    "--keys",     std::to_string(in.keys),
                                    "--head-dim", std::to_string(in.head_dim),
                                    "--scale",    fmt::format("{:.17g}", in.scale),
                                    "--batches",  batches,
                                    "--runs",     std::to_string(in.runs),
                                    "--l2-bytes", std::to_string(facts.l2_bytes),
                                    "-o",         file};
  if (in.causal && in.rows > 1) words.push_back("--causal");
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  int status = 0;
  if (posix_spawnp(&child, "python3", nullptr, nullptr, argv.data(), environ) != 0 || waitpid(child, &status, 0) < 0 ||
      !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fmt::print("fused kernels: not measured\n");
    return {};
  }
  std::vector<cuda_ref::Measured> all;
  for (const auto& one : nlohmann::json::parse(read_whole(file))["measured"]) {
    cuda_ref::Measured m;
    m.kernel = one.at("kernel"), m.dtype = one.at("dtype"), m.cache = one.at("cache"), m.batch = one.at("batch");
    m.samples = one.at("samples").get<std::vector<double>>();
    m.watts = one.at("watts"), m.idle_watts = one.at("idle_watts"), m.window_seconds = one.at("window_seconds");
    m.joules = one.at("joules");
    double pairs = 0;
    for (int i = 0; i < in.rows; ++i) pairs += in.causal ? std::min(in.keys, in.first + i + 1) : in.keys;
    m.operations = 4.0 * pairs * in.heads * in.head_dim * m.batch;
    m.bytes = 2.0 * m.batch * in.head_dim * (2.0 * in.kv_heads * in.keys + 2.0 * in.heads * in.rows);
    m.roofline_seconds = std::max(m.bytes / facts.peak_bytes, m.operations / facts.peak_fp16);
    m.limit = m.bytes / facts.peak_bytes >= m.operations / facts.peak_fp16 ? "bandwidth" : "arithmetic";
    all.push_back(std::move(m));
  }
  return all;
}

std::string name_of(const cuda_ref::Measured& m) {
  std::string name = fmt::format("{} {} batch {} {}", m.kernel, m.dtype, m.batch, m.cache);
  for (char& c : name) c = c == ' ' || c == ',' ? '_' : c;
  return name;
}

void gpu_command(const GpuOptions& o, const std::string& command_line) {
  std::string why;
  if (cuda_ref::gpu_name(&why).empty()) throw Error("gpu: no GPU: " + why);
  const auto start = std::chrono::steady_clock::now();
  const Trace trace = Trace::open(o.trace);
  const TraceMeta& meta = trace.meta();
  const int layer = o.layer < 0 ? meta.layers / 2 : o.layer;
  if (layer >= meta.layers) throw Error(fmt::format("--layer: {}: the trace has layers 0-{}", layer, meta.layers - 1));
  const cuda_ref::BaselineInput input = layer_input(trace, o, layer);
  const bool decode = input.rows == 1;

  Manifest manifest;
  manifest.version = WINNOW_VERSION, manifest.command = command_line, manifest.engine = "gpu";
  manifest.trace = o.trace, manifest.trace_sha256 = trace.sha256(), manifest.date = utc_now();
  const std::string mode = decode ? "decode" : meta.causal ? "prefill" : "encoder";
  manifest.options = {{"mode", mode},
                      {"layer", std::to_string(layer)},
                      {"runs", std::to_string(o.runs)},
                      {"sparse_selection", decode ? o.policy : "none: decode only"}};
  RunFolder folder(o.output, o.force, manifest);

  cuda_ref::GpuFacts facts;
  std::vector<cuda_ref::Measured> all =
      cuda_ref::measure_baseline(input, facts, [](const std::string& what) { fmt::print(stderr, "{}\n", what); });
  for (auto& m : measure_sdpa(input, facts, folder.path())) all.push_back(std::move(m));

  for (const auto& [key, value] : Manifest::Pairs{{"gpu", facts.name},
                                                  {"driver", facts.driver},
                                                  {"cuda_runtime", facts.toolkit},
                                                  {"power_from", facts.power},
                                                  {"dram_bytes_from", "counted: operands and result once"},
                                                  {"peak_bytes_per_second", fmt::format("{:.4g}", facts.peak_bytes)},
                                                  {"peak_fp32_per_second", fmt::format("{:.4g}", facts.peak_fp32)},
                                                  {"peak_fp16_per_second", fmt::format("{:.4g}", facts.peak_fp16)}})
    manifest.machine.emplace_back(key, value);
  StatTree result("result");
  CsvFile samples(folder.path() + "/samples.csv", {"measurement", "run", "seconds"});
  folder.begin_layers({"measurement", "kernel", "dtype", "batch", "cache", "median_seconds", "trimmed_mean_seconds",
                       "joules", "mean_watts", "idle_watts", "sm_megahertz", "memory_megahertz"});
  std::vector<std::vector<std::string>> table = {{"kernel", "type", "batch", "L2", "median us", "mean us",
                                                  "roofline us", "of roofline", "mJ a run", "W", "idle W"}};
  for (const cuda_ref::Measured& m : all) {
    const cuda_ref::Summary s = cuda_ref::summarize(m.samples);
    const std::string name = name_of(m);
    StatTree& t = result.child(name);
    t.seconds("median", s.median), t.seconds("trimmed_mean", s.trimmed_mean);
    t.seconds("least", s.least), t.seconds("most", s.most), t.seconds("roofline", m.roofline_seconds);
    t.seconds("all_layers", s.median * meta.layers);
    t.ratio("of_roofline", m.roofline_seconds / s.median);
    t.bytes("dram", static_cast<std::uint64_t>(m.bytes));
    t.bytes_per_second("bandwidth", m.bytes / s.median);
    t.count("operations", static_cast<std::uint64_t>(m.operations));
    t.count("runs", m.samples.size()), t.count("outputs_compared", m.compared);
    t.ratio("largest_error", m.largest_error);
    if (m.watts > 0) t.joules("a_run", m.joules), t.seconds("power_window", m.window_seconds);
    for (std::size_t i = 0; i < m.samples.size(); ++i)
      samples.row({name, std::to_string(i), fmt::format("{:.9g}", m.samples[i])});
    folder.layer({name, m.kernel, m.dtype, std::to_string(m.batch), m.cache, fmt::format("{:.9g}", s.median),
                  fmt::format("{:.9g}", s.trimmed_mean), fmt::format("{:.6g}", m.joules),
                  fmt::format("{:.2f}", m.watts), fmt::format("{:.2f}", m.idle_watts), std::to_string(m.sm_megahertz),
                  std::to_string(m.memory_megahertz)});
    table.push_back(
        {m.kernel, m.dtype, std::to_string(m.batch), m.cache, fmt::format("{:.2f}", s.median * 1e6),
         fmt::format("{:.2f}", s.trimmed_mean * 1e6), fmt::format("{:.2f} ({})", m.roofline_seconds * 1e6, m.limit),
         fmt::format("{:.0f} %", 100 * m.roofline_seconds / s.median),
         m.watts > 0 ? fmt::format("{:.4f}", m.joules * 1e3) : "-", m.watts > 0 ? fmt::format("{:.0f}", m.watts) : "-",
         m.watts > 0 ? fmt::format("{:.0f}", m.idle_watts) : "-"});
  }
  manifest.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  folder.finish(manifest, result);
  fmt::print("{}, {} mode, layer {} of {}, {} heads over {} KV heads, {} queries, {} keys; power: {}\n\n{}", facts.name,
             mode, layer, meta.layers, input.heads, input.kv_heads, input.rows, input.keys, facts.power, align(table));
  fmt::print("results: {}\n", folder.path());
}

#else

void gpu_command(const GpuOptions&, const std::string&) {
  std::string why;
  cuda_ref::gpu_name(&why);
  throw Error("gpu: no GPU: " + why);
}

#endif

}  // namespace

void add_gpu_command(CLI::App& app, const std::string& command_line) {
  CLI::App* command = app.add_subcommand("gpu", "measure dense attention on the GPU at hand: time, energy, bytes");
  auto o = std::make_shared<GpuOptions>();
  command->add_option("TRACE", o->trace, "a .safetensors trace, or synthetic:...")->required();
  command->add_option("--policy", o->policy, "whose selection the gathered sparse peer takes (decode)")
      ->capture_default_str();
  command->add_option("--layer", o->layer, "which layer's attention (default: the middle one)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--batches", o->batches, "batch sizes (default: 1,16,64 in decode, else 1,8)")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096));
  command->add_option("--runs", o->runs, "samples a measurement")->check(CLI::Range(10, 100000))->capture_default_str();
  command->add_option("-o,--output", o->output, "folder for the results (default: results/gpu-TRACE)");
  command->add_flag("--force", o->force, "replace the run in that folder");
  command->footer(
      example("  winnow gpu traces/samples/smollm2-160.safetensors -o results/gpu-smollm2\n"
              "  winnow gpu synthetic:layers=1,heads=12,tokens=384 --batches 1,8"));
  command->callback([o, command_line] {
    if (o->output.empty())
      o->output = "results/gpu-" +
                  (o->trace.starts_with("synthetic:") ? "synthetic" : std::filesystem::path(o->trace).stem().string());
    gpu_command(*o, command_line);
  });
}

}  // namespace winnow
