// What `winnow gpu` stores, from invented measurements: no GPU is asked. And the same folder beside a machine's run.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "sim/commands/gpu_report.h"
#include "sim/results/compare.h"
#include "sim/results/files.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

namespace fs = std::filesystem;

cuda_ref::Measured measured(const std::string& kernel, const std::string& dtype, int batch, const std::string& cache,
                            double seconds) {
  cuda_ref::Measured m;
  m.kernel = kernel, m.dtype = dtype, m.batch = batch, m.cache = cache;
  m.sparse = kernel.starts_with("gathered"), m.naive = kernel.find("naive") != std::string::npos;
  m.bytes = 3e6 * batch, m.operations = 1e6 * batch, m.roofline_seconds = 1e-6 * batch, m.limit = "bandwidth";
  m.samples.assign(1000, seconds);
  m.sets = cache == "cold" ? 36 : 1;
  m.samples.front() = seconds * 9;  // dropped by the trimmed mean, kept in samples.csv
  m.watts = 400, m.idle_watts = 100, m.window_seconds = 2, m.joules = 300 * seconds;
  m.sm_megahertz = 1980, m.memory_megahertz = 2619, m.compared = 768, m.largest_error = 1e-3;
  return m;
}

cuda_ref::Baseline baseline() {
  cuda_ref::Baseline b;
  b.facts.name = "NVIDIA Invented", b.facts.driver = "1.2", b.facts.toolkit = "13.0", b.facts.power = "NVML";
  b.facts.cudnn = "9.19.0", b.facts.l2_bytes = 50000000, b.facts.peak_bytes = 3.35e12, b.facts.peak_fp32 = 6.7e13,
  b.facts.peak_fp16 = 9.9e14;
  for (const int batch : {1, 64}) {
    b.measured.push_back(measured("fused, cuDNN graph", "fp16", batch, "cold", 8e-6 * batch));
    b.measured.push_back(measured("fused, cuDNN graph", "fp16", batch, "warm", 2e-6 * batch));
    b.measured.push_back(measured("fused, PyTorch flash", "fp16", batch, "cold", 9e-6 * batch));
    b.measured.push_back(measured("naive unfused", "fp32", batch, "cold", 40e-6 * batch));
    b.measured.push_back(measured("gathered sparse, fused, cuDNN graph", "fp16", batch, "cold", 5e-6 * batch));
  }
  b.measured[0].dram_read = 3.1e6, b.measured[0].dram_write = 5e4;
  b.refused = {"fused, PyTorch cudnn bf16 batch 1: no kernel, says torch"};
  return b;
}

class GpuReport : public testing::Test {
 protected:
  void SetUp() override {
    root = fs::temp_directory_path() / ("winnow-gpu-report-" + std::to_string(::getpid()));
    fs::remove_all(root);
    fs::create_directories(root);
    Manifest m;
    m.version = "0", m.command = "winnow gpu t", m.engine = "gpu", m.trace = "x/t.safetensors", m.trace_sha256 = "ab";
    m.policy = {{"name", "dense"}};
    m.options = {{"mode", "decode"}, {"layer", "1"}};
    RunFolder folder(root / "gpu", false, m);
    table = write_gpu_results(folder, m, 4, baseline());

    // A machine's run: 8 layers counted of a whole run of twice the cycles.
    Manifest run = m;
    run.engine = "systemc", run.machine = {{"name", "spatten"}}, run.policy = {{"name", "select"}}, run.options = {};
    StatTree result("result");
    StatTree& s = result.part("summary", "summary");
    s.seconds("time_at_the_clock", "time at the clock", 32e-6), s.cycles("cycles_whole_run", "whole run", 32000);
    s.joules("dram_energy", "DRAM energy", 2e-3), s.count("layers_run", "layers run", 8);
    s.cycles("cycles", "cycles", 16000), s.bytes("dram_all_bursts", "DRAM all, in bursts", 8 * 640);
    RunFolder other(root / "run", false, run);
    other.finish(run, result);
  }
  void TearDown() override { fs::remove_all(root); }
  fs::path root;
  std::string table;
};

std::size_t lines(const fs::path& file) {
  std::ifstream in(file);
  std::size_t n = 0;
  for (std::string line; std::getline(in, line);) ++n;
  return n;
}

TEST_F(GpuReport, KeepsEveryFigure) {
  const StoredRun run = load_run(root / "gpu");
  const StatTree* s = run.result.find("summary");
  ASSERT_NE(s, nullptr);
  const auto value = [](const StatTree& t, const std::string& name) {
    for (const Statistic& one : t.statistics())
      if (one.label == name) return one.number();
    ADD_FAILURE() << name << ": not there";
    return 0.0;
  };
  EXPECT_DOUBLE_EQ(value(*s, "time a layer"), 8e-6);  // the fastest dense with L2 cold, batch 1
  EXPECT_EQ(value(*s, "DRAM bytes a layer"), 3000000);
  EXPECT_EQ(value(*s, "DRAM bytes a layer, by Nsight Compute"), 3150000);
  EXPECT_DOUBLE_EQ(value(*s, "energy a layer, GPU over idle"), 300 * 8e-6);
  EXPECT_DOUBLE_EQ(value(*s, "time a layer, chosen tokens"), 5e-6);
  EXPECT_DOUBLE_EQ(value(*s, "time a layer, naive fp32"), 40e-6);
  EXPECT_DOUBLE_EQ(value(*s, "time a layer and sequence, batch 64"), 8e-6);
  EXPECT_EQ(run.setting("machine.name"), "NVIDIA Invented");
  EXPECT_EQ(run.setting("machine.cudnn"), "9.19.0");
  EXPECT_EQ(run.setting("options.fastest_dense"), "fused, cuDNN graph, fp16");
  const StatTree* one = run.result.find("fused_cudnn_graph_fp16_batch_1_cold");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(value(*one, "dram_counted"), 3000000);
  EXPECT_EQ(value(*one, "dram_measured_read"), 3100000);
  EXPECT_EQ(value(*one, "dram_measured_write"), 50000);
  EXPECT_NEAR(value(*one, "trimmed_mean"), 8e-6, 1e-15);
  EXPECT_DOUBLE_EQ(value(*one, "all_layers"), 32e-6);
  EXPECT_EQ(value(*one, "runs"), 1000);
  EXPECT_EQ(value(*one, "buffer_sets"), 36);
  EXPECT_DOUBLE_EQ(value(*one, "footprint_of_l2"), 36 * 3e6 / 5e7);
  EXPECT_EQ(run.setting("machine.l2_bytes"), "50000000");
  EXPECT_NE(read_whole(root / "gpu" / "layers.csv").find(",36,2.16\n"), std::string::npos);
  EXPECT_EQ(lines(root / "gpu" / "samples.csv"), 10001u);
  EXPECT_EQ(lines(root / "gpu" / "layers.csv"), 11u);
  EXPECT_NE(table.find("3.150"), std::string::npos) << table;
  EXPECT_NE(read_whole(root / "gpu" / "manifest.json").find("no kernel, says torch"), std::string::npos);
  std::printf("[ compared ] 24 values\n");
}

// Stored while PyTorch is still to come, then again: each time whole, and marked.
TEST_F(GpuReport, IsThereBeforeTheLastMeasurement) {
  const fs::path at = root / "early";
  const auto manifest = [&] { return nlohmann::json::parse(read_whole(at / "manifest.json")); };
  Manifest m;
  m.engine = "gpu", m.policy = {{"name", "dense"}};
  RunFolder folder(at, false, m);
  cuda_ref::Baseline b = baseline();
  const cuda_ref::Baseline all = b;
  b.measured.resize(3);
  write_gpu_results(folder, m, 4, b, {"nsight_compute", "pytorch"});
  EXPECT_EQ(lines(at / "layers.csv"), 4u);
  EXPECT_EQ(lines(at / "samples.csv"), 3001u);
  EXPECT_NE(load_run(at).result.find("fused_pytorch_flash_fp16_batch_1_cold"), nullptr);
  EXPECT_EQ(manifest().at("finished"), false);
  EXPECT_EQ(manifest().at("options").at("pytorch"), "not finished");
  EXPECT_EQ(manifest().at("options").at("nsight_compute"), "not finished");

  write_gpu_results(folder, m, 4, all);
  EXPECT_EQ(lines(at / "layers.csv"), 11u);
  EXPECT_EQ(lines(at / "samples.csv"), 10001u);
  EXPECT_EQ(manifest().at("finished"), true);
  EXPECT_FALSE(manifest().at("options").contains("pytorch"));
  // As if it had been stored once, but for the command and the trace; and no remains.
  EXPECT_EQ(read_whole(at / "layers.csv"), read_whole(root / "gpu" / "layers.csv"));
  EXPECT_EQ(read_whole(at / "result.json"), read_whole(root / "gpu" / "result.json"));
  EXPECT_EQ(std::distance(fs::directory_iterator(at), fs::directory_iterator()), 4);
  std::printf("[ compared ] 13 values\n");
}

TEST_F(GpuReport, StandsBesideAMachinesRun) {
  const std::vector<StoredRun> runs = {load_run(root / "run"), load_run(root / "gpu")};
  const std::string text = side_by_side(runs, false);
  const auto row = [&](const std::string& name) {
    const std::size_t at = text.find("\n" + name + "  ");
    if (at == std::string::npos) return "no row " + name + " in\n" + text;
    std::string words;
    for (const char c : text.substr(at + 1 + name.size(), text.find('\n', at + 1) - at - 1 - name.size()))
      if (c != ' ' || (!words.empty() && words.back() != ' ')) words += c;
    return words;
  };
  EXPECT_EQ(row("machine"), "spatten NVIDIA Invented");
  EXPECT_EQ(row("policy"), "select dense");
  EXPECT_NE(findings(runs).find("gpu: measured on a GPU; its fastest dense kernel is fused, cuDNN graph, fp16."),
            std::string::npos);
  EXPECT_EQ(row("clock cycles"), "16,000 -");
  EXPECT_EQ(row("time a layer"), "2 us 8 us");
  EXPECT_EQ(row("DRAM bytes a layer"), "640 B 3 MB");
  EXPECT_EQ(row("energy a layer, GPU over idle"), "- 2.4 mJ");
  for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_EQ(text.find("energy a layer, DRAM only"), std::string::npos);  // the run's energy is of twice the cycles
  // Without a GPU among them, runs look as they did.
  EXPECT_EQ(side_by_side({runs[0]}, false).find("a layer"), std::string::npos);
  EXPECT_NE(side_by_side(runs, true).find("naive_unfused_fp32_batch_64_cold.median"), std::string::npos);
  const std::string changes = difference(runs[0], runs[1]);
  EXPECT_NE(changes.find("engine"), std::string::npos) << changes;
  EXPECT_NE(changes.find("summary.time a layer"), std::string::npos) << changes;
  std::printf("[ compared ] 11 values\n");
}

TEST(ExitCode, AnOutputThatIsOffIsADifferenceARefusalIsNot) {
  cuda_ref::Baseline b = baseline();
  ASSERT_FALSE(b.refused.empty());
  EXPECT_EQ(exit_code(b), 0);
  b.wrong = {"naive unfused fp16 batch 1: output is off by 0.5 of the largest value"};
  EXPECT_EQ(exit_code(b), 1);
  std::printf("[ compared ] 2 values\n");
}

// The results that this repository keeps can be read by the winnow beside them.
TEST(Stored, EveryResultHasThisVersion) {
  int figures = 0;
  for (const auto& entry : fs::recursive_directory_iterator(WINNOW_SOURCE_DIR "/cuda_ref/results")) {
    if (entry.path().filename() != "result.json") continue;
    const std::string text = read_whole(entry.path());
    StatTree tree("result");
    ASSERT_NO_THROW(tree = from_json(entry.path(), text));
    EXPECT_EQ(to_json(tree), text) << entry.path();
    ASSERT_NE(tree.find("summary"), nullptr);
    EXPECT_GT(tree.find("summary")->statistic("time_a_layer")->number(), 0);
    figures += static_cast<int>(tree.find("summary")->statistics().size());
  }
  EXPECT_GE(figures, 10);
  std::printf("[ compared ] %d values\n", figures);
}

// What the paper reports about its GPU: marked so, every figure with its unit.
TEST(Reported, EveryFigureHasAValueAndAUnit) {
  const auto json = nlohmann::json::parse(read_whole(WINNOW_SOURCE_DIR "/cuda_ref/results/titan-xp-reported.json"));
  EXPECT_EQ(json.at("status").get<std::string>().find("reported, not measured"), 0u);
  EXPECT_FALSE(json.at("source").get<std::string>().empty());
  int figures = 0;
  const std::function<void(const std::string&, const nlohmann::json&)> visit = [&](const std::string& path,
                                                                                   const nlohmann::json& node) {
    if (node.is_number()) ADD_FAILURE() << path << ": a number without a unit";
    if (!node.is_object()) return;
    if (node.contains("value")) {
      EXPECT_TRUE(node.at("value").is_number()) << path;
      EXPECT_NO_THROW(unit_of(node.at("unit").get<std::string>())) << path;
      ++figures;
      return;
    }
    for (const auto& [key, child] : node.items()) visit(path + "." + key, child);
  };
  visit("", json);
  EXPECT_GE(figures, 10);
  std::printf("[ compared ] %d values\n", figures);
}

}  // namespace
}  // namespace winnow
