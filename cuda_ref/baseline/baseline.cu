#include "cuda_ref/baseline/baseline.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "cuda_ref/engine/runtime_gpu.h"
#include "cuda_ref/baseline/kernels.cuh"
#include "cuda_ref/baseline/nvml.h"
#include "cuda_ref/baseline/samples.h"

namespace winnow::cuda_ref {
namespace {

using namespace gpu_backend;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

int attribute(cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, 0), "device attributes");
  return value;
}

GpuFacts facts_of_device(Nvml& nvml) {
  GpuFacts f;
  cudaDeviceProp p{};
  check(cudaGetDeviceProperties(&p, 0), "device properties");
  f.name = p.name, f.processors = p.multiProcessorCount, f.compute = p.major * 10 + p.minor;
  f.l2_bytes = static_cast<std::uint64_t>(p.l2CacheSize);
  f.driver = nvml.driver();
  f.power = nvml.available() ? "NVML" : nvml.why_not();
  int runtime = 0;
  check(cudaRuntimeGetVersion(&runtime), "runtime version");
  f.toolkit = std::to_string(runtime / 1000) + "." + std::to_string(runtime % 1000 / 10);
  f.peak_bytes = 2e3 * attribute(cudaDevAttrMemoryClockRate) * attribute(cudaDevAttrGlobalMemoryBusWidth) / 8;
  const double hertz = 1e3 * attribute(cudaDevAttrClockRate);
  // Dense FP16 operations a clock and multiprocessor on tensor cores; FP32 on 128 lanes (64 on 8.0 and before).
  const double tensor = f.compute >= 90 ? 4096 : f.compute == 80 ? 2048 : 1024;
  f.peak_fp16 = tensor * f.processors * hertz;
  f.peak_fp32 = (f.compute == 80 || f.compute < 80 ? 128.0 : 256.0) * f.processors * hertz;
  return f;
}

// One problem's buffers: `sets` copies of the operands, so that a launch finds them in L2 or not.
template <class T>
struct Problem {
  NaiveShape shape{};
  int tokens = 0, sets = 1;
  std::size_t q_size = 0, kv_size = 0, s_size = 0;
  Buffer<T> q, k, v, out, s, gathered_k, gathered_v;
  Buffer<u32> used, chosen;

  Problem(const BaselineInput& in, int batch, bool sparse, std::uint64_t l2) {
    tokens = in.keys;
    u32 most = static_cast<u32>(in.keys);
    if (sparse) {
      most = 1;
      for (const auto& list : in.chosen) most = std::max(most, static_cast<u32>(list.size()));
    }
    shape = {batch,
             in.heads,
             in.kv_heads,
             in.rows,
             static_cast<int>(most),
             in.head_dim,
             in.causal && !sparse,
             in.first,
             static_cast<float>(in.scale),
             nullptr};
    const auto B = static_cast<std::size_t>(batch);
    q_size = B * in.q.size(), kv_size = B * in.k.size();
    s_size = B * static_cast<std::size_t>(in.heads) * static_cast<std::size_t>(in.rows) * most;
    const std::size_t set_bytes = (2 * q_size + 2 * kv_size) * sizeof(T);
    sets = static_cast<int>(std::min<std::size_t>(256, 2 * l2 / set_bytes + 2));
    const auto n = static_cast<std::size_t>(sets);
    q.allocate(n * q_size), out.allocate(n * q_size), k.allocate(n * kv_size), v.allocate(n * kv_size),
        s.allocate(s_size);
    fill(in.q, q, n * B), fill(in.k, k, n * B), fill(in.v, v, n * B);
    if (!sparse) return;
    std::vector<u32> counts, lists(in.chosen.size() * most, 0);
    for (std::size_t kv = 0; kv < in.chosen.size(); ++kv) {
      counts.push_back(static_cast<u32>(in.chosen[kv].size()));
      std::copy(in.chosen[kv].begin(), in.chosen[kv].end(), lists.begin() + static_cast<std::ptrdiff_t>(kv * most));
    }
    used.allocate(counts.size()), chosen.allocate(lists.size());
    used.upload(counts.data(), counts.size()), chosen.upload(lists.data(), lists.size());
    shape.used = used.data();
    const std::size_t rows = B * static_cast<std::size_t>(in.kv_heads) * most * static_cast<std::size_t>(in.head_dim);
    gathered_k.allocate(rows), gathered_v.allocate(rows);
    gathered_k.zero(), gathered_v.zero();
  }

  static void fill(const std::vector<float>& from, Buffer<T>& to, std::size_t copies) {
    Buffer<float> floats;
    floats.allocate(from.size());
    floats.upload(from.data(), from.size());
    for (std::size_t i = 0; i < copies; ++i)
      convert<T><<<256, 256>>>(floats.data(), to.data() + i * from.size(), from.size());
    check(cudaDeviceSynchronize(), "fill");
  }

  void run(int set, cudaStream_t stream) {
    const NaiveShape& a = shape;
    const auto at = static_cast<std::size_t>(set);
    const T *q_at = q.data() + at * q_size, *k_at = k.data() + at * kv_size, *v_at = v.data() + at * kv_size;
    T* out_at = out.data() + at * q_size;
    const auto heads = static_cast<unsigned>(a.batch * a.heads);
    if (a.used) {
      const dim3 grid(static_cast<unsigned>(a.keys), static_cast<unsigned>(a.batch * a.kv_heads));
      gather_rows<T>
          <<<grid, 64, 0, stream>>>(a, tokens, chosen.data(), k_at, v_at, gathered_k.data(), gathered_v.data());
      k_at = gathered_k.data(), v_at = gathered_v.data();
    }
    const auto tiles = [](int n) { return static_cast<unsigned>((n + kTile - 1) / kTile); };
    if (a.rows == 1) {
      const unsigned blocks = std::max(1u, static_cast<unsigned>(a.keys) / 32);
      naive_scores_of_one<T><<<dim3(blocks, heads), 256, 0, stream>>>(a, q_at, k_at, s.data());
      naive_softmax<T><<<dim3(1, heads), 256, 0, stream>>>(a, s.data());
      naive_output_of_one<T><<<dim3(1, heads), 1024, 0, stream>>>(a, s.data(), v_at, out_at);
    } else {
      naive_scores<T><<<dim3(tiles(a.keys) * tiles(a.rows), heads), 256, 0, stream>>>(a, q_at, k_at, s.data());
      naive_softmax<T><<<dim3(static_cast<unsigned>(a.rows), heads), 256, 0, stream>>>(a, s.data());
      naive_output<T><<<dim3(tiles(a.head_dim) * tiles(a.rows), heads), 256, 0, stream>>>(a, s.data(), v_at, out_at);
    }
  }
};

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
struct Graph {
  cudaGraphExec_t exec = nullptr;
  int launches = 0;
  ~Graph() { cudaGraphExecDestroy(exec); }
};

template <class T>
void capture(Problem<T>& p, bool cold, Stream& stream, Graph& graph) {
  graph.launches = cold ? p.sets : std::min(p.sets, 20);
  cudaGraph_t g = nullptr;
  check(cudaStreamBeginCapture(stream.s, cudaStreamCaptureModeThreadLocal), "capture");
  for (int i = 0; i < graph.launches; ++i) p.run(cold ? i : 0, stream.s);
  check(cudaStreamEndCapture(stream.s, &g), "end of capture");
  const cudaError_t made = cudaGraphInstantiate(&graph.exec, g, 0);
  cudaGraphDestroy(g);
  check(made, "graph");
}

// Power while `work` runs for the window, or while nothing does. The device's energy counter where it has one.
struct Window {
  double watts = 0, seconds = 0;
  std::uint64_t rounds = 0;
};
template <class Work>
Window power_window(Nvml& nvml, double least, Work work) {
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

template <class T>
void verify(const BaselineInput& in, Problem<T>& p, Stream& stream, Measured& m) {
  p.run(0, stream.s);
  check(cudaStreamSynchronize(stream.s), m.kernel.c_str());
  Buffer<T>& out = p.out;
  std::vector<T> got(p.q_size);
  out.download(got.data(), got.size());
  double largest = 0;
  for (const float x : in.expected) largest = std::max(largest, std::fabs(static_cast<double>(x)));
  for (std::size_t i = 0; i < got.size(); ++i) {
    float x;
    if constexpr (sizeof(T) == 4)
      x = got[i];
    else
      x = __half2float(__ushort_as_half(got[i].bits));
    const double error = std::fabs(x - in.expected[i % in.expected.size()]) / largest;
    m.largest_error = std::max(m.largest_error, std::isfinite(error) ? error : 1e9);
    ++m.compared;
  }
  if (m.largest_error > tolerance(m.dtype))
    throw Error("gpu: " + m.kernel + " " + m.dtype + ": output differs from the float reference by " +
                std::to_string(m.largest_error) + " of its largest value: must be within " +
                std::to_string(tolerance(m.dtype)));
}

// What the sparse peer should give: attention over the chosen tokens only, in float64.
std::vector<float> sparse_reference(const BaselineInput& in) {
  std::vector<float> out(in.expected.size());
  const auto D = static_cast<std::size_t>(in.head_dim), rows = static_cast<std::size_t>(in.rows);
  const auto keys = static_cast<std::size_t>(in.keys), group = static_cast<std::size_t>(in.heads / in.kv_heads);
  for (std::size_t head = 0; head < static_cast<std::size_t>(in.heads); ++head)
    for (std::size_t i = 0; i < rows; ++i) {
      const float* q = &in.q[(head * rows + i) * D];
      std::vector<double> s, y(D, 0);
      double top = -1e300, sum = 0;
      for (const std::uint32_t t : in.chosen[head / group]) {
        double x = 0;
        for (std::size_t d = 0; d < D; ++d) x += static_cast<double>(q[d]) * in.k[(head / group * keys + t) * D + d];
        s.push_back(x * in.scale), top = std::max(top, s.back());
      }
      for (double& x : s) sum += x = std::exp(x - top);
      for (std::size_t j = 0; j < s.size(); ++j)
        for (std::size_t d = 0; d < D; ++d)
          y[d] += s[j] / sum * in.v[(head / group * keys + in.chosen[head / group][j]) * D + d];
      for (std::size_t d = 0; d < D; ++d) out[(head * rows + i) * D + d] = static_cast<float>(y[d]);
    }
  return out;
}

template <class T>
void measure(const BaselineInput& in, const char* kernel, const char* dtype, bool sparse, const GpuFacts& facts,
             Nvml& nvml, double idle, const std::function<void(const std::string&)>& on_start,
             std::vector<Measured>& all) {
  for (const int batch : in.batches) {
    Problem<T> problem(in, batch, sparse, facts.l2_bytes);
    Stream stream;
    for (const bool cold : {true, false}) {
      Measured m;
      m.kernel = kernel, m.dtype = dtype, m.cache = cold ? "cold" : "warm", m.batch = batch;
      on_start(m.kernel + " " + m.dtype + ", batch " + std::to_string(batch) + ", " + m.cache);
      // Pairs of query and key, and rows of K and V, that the work really needs.
      double pairs = 0, kv_rows = 0;
      for (int head = 0; head < in.heads; ++head) {
        const double keys =
            sparse ? static_cast<double>(in.chosen[static_cast<std::size_t>(head / (in.heads / in.kv_heads))].size())
                   : in.keys;
        if (head % (in.heads / in.kv_heads) == 0) kv_rows += keys;
        for (int i = 0; i < in.rows; ++i)
          pairs += in.causal && !sparse ? std::min<double>(keys, in.first + i + 1) : keys;
      }
      m.operations = 4.0 * pairs * in.head_dim * batch;
      m.bytes = batch * sizeof(T) * in.head_dim * (2.0 * kv_rows + 2.0 * in.heads * in.rows);
      const double by_bytes = m.bytes / facts.peak_bytes;
      const double by_operations = m.operations / (sizeof(T) == 4 ? facts.peak_fp32 : facts.peak_fp16);
      m.roofline_seconds = std::max(by_bytes, by_operations);
      m.limit = by_bytes >= by_operations ? "bandwidth" : "arithmetic";
      verify(in, problem, stream, m);

      Graph graph;
      capture(problem, cold, stream, graph);
      Event start, stop;
      for (int i = 0; i < in.runs / 10 + 1; ++i) check(cudaGraphLaunch(graph.exec, stream.s), "warm-up");
      check(cudaStreamSynchronize(stream.s), "warm-up");
      for (int i = 0; i < in.runs; ++i) {
        check(cudaEventRecord(start.e, stream.s), "event");
        check(cudaGraphLaunch(graph.exec, stream.s), "launch");
        check(cudaEventRecord(stop.e, stream.s), "event");
        check(cudaEventSynchronize(stop.e), kernel);
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, start.e, stop.e), "time");
        m.samples.push_back(milliseconds * 1e-3 / graph.launches);
      }
      if (nvml.available()) {
        const int burst = std::max(1, static_cast<int>(0.02 / (summarize(m.samples).median * graph.launches)));
        const Window w = power_window(nvml, in.energy_seconds, [&] {
          for (int i = 0; i < burst; ++i) check(cudaGraphLaunch(graph.exec, stream.s), "launch");
          check(cudaStreamSynchronize(stream.s), kernel);
          m.sm_megahertz = nvml.sm_megahertz(), m.memory_megahertz = nvml.memory_megahertz();
        });
        const double runs = static_cast<double>(w.rounds) * burst * graph.launches;
        m.watts = w.watts, m.idle_watts = idle, m.window_seconds = w.seconds;
        m.joules = std::max(0.0, (w.watts - idle) * w.seconds / runs);
      }
      all.push_back(std::move(m));
    }
  }
}

}  // namespace

double tolerance(const std::string& dtype) { return dtype == "fp32" ? 1e-4 : 5e-3; }

std::vector<Measured> measure_baseline(const BaselineInput& input, GpuFacts& facts,
                                       const std::function<void(const std::string&)>& on_start) {
  char bus[32] = "";
  check(cudaDeviceGetPCIBusId(bus, sizeof bus, 0), "bus id");
  Nvml nvml(bus);
  facts = facts_of_device(nvml);
  on_start("idle power");
  double idle = 0;
  if (nvml.available())
    idle = power_window(nvml, input.energy_seconds, [] {
             const auto start = Clock::now();
             while (seconds_since(start) < 0.02) {
             }
           }).watts;
  std::vector<Measured> all;
  measure<float>(input, "naive unfused", "fp32", false, facts, nvml, idle, on_start, all);
  measure<Half>(input, "naive unfused", "fp16", false, facts, nvml, idle, on_start, all);
  if (!input.chosen.empty()) {
    BaselineInput sparse = input;
    sparse.expected = sparse_reference(input);
    measure<Half>(sparse, "gathered sparse, naive", "fp16", true, facts, nvml, idle, on_start, all);
  }
  return all;
}

}  // namespace winnow::cuda_ref
