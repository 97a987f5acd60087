#include "cuda_ref/baseline/baseline.h"

#include <cuda_profiler_api.h>
#include <cuda_runtime.h>

#include <chrono>
#include <cmath>

#include "cuda_ref/baseline/candidates.cuh"
#include "cuda_ref/baseline/expected.h"
#include "cuda_ref/baseline/nvml.h"
#include "cuda_ref/baseline/samples.h"
#include "cuda_ref/baseline/work.h"

namespace winnow::cuda_ref {
namespace {

using namespace gpu_backend;
using Clock = std::chrono::steady_clock;
using OnStart = std::function<void(const std::string&)>;

// Nothing: parts the kernels of one run from the next's in a profiler's list (ncu.h).
__global__ void measurement_mark() {}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

int attribute(cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, 0), "device attributes");
  return value;
}

GpuFacts facts_of_device(const Nvml& nvml) {
  GpuFacts f;
  cudaDeviceProp p{};
  check(cudaGetDeviceProperties(&p, 0), "device properties");
  f.name = p.name, f.processors = p.multiProcessorCount, f.compute = p.major * 10 + p.minor;
  f.l2_bytes = static_cast<std::uint64_t>(p.l2CacheSize);
  f.driver = nvml.driver();
  f.power = nvml.available() ? "NVML" : nvml.why_not();
  std::string why;
  f.cudnn = cudnn_version(why);
  if (f.cudnn.empty()) f.cudnn = "not used: " + why;
  int runtime = 0;
  check(cudaRuntimeGetVersion(&runtime), "runtime version");
  f.toolkit = std::to_string(runtime / 1000) + "." + std::to_string(runtime % 1000 / 10);
  f.peak_bytes = 2e3 * attribute(cudaDevAttrMemoryClockRate) * attribute(cudaDevAttrGlobalMemoryBusWidth) / 8;
  const double hertz = 1e3 * attribute(cudaDevAttrClockRate);
  // Dense FP16 operations a clock and multiprocessor on tensor cores; FP32 on 128 lanes (64 on 8.0 and before).
  const double tensor = f.compute >= 90 ? 4096 : f.compute == 80 ? 2048 : 1024;
  f.peak_fp16 = tensor * f.processors * hertz;
  f.peak_fp32 = (f.compute <= 80 ? 128.0 : 256.0) * f.processors * hertz;
  return f;
}

struct Stream {
  cudaStream_t s = nullptr;
  Stream() { check(cudaStreamCreate(&s), "stream"); }
  ~Stream() { cudaStreamDestroy(s); }
};
struct Event {
  cudaEvent_t e = nullptr;
  Event() { check(cudaEventCreate(&e), "event"); }
  ~Event() { cudaEventDestroy(e); }
};
// Graphs of launches back to back: with L2 cold on all sets, one after the other; else one graph, on set 0.
struct Graphs {
  std::vector<cudaGraphExec_t> execs;
  int launches = 0;  // in each
  std::size_t next = 0;
  ~Graphs() {
    for (cudaGraphExec_t exec : execs) cudaGraphExecDestroy(exec);
  }
  // The next one, round and round.
  void launch(const Stream& stream, const char* what) {
    check(cudaGraphLaunch(execs[next], stream.s), what);
    next = (next + 1) % execs.size();
  }
};

cudaGraphExec_t capture(const Candidate& c, int first, int launches, bool cold, const Stream& stream) {
  cudaGraph_t g = nullptr;
  check(cudaStreamBeginCapture(stream.s, cudaStreamCaptureModeThreadLocal), "capture");
  try {
    for (int i = 0; i < launches; ++i) c.run(cold ? first + i : 0, stream.s);
  } catch (...) {
    cudaStreamEndCapture(stream.s, &g);
    if (g) cudaGraphDestroy(g);
    cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream.s, &g), "end of capture");
  cudaGraphExec_t exec = nullptr;
  const cudaError_t made = cudaGraphInstantiate(&exec, g, 0);
  cudaGraphDestroy(g);
  check(made, "graph");
  return exec;
}

void capture_all(const Candidate& c, bool cold, const Stream& stream, Graphs& graphs) {
  graphs.launches = cold ? c.rotation.launches : std::min(c.rotation.sets, 20);
  for (int i = 0; i < (cold ? c.rotation.graphs : 1); ++i)
    graphs.execs.push_back(capture(c, i * graphs.launches, graphs.launches, cold, stream));
}

// Power while `work` runs for the window, or while nothing does. The device's energy counter where it has one.
struct Window {
  double watts = 0, seconds = 0;
  std::uint64_t rounds = 0;
};
template <class Work>
Window power_window(const Nvml& nvml, double least, Work work) {
  Window w;
  const double joules = nvml.joules();
  const auto start = Clock::now();
  double sum = 0, readings = 0;
  do {
    work();
    ++w.rounds;
    sum += nvml.watts(), readings += 1;
    w.seconds = seconds_since(start);
  } while (w.seconds < least);
  const double used = nvml.joules() - joules;
  w.watts = used > 0 ? used / w.seconds : sum / readings;
  return w;
}

float rounded_to(const std::string& dtype, float x) {
  if (dtype == "fp32") return x;
  if (dtype == "fp16") return __half2float(__float2half_rn(x));
  Brain b;
  store(&b, x);
  return to_float(b);
}

// Runs set 0 and holds its output against float64 over operands rounded alike; in FP32 against the trace's float
// reference, every value. Returns what is wrong, or nothing.
std::string verify(const BaselineInput& in, const Candidate& c, const Stream& stream, Measured& m) {
  c.run(0, stream.s);
  check(cudaStreamSynchronize(stream.s), m.kernel.c_str());
  const std::vector<float> got = c.output();
  Expected want;
  if (m.dtype == "fp32" && !m.sparse) {
    for (int i = 0; i < in.rows; ++i) want.rows.push_back(i);
    want.values.assign(in.expected.begin(), in.expected.end());
    for (const double x : want.values) want.largest = std::max(want.largest, std::fabs(x));
  } else {
    want = expected_output(in, m.sparse, [&](float x) { return rounded_to(m.dtype, x); });
  }
  m.largest_error = largest_error(in, want, got, m.batch, m.compared);
  const double limit = tolerance(m.dtype, m.naive, want.largest_score);
  if (m.largest_error <= limit) return {};
  return m.kernel + " " + m.dtype + " batch " + std::to_string(m.batch) + ": output is off by " +
         std::to_string(m.largest_error) + " of the largest value: must be within " + std::to_string(limit);
}

// Method: see baseline.h.
void time_and_power(const BaselineInput& in, const Candidate& c, const Stream& stream, const Nvml& nvml, double idle,
                    Measured& m) {
  Graphs graph;
  capture_all(c, m.cache == "cold", stream, graph);
  m.sets = m.cache == "cold" ? c.rotation.sets : 1;
  const auto launch = [&] { graph.launch(stream, m.kernel.c_str()); };
  Event start, stop;
  // Each graph once at the least: its first launch also brings it onto the device.
  for (int i = 0; i < std::max(in.runs / 10 + 1, static_cast<int>(graph.execs.size())); ++i) launch();
  check(cudaStreamSynchronize(stream.s), "warm-up");
  for (int i = 0; i < in.runs; ++i) {
    check(cudaEventRecord(start.e, stream.s), "event");
    launch();
    check(cudaEventRecord(stop.e, stream.s), "event");
    check(cudaEventSynchronize(stop.e), m.kernel.c_str());
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, start.e, stop.e), "time");
    m.samples.push_back(milliseconds * 1e-3 / graph.launches);
  }
  if (!nvml.available()) return;
  const int burst = std::max(1, static_cast<int>(0.02 / (summarize(m.samples).median * graph.launches)));
  const Window w = power_window(nvml, in.energy_seconds, [&] {
    for (int i = 0; i < burst; ++i) launch();
    check(cudaStreamSynchronize(stream.s), m.kernel.c_str());
    m.sm_megahertz = nvml.sm_megahertz(), m.memory_megahertz = nvml.memory_megahertz();
  });
  const double runs = static_cast<double>(w.rounds) * burst * graph.launches;
  m.watts = w.watts, m.idle_watts = idle, m.window_seconds = w.seconds;
  m.joules = std::max(0.0, (w.watts - idle) * w.seconds / runs);
}

std::string name_of(const Entry& e) { return e.kernel + " " + e.dtype + " batch " + std::to_string(e.batch); }

}  // namespace

Baseline measure_baseline(const BaselineInput& input, const OnStart& on_start) {
  char bus[32] = "";
  check(cudaDeviceGetPCIBusId(bus, sizeof bus, 0), "bus id");
  const Nvml nvml(bus);
  Baseline b;
  b.facts = facts_of_device(nvml);
  on_start("idle power");
  double idle = 0;
  if (nvml.available())
    idle = power_window(nvml, input.energy_seconds, [] {
             const auto start = Clock::now();
             while (seconds_since(start) < 0.02) {
             }
           }).watts;
  if (b.facts.cudnn.starts_with("not used")) b.refused.push_back("fused, cuDNN graph: " + b.facts.cudnn);
  for (const Entry& e : entries(input, b.facts.l2_bytes)) {
    const Stream stream;
    Candidate c;
    Measured m;
    m.kernel = e.kernel, m.dtype = e.dtype, m.batch = e.batch, m.sparse = e.sparse, m.naive = e.naive;
    count_work(input, b.facts, m);
    on_start(name_of(e));
    try {
      c = e.make();
      if (const std::string wrong = verify(input, c, stream, m); !wrong.empty()) {
        b.wrong.push_back(wrong);
        continue;
      }
      for (const char* cache : {"cold", "warm"}) {
        Measured one = m;
        one.cache = cache;
        if (one.cache == "cold" && !c.rotation.cold) {
          b.refused.push_back(name_of(e) + ", cold: L2 would not be: more sets of buffers than there may be");
          continue;
        }
        time_and_power(input, c, stream, nvml, idle, one);
        b.measured.push_back(std::move(one));
      }
    } catch (const std::exception& error) {
      // A library's refusal leaves the device as it was; an own kernel's failure is a fault.
      if (e.naive) throw;
      check(cudaDeviceSynchronize(), name_of(e).c_str());
      b.refused.push_back(name_of(e) + ": " + error.what());
    }
  }
  return b;
}

std::vector<std::string> launch_marked(const BaselineInput& input) {
  std::vector<std::string> names;
  const Stream stream;
  const auto mark = [&] {
    measurement_mark<<<1, 32, 0, stream.s>>>();
    check(cudaGetLastError(), "mark");
  };
  for (const Entry& e : entries(input, static_cast<std::uint64_t>(attribute(cudaDevAttrL2CacheSize)))) {
    names.push_back(name_of(e));
    Candidate c;
    try {
      c = e.make();
      // Through all sets, so that the sets that are counted have left L2 and each run evicts as in the measurement.
      for (int i = 0; i < c.rotation.sets; ++i) c.run(i, stream.s);
    } catch (const std::exception&) {
      c.run = nullptr;
    }
    check(cudaStreamSynchronize(stream.s), names.back().c_str());
    check(cudaProfilerStart(), "profiler");
    mark(), mark();
    for (int i = 0; c.run && i < std::min(c.rotation.sets - 1, 3); ++i) {
      if (i > 0) mark();
      c.run(i, stream.s);
    }
    check(cudaStreamSynchronize(stream.s), names.back().c_str());
    check(cudaProfilerStop(), "profiler");
  }
  return names;
}

}  // namespace winnow::cuda_ref
