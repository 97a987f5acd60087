// Speed of the top-k engine alone, in cycles a second of CPU time, as things that step in the same way (P 16):
//   model      the plain C++ model
//   systemc    the model in one SC_METHOD
//   lockstep   the Verilated RTL that the lockstep runs: both pivot rules, assertions, probes
//   verilated  the Verilated engine of machine spatten, which has the rule random alone, without assertions
// All do the same jobs, without bubbles, and must need the same cycles and keep the same indices.
//   bench_rtl_topk
#include <benchmark/benchmark.h>
#include <verilated.h>

#include <algorithm>
#include <memory>
#include <systemc>

#include "Vtopk_bare.h"
#include "Vtopk_spatten.h"
#include "models/topk/engine.h"
#include "tests/models/topk/drive.h"

namespace winnow::topk {
namespace {

constexpr unsigned kJobs = 32, kLanes = 16, kItemBits = 20, kIndexBits = 10;
constexpr std::uint64_t kSeed = 1;
constexpr Job kJob{1024, Rule::count, 512};

const std::vector<std::vector<Row>>& jobs() {
  static const auto all = [] {
    test::Random random(2026);
    std::vector<std::vector<Row>> rows(kJobs, std::vector<Row>(kJob.n / kLanes));
    for (auto& job : rows)
      for (Row& row : job)
        for (unsigned i = 0; i < kLanes; ++i) row[i] = random.below(1u << kItemBits);
    return rows;
  }();
  return all;
}

// Does all jobs on something with the engine's comb() and tick().
template <class Dut>
class Driver {
 public:
  explicit Driver(Dut& dut) : dut_(dut) {}

  // One cycle; false after the last.
  bool cycle() {
    const Outputs out = dut_.comb();
    Inputs in;
    in.job_valid = next_ == 0 && out.job_ready;
    in.job = kJob;
    if (out.row_ready) in.row = &jobs()[job_][next_++];
    in.out_ready = true;
    if (out.out_valid) {
      for (unsigned i = 0; i < out.count; ++i) sum_ = sum_ * 31 + (*out.indices)[i];
      if (out.last) next_ = 0, ++job_;
    }
    dut_.tick(in);
    ++cycles_;
    return job_ < kJobs;
  }
  std::uint64_t cycles() const { return cycles_; }
  std::uint64_t sum() const { return sum_; }

 private:
  Dut& dut_;
  std::size_t job_ = 0, next_ = 0;
  std::uint64_t cycles_ = 0, sum_ = 0;
};

// The engine's ports as the model shows them. V: a Verilated class; the two differ in how wide ports are and what
// outputs are called.
template <class V>
class Rtl {
 public:
  explicit Rtl(PivotRule pivot) {
    const char* const arguments[] = {"bench_rtl_topk"};
    context_.commandArgs(1, const_cast<char**>(arguments));
    rtl_ = std::make_unique<V>(&context_);
    rtl_->clk_i = 0;
    rtl_->sampled_i = pivot == PivotRule::sampled;
    for (const int reset : {1, 0, 1}) {  // the reset acts on its falling edge
      rtl_->rst_ni = reset;
      rtl_->eval();
    }
    rtl_->seed_en_i = 1;
    rtl_->seed_i = Lfsr::fold(kSeed);
    tick({});
    rtl_->seed_en_i = 0;
  }
  Outputs comb() {
    Outputs out;
    if constexpr (kProbes) {
      out.job_ready = rtl_->rtl_job_ready;
      out.row_ready = rtl_->rtl_row_ready;
      out.out_valid = rtl_->rtl_out_valid;
      out.last = rtl_->rtl_out_last;
      out.count = static_cast<unsigned>(rtl_->rtl_out_count);
      if (out.out_valid) std::copy_n(&rtl_->rtl_out_indices[0], kLanes, indices_.begin());
    } else {
      out.job_ready = rtl_->job_ready_o;
      out.row_ready = rtl_->row_ready_o;
      out.out_valid = rtl_->out_valid_o;
      out.last = rtl_->out_last_o;
      out.count = rtl_->out_count_o;
      for (unsigned i = 0; out.out_valid && i < kLanes; ++i) {
        const unsigned at = i * kIndexBits, word = at / 32, shift = at % 32;
        std::uint64_t bits = rtl_->out_indices_o[word];
        if (shift + kIndexBits > 32) bits |= std::uint64_t{rtl_->out_indices_o[word + 1]} << 32;
        indices_[i] = (bits >> shift) & ((1u << kIndexBits) - 1);
      }
    }
    out.indices = &indices_;
    return out;
  }
  void tick(const Inputs& in) {
    rtl_->job_valid_i = in.job_valid;
    rtl_->job_n_i = static_cast<std::uint16_t>(in.job.n);
    rtl_->job_mass_i = in.job.rule == Rule::mass;
    rtl_->job_amount_i = in.job.amount;
    rtl_->row_valid_i = in.row != nullptr;
    if (in.row) {
      if constexpr (kProbes) {
        std::copy_n(in.row->begin(), kLanes, &rtl_->row_i[0]);
      } else {
        std::fill_n(&rtl_->row_i[0], kLanes * kItemBits / 32, 0u);
        for (unsigned i = 0; i < kLanes; ++i) {
          const unsigned at = i * kItemBits;
          const std::uint64_t bits = (*in.row)[i] << (at % 32);
          rtl_->row_i[at / 32] |= static_cast<std::uint32_t>(bits);
          if (bits >> 32) rtl_->row_i[at / 32 + 1] |= static_cast<std::uint32_t>(bits >> 32);
        }
      }
    }
    rtl_->out_ready_i = in.out_ready;
    rtl_->clk_i = 1;
    rtl_->eval();
    rtl_->clk_i = 0;
    rtl_->eval();
  }

 private:
  static constexpr bool kProbes = std::is_same_v<V, Vtopk_spatten>;
  VerilatedContext context_;
  std::unique_ptr<V> rtl_;
  Row indices_{};
};

struct Done {
  std::uint64_t cycles = 0, sum = 0;
  bool operator==(const Done&) const = default;
};

Config config(PivotRule pivot) { return {kLanes, 64, kItemBits, pivot, kSeed}; }

Done by_model(PivotRule pivot) {
  Engine engine(config(pivot));
  Driver driver(engine);
  while (driver.cycle()) {
  }
  return {driver.cycles(), driver.sum()};
}

template <class V>
Done by_rtl(PivotRule pivot) {
  Rtl<V> rtl(pivot);
  Driver driver(rtl);
  while (driver.cycle()) {
  }
  return {driver.cycles(), driver.sum()};
}

SC_MODULE(EngineModule) {
  EngineModule(sc_core::sc_module_name name, PivotRule pivot)
      : sc_module(name), engine_(config(pivot)), driver_(engine_) {
    SC_HAS_PROCESS(EngineModule);
    SC_METHOD(step);
  }
  Done done() const { return {driver_.cycles(), driver_.sum()}; }

 private:
  void step() {
    if (driver_.cycle())
      next_trigger(period_);
    else
      sc_core::sc_stop();
  }
  const sc_core::sc_time period_{1, sc_core::SC_NS};
  Engine engine_;
  Driver<Engine> driver_;
};

// The kernel elaborates once and never again after its end, so each run has a simulation context of its own.
Done by_systemc(PivotRule pivot) {
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_simcontext* const before = sc_core::sc_curr_simcontext;
  const auto own = std::make_unique<sc_core::sc_simcontext>();
  sc_core::sc_curr_simcontext = own.get();
  Done done;
  {
    EngineModule module("engine", pivot);
    sc_core::sc_start();
    done = module.done();
  }
  sc_core::sc_curr_simcontext = before;
  return done;
}

void TopkJobs(benchmark::State& state, Done (*by)(PivotRule)) {
  const auto pivot = static_cast<PivotRule>(state.range(0));
  const Done expected = by_model(pivot);
  std::uint64_t cycles = 0;
  for (auto _ : state) {
    const Done done = by(pivot);
    if (done != expected) {
      state.SkipWithError("other cycles or other indices than the model");
      break;
    }
    cycles += done.cycles;
  }
  state.counters["cycles/s"] = benchmark::Counter(static_cast<double>(cycles), benchmark::Counter::kIsRate);
  state.counters["cycles"] = static_cast<double>(expected.cycles);
  state.SetLabel(pivot == PivotRule::random ? "random" : "sampled");
}
BENCHMARK_CAPTURE(TopkJobs, model, by_model)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TopkJobs, systemc, by_systemc)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TopkJobs, lockstep, by_rtl<Vtopk_spatten>)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TopkJobs, verilated, by_rtl<Vtopk_bare>)->Arg(0)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace winnow::topk

// The library's own main would call this; Google Benchmark brings one of its own.
int sc_main(int, char**) { return 0; }
