#include "sim/commands/gpu.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cuda_ref/baseline/baseline.h"
#include "cuda_ref/baseline/ncu.h"
#include "cuda_ref/baseline/work.h"
#include "cuda_ref/walk.h"
#include "golden/error.h"
#include "sim/commands/commands.h"
#include "sim/commands/gpu_report.h"
#include "sim/config/policy_schema.h"
#include "sim/engines/prepare.h"
#include "sim/results/files.h"
#include "sim/results/run_folder.h"
#include "traces/trace.h"
#include "traces/workload.h"
#include "winnow_version.h"

extern char** environ;

namespace winnow {
namespace {

struct GpuOptions {
  std::string trace, policy = "select", output;
  std::string marked;  // hidden: only launch each kernel between marks, and write their names there
  int layer = -1, runs = 1000, torch_seconds = 600;
  std::vector<int> batches;
  bool force = false, probe = false;  // probe, hidden: stop after input and GPU were looked at
};

// The input comes first: what is wrong with it is said where there is no GPU, too. Fills the layer.
Trace checked_input(GpuOptions& o) {
  if (is_workload(o.trace))
    throw Error(
        fmt::format("gpu: {}: holds shapes without values: must be a .safetensors trace, or synthetic:...", o.trace));
  Trace trace = Trace::open(o.trace);
  const int layers = trace.meta().layers;
  if (o.layer < 0) o.layer = layers / 2;
  if (o.layer >= layers) throw Error(fmt::format("--layer: {}: the trace has layers 0-{}", o.layer, layers - 1));
  load_policy(o.policy);
  std::string why;
  if (cuda_ref::gpu_name(&why).empty()) throw Error("gpu: no GPU: " + why);
  return trace;
}

#ifdef WINNOW_CUDA

// The layer's values; in decode the last position's query alone, and the tokens whose V the policy fetched for it.
cuda_ref::BaselineInput layer_input(const Trace& trace, const GpuOptions& o, int layer) {
  const TraceMeta& m = trace.meta();
  const bool decode = m.generated() > 0;
  const auto D = static_cast<std::size_t>(m.head_dim), n = static_cast<std::size_t>(m.tokens);
  cuda_ref::BaselineInput in;
  in.heads = m.heads, in.kv_heads = m.kv_heads, in.head_dim = m.head_dim, in.keys = m.tokens;
  in.rows = decode ? 1 : m.tokens, in.first = decode ? m.tokens - 1 : 0;
  in.causal = m.causal, in.scale = m.attention_scale;
  const golden::FloatSource source = float_source(trace);
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

  const golden::Policy policy = load_policy(o.policy);
  const golden::Layout layout(source.shape, policy, 1024);
  const auto walk = model->walk(policy, layout);
  golden::LayerResult r;
  while (walk->next(r))
    if (r.step == source.shape.steps() - 1 && r.layer == layer) break;
  for (int kv = 0; kv < m.kv_heads; ++kv) {
    in.chosen.push_back({static_cast<std::uint32_t>(in.first)});  // a KV head without live query heads: its own token
    for (const auto& row : r.rows)
      if (row.kv_head == kv && !row.row.values.empty()) {
        in.chosen.back().clear();
        for (const std::uint32_t slot : row.row.values)
          in.chosen.back().push_back(r.live[static_cast<std::size_t>(kv)][slot]);
      }
  }
  return in;
}

// Runs a program found on PATH, at most so long; its exit status, or -1. In this program's process group: what stops
// this program from outside stops that one too. `printed`: a file for its standard output; empty: this program's.
int run_program(std::vector<std::string> words, int most_seconds, const std::string& printed = "") {
  words.insert(words.begin(), {"timeout", "--foreground", "-k", "5", std::to_string(most_seconds)});
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (!printed.empty())
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, printed.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t child = 0;
  int status = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) return -1;
  if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

// PyTorch's fused kernels, measured by the same method. Where torch or its CUDA is not there, a line says why.
void measure_sdpa(const cuda_ref::BaselineInput& in, int most_seconds, const std::string& folder,
                  cuda_ref::Baseline& baseline) {
  std::string script = WINNOW_SOURCE_DIR "/cuda_ref/baseline/sdpa.py";
  // A build that was carried to another machine runs from a checkout there.
  if (!std::filesystem::exists(script)) script = "cuda_ref/baseline/sdpa.py";
  const std::string file = folder + "/sdpa.json", chosen = folder + "/chosen.json";
  write_whole(chosen, nlohmann::json{{"lists", in.chosen}}.dump());
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
                                    "--l2-bytes", std::to_string(baseline.facts.l2_bytes),
                                    "--seconds",  std::to_string(most_seconds),
                                    "--chosen",   chosen,
                                    "-o",         file};
  if (in.causal && in.rows > 1) words.push_back("--causal");
  std::filesystem::remove(file);
  const int status = run_program(words, most_seconds + 30);
  if (!std::filesystem::exists(file)) {
    baseline.refused.push_back(fmt::format("fused, PyTorch: sdpa.py ended with {}: see what it printed", status));
    return;
  }
  const auto json = nlohmann::json::parse(read_whole(file));
  for (const auto& one : json.at("measured")) {
    cuda_ref::Measured m;
    m.kernel = one.at("kernel"), m.dtype = one.at("dtype"), m.cache = one.at("cache"), m.batch = one.at("batch");
    m.sparse = one.at("sparse"), m.sets = one.at("sets");
    m.samples = one.at("samples").get<std::vector<double>>();
    m.watts = one.at("watts"), m.idle_watts = one.at("idle_watts"), m.window_seconds = one.at("window_seconds");
    m.joules = one.at("joules"), m.sm_megahertz = one.at("sm_megahertz");
    m.memory_megahertz = one.at("memory_megahertz");
    m.compared = one.at("compared"), m.largest_error = one.at("error");
    cuda_ref::count_work(in, baseline.facts, m);
    baseline.measured.push_back(std::move(m));
  }
  for (const auto& line : json.at("refused")) baseline.refused.push_back(line.get<std::string>());
  for (const auto& line : json.at("wrong")) baseline.wrong.push_back(line.get<std::string>());
  std::filesystem::remove(file);
}

std::string find_ncu() {
  std::vector<std::filesystem::path> folders;
  std::stringstream path(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(path, folder, ':');) folders.emplace_back(folder);
  folders.emplace_back("/usr/local/cuda/bin");
  std::error_code none;
  for (const auto& version : std::filesystem::directory_iterator("/opt/nvidia/nsight-compute", none))
    folders.push_back(version.path());
  for (const auto& folder : folders)
    if (::access((folder / "ncu").c_str(), X_OK) == 0) return folder / "ncu";
  return {};
}

// DRAM bytes of this program's kernels: it runs again under Nsight Compute. PyTorch's stay counted only.
void measure_dram(const GpuOptions& o, const cuda_ref::BaselineInput& in, const std::string& folder,
                  cuda_ref::Baseline& baseline) {
  const auto refuse = [&](const std::string& why) { baseline.refused.push_back("DRAM bytes: " + why); };
  const std::string ncu = find_ncu(), log = folder + "/ncu.csv", printed = folder + "/ncu.txt";
  if (ncu.empty()) return refuse("ncu is not there: counted only");
  std::vector<std::string> words = {ncu};
  for (std::string& w : cuda_ref::ncu_arguments(log)) words.push_back(w);
  std::string batches;
  for (const int b : in.batches) batches += (batches.empty() ? "" : ",") + std::to_string(b);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe"), names = folder + "/ncu-kernels.txt";
  for (const std::string& w :
       {self, std::string("gpu"), o.trace, std::string("--policy"), o.policy, std::string("--layer"),
        std::to_string(o.layer), std::string("--batches"), batches, std::string("--launch-marked"), names})
    words.push_back(w);
  std::filesystem::remove(log);
  const int status = run_program(words, 45, printed);
  try {
    // The table goes to the log; what stops ncu before it has one goes to its standard output.
    std::string text = std::filesystem::exists(log) ? read_whole(log) : "";
    if (text.find("\"ID\"") == std::string::npos && std::filesystem::exists(printed)) text += read_whole(printed);
    if (text.empty()) return refuse(fmt::format("ncu ended with {}: counted only", status));
    const std::vector<cuda_ref::NcuBytes> bytes = cuda_ref::parse_ncu(text);
    std::istringstream lines(read_whole(names));
    std::size_t i = 0, known = 0;
    for (std::string name; std::getline(lines, name); ++i)
      for (cuda_ref::Measured& m : baseline.measured) {
        if (m.cache != "cold" || fmt::format("{} {} batch {}", m.kernel, m.dtype, m.batch) != name) continue;
        if (i >= bytes.size() || bytes[i].runs == 0) continue;
        m.dram_read = bytes[i].read / bytes[i].runs, m.dram_write = bytes[i].write / bytes[i].runs;
        ++known;
      }
    if (i != bytes.size()) refuse(fmt::format("ncu saw {} of {} kernels", bytes.size(), i));
    if (known == 0) refuse("ncu saw no kernel that was measured");
  } catch (const std::exception& e) {
    refuse(std::string(e.what()) + ": counted only");
  }
}

int gpu_command(const GpuOptions& o, const Trace& trace, const std::string& command_line) {
  const auto start = std::chrono::steady_clock::now();
  const TraceMeta& meta = trace.meta();
  const cuda_ref::BaselineInput input = layer_input(trace, o, o.layer);
  const bool decode = input.rows == 1;
  if (!o.marked.empty()) {
    std::string names;
    for (const std::string& name : cuda_ref::launch_marked(input)) names += name + "\n";
    write_whole(o.marked, names);
    return 0;
  }

  Manifest manifest;
  manifest.version = WINNOW_VERSION, manifest.command = command_line, manifest.engine = "gpu";
  manifest.trace = o.trace, manifest.trace_sha256 = trace.sha256(), manifest.date = utc_now();
  const std::string mode = decode ? "decode" : meta.causal ? "prefill" : "encoder";
  manifest.policy = {{"name", "dense"}};
  manifest.options = {{"mode", mode},
                      {"layer", std::to_string(o.layer)},
                      {"runs", std::to_string(o.runs)},
                      {"sparse_selection", decode ? o.policy : "none: decode only"}};
  RunFolder folder(o.output, o.force, manifest);

  cuda_ref::Baseline baseline =
      cuda_ref::measure_baseline(input, [](const std::string& what) { fmt::print(stderr, "{}\n", what); });
  // What is measured is stored before other programs, which may take long or be stopped, measure theirs.
  write_gpu_results(folder, manifest, meta.layers, baseline, {"nsight_compute", "pytorch"});
  measure_dram(o, input, folder.path(), baseline);
  write_gpu_results(folder, manifest, meta.layers, baseline, {"pytorch"});
  measure_sdpa(input, o.torch_seconds, folder.path(), baseline);
  manifest.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::string table = write_gpu_results(folder, manifest, meta.layers, baseline);
  fmt::print("{}, {} mode, layer {} of {}, {} heads over {} KV heads, {} queries, {} keys; power: {}; cuDNN: {}\n",
             baseline.facts.name, mode, o.layer, meta.layers, input.heads, input.kv_heads, input.rows, input.keys,
             baseline.facts.power, baseline.facts.cudnn);
  if (decode) {
    std::string counts;
    for (const auto& list : input.chosen) counts += (counts.empty() ? "" : ", ") + std::to_string(list.size());
    fmt::print("gathered sparse: tokens that {} chose, a KV head: {}; gathering them is in the time\n", o.policy,
               counts);
  }
  fmt::print("\n{}", table);
  for (const std::string& line : baseline.refused) fmt::print("not measured: {}\n", line);
  for (const std::string& line : baseline.wrong) fmt::print("WRONG: {}\n", line);
  fmt::print("results: {}\n", folder.path());
  return exit_code(baseline);
}

#else

int gpu_command(const GpuOptions&, const Trace&, const std::string&) { return 0; }  // no GPU was found before

#endif

}  // namespace

void add_gpu_command(CLI::App& app, const std::string& command_line, int& exit_code) {
  CLI::App* command = app.add_subcommand("gpu", "measure attention on the GPU at hand: time, energy, bytes");
  auto o = std::make_shared<GpuOptions>();
  command->add_option("TRACE", o->trace, "a .safetensors trace, or synthetic:...")->required();
  command
      ->add_option("--policy", o->policy,
                   "whose selection the gathered sparse peer takes (decode): a name or a .yaml file")
      ->capture_default_str();
  command->add_option("--layer", o->layer, "which layer's attention (default: the middle one)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--batches", o->batches, "batch sizes (default: 1,16,64 in decode, else 1,8)")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096));
  command->add_option("--runs", o->runs, "samples a measurement")->check(CLI::Range(10, 100000))->capture_default_str();
  command->add_option("--torch-seconds", o->torch_seconds, "begin no measurement of PyTorch's kernels after that")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("-o,--output", o->output, "folder for the results (default: results/gpu-TRACE)");
  command->add_flag("--force", o->force, "replace the run in that folder");
  command->add_option("--launch-marked", o->marked)->group("");  // for Nsight Compute, which measure_dram starts
  command->add_flag("--probe", o->probe)->group("");             // for scripts/gpu_check
  command->footer(
      example("  winnow gpu traces/samples/smollm2-160.safetensors -o results/gpu-smollm2\n"
              "  winnow gpu synthetic:layers=1,heads=12,tokens=384 --batches 1,8"));
  command->callback([o, command_line, &exit_code] {
    const Trace trace = checked_input(*o);
    if (o->probe) return fmt::print("{}\n", cuda_ref::gpu_name());
    if (o->output.empty())
      o->output = "results/gpu-" +
                  (o->trace.starts_with("synthetic:") ? "synthetic" : std::filesystem::path(o->trace).stem().string());
    exit_code = gpu_command(*o, trace, command_line);
  });
}

}  // namespace winnow
