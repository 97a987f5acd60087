#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "sim/commands/commands.h"
#include "sim/results/writers.h"
#include "traces/trace.h"
#include "traces/workload.h"

namespace winnow {
namespace {

std::string bytes_text(std::uint64_t bytes) { return show({"", "", Unit::bytes, bytes}); }

// Largest magnitude, which a linear symmetric scale maps to the largest code, and root mean square.
struct Scale {
  double largest = 0, rms = 0;
};

Scale scale_of(const Trace& trace, TraceTensor which, int layer, int head, std::vector<float>& rows) {
  trace.read(which, layer, head, rows.data());
  Scale scale;
  for (const float x : rows) {
    scale.largest = std::max(scale.largest, static_cast<double>(std::abs(x)));
    scale.rms += static_cast<double>(x) * x;
  }
  scale.rms = std::sqrt(scale.rms / static_cast<double>(rows.size()));
  return scale;
}

void info_trace(const std::string& path) {
  const Trace trace = Trace::open(path);
  const TraceMeta& meta = trace.meta();
  const char* mode = !meta.causal ? "encoder" : meta.generated() > 0 ? "prefill and decode" : "prefill";
  fmt::print(
      "trace            {}\nmodel            {}\nlicence          {}\nsource           {}\nwritten by       {}\n",
      trace.name(), meta.model, meta.licence, meta.source, meta.tool);
  fmt::print(
      "mode             {}\nlayers           {}\nquery heads      {}\nKV heads         {}\nhead dimension   {}\n", mode,
      meta.layers, meta.heads, meta.kv_heads, meta.head_dim);
  fmt::print("tokens           {} ({} prompt, {} generated)\nattention scale  {}\n", meta.tokens, meta.prompt,
             meta.generated(), meta.attention_scale);
  const auto vectors = static_cast<std::uint64_t>(meta.tokens) * static_cast<std::uint64_t>(meta.layers);
  const std::uint64_t row =
      static_cast<std::uint64_t>(meta.head_dim) * static_cast<std::uint64_t>(bytes_of(trace.dtype()));
  fmt::print("values           {}\nsize             {}\n", name_of(trace.dtype()), bytes_text(trace.bytes()));
  fmt::print("  queries        {}\n  keys           {}\n  values         {}\n",
             bytes_text(vectors * row * static_cast<std::uint64_t>(meta.heads)),
             bytes_text(vectors * row * static_cast<std::uint64_t>(meta.kv_heads)),
             bytes_text(vectors * row * static_cast<std::uint64_t>(meta.kv_heads)));
  fmt::print("sha256           {}\n\n", trace.sha256());

  std::vector<std::vector<std::string>> table{
      {"layer", "head", "KV head", "max|q|", "rms q", "max|k|", "rms k", "max|v|", "rms v"}};
  std::vector<float> rows(static_cast<std::size_t>(meta.tokens) * static_cast<std::size_t>(meta.head_dim));
  for (int layer = 0; layer < meta.layers; ++layer) {
    Scale k, v;
    for (int head = 0; head < meta.heads; ++head) {
      const int kv_head = head / meta.group();
      if (head % meta.group() == 0) {
        k = scale_of(trace, TraceTensor::k, layer, kv_head, rows);
        v = scale_of(trace, TraceTensor::v, layer, kv_head, rows);
      }
      const Scale q = scale_of(trace, TraceTensor::q, layer, head, rows);
      std::vector<std::string>& line = table.emplace_back();
      line = {std::to_string(layer), std::to_string(head), std::to_string(kv_head)};
      for (const Scale& scale : {q, k, v}) {
        line.push_back(fmt::format("{:.4g}", scale.largest));
        line.push_back(fmt::format("{:.4g}", scale.rms));
      }
    }
  }
  fmt::print("{}", align(table));
}

void info_workload(const std::string& path) {
  const Workload workload = read_workload(path);
  const WorkloadBytes bytes = total_bytes(workload);
  std::size_t refetched = 0;
  for (const WorkloadRow& row : workload.rows) refetched += row.refetch;
  fmt::print(
      "workload         {}\nform             {}\nnote             {}\nrows             {}\nsteps            {}\n"
      "layers           {}\n",
      workload.name, workload.encoder ? "encoder" : "decode", workload.note.empty() ? "-" : workload.note,
      workload.rows.size(), workload.steps, workload.layers);
  fmt::print("heads            {}\nhead dimension   {}\nlongest          {} tokens\nrefetch          {} rows\n",
             workload.heads, workload.head_dim, workload.longest, refetched);
  fmt::print("query bytes      {}\nkey bytes        {} + {} refetched\nvalue bytes      {}\nK and V bytes    {}\n",
             bytes_text(bytes.query), bytes_text(bytes.key), bytes_text(bytes.key_refetch), bytes_text(bytes.value),
             bytes_text(bytes.keys_and_values()));
  for (const auto& [name, bits] : {std::pair{"FP32", 32}, {"FP16", 16}, {"12 bit", 12}}) {
    const std::uint64_t dense = dense_bytes(workload, bits);
    fmt::print("dense {:<10} {} ({:.2f} times as many)\n", name, bytes_text(dense),
               static_cast<double>(dense) / static_cast<double>(std::max<std::uint64_t>(1, bytes.keys_and_values())));
  }
}

}  // namespace

void add_info_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("info", "what a trace or a workload holds: shape, model, licence, sizes, scales");
  auto path = std::make_shared<std::string>();
  command->add_option("TRACE", *path, "a .safetensors trace, a .csv workload, or synthetic:...")->required();
  command->footer(
      example("  winnow info traces/samples/minilm-128.safetensors\n"
              "  winnow info synthetic:layers=2,heads=12,head_dim=64,tokens=384"));
  command->callback([path] { is_workload(*path) ? info_workload(*path) : info_trace(*path); });
}

}  // namespace winnow
