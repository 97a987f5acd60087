#include "sim/machine/systemc_machine.h"

#include <exception>
#include <systemc>

namespace winnow {
namespace {

// One block of the machine. Links hold the state at the cycle's start, so the order of activation does not matter.
class BlockModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(BlockModule);
  BlockModule(sc_core::sc_module_name name, Block& block, const sc_core::sc_event& edge, const MachineModel& machine,
              std::exception_ptr& failure)
      : sc_module(name), block_(block), machine_(machine), failure_(failure) {
    SC_METHOD(step);
    sensitive << edge;
    dont_initialize();
  }

 private:
  void step() {
    try {
      block_.tick(machine_.now());
    } catch (...) {
      failure_ = std::current_exception();
      sc_core::sc_stop();
    }
  }
  Block& block_;
  const MachineModel& machine_;
  std::exception_ptr& failure_;
};

// The clock: closes layers between cycles, then gives all blocks their edge.
SC_MODULE(Clock) {
  Clock(sc_core::sc_module_name name, MachineModel & machine, sc_core::sc_event & edge, sc_core::sc_time period,
        const std::function<void(Cycle)>& on_progress, std::exception_ptr& failure)
      : sc_module(name), machine_(machine), edge_(edge), period_(period), on_progress_(on_progress), failure_(failure) {
    SC_HAS_PROCESS(Clock);
    SC_METHOD(step);
  }

 private:
  void step() {
    if (failure_) return;
    try {
      if (!machine_.begin_cycle()) {
        sc_core::sc_stop();
        return;
      }
      if (on_progress_ && (machine_.now() & 0xffff) == 0) on_progress_(machine_.now());
    } catch (...) {
      failure_ = std::current_exception();
      sc_core::sc_stop();
      return;
    }
    // In the same delta cycle: blocks see each other through links only, which hold the state at the cycle's start.
    edge_.notify();
    next_trigger(period_);
  }
  MachineModel & machine_;
  sc_core::sc_event& edge_;
  sc_core::sc_time period_;
  const std::function<void(Cycle)>& on_progress_;
  std::exception_ptr& failure_;
};

// The kernel elaborates once and never again after its end, so each run has a simulation context of its own.
class FreshContext {
 public:
  FreshContext() : before_(sc_core::sc_curr_simcontext), own_(new sc_core::sc_simcontext) {
    sc_core::sc_curr_simcontext = own_;
  }
  ~FreshContext() {
    sc_core::sc_curr_simcontext = before_;
    delete own_;
  }
  FreshContext(const FreshContext&) = delete;

 private:
  sc_core::sc_simcontext *before_, *own_;
};

}  // namespace

void run_systemc(MachineModel& machine, double clock_ghz, const std::function<void(Cycle)>& on_progress) {
  const FreshContext context;
  // The run's own end is no news.
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_event edge("edge");
  std::exception_ptr failure;
  const sc_core::sc_time period(1.0 / clock_ghz, sc_core::SC_NS);
  std::vector<std::unique_ptr<sc_core::sc_module>> modules;
  modules.push_back(std::make_unique<Clock>("clock", machine, edge, period, on_progress, failure));
  for (Block* block : machine.blocks())
    modules.push_back(std::make_unique<BlockModule>(block->name(), *block, edge, machine, failure));
  sc_core::sc_start();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace winnow

// The library's own main would call this; the command line has a main of its own.
int sc_main(int, char**) { return 0; }
