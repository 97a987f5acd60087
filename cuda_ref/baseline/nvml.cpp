#include "cuda_ref/baseline/nvml.h"

#include <dlfcn.h>

namespace winnow::cuda_ref {
namespace {

// NVML's C interface, as far as it is used; every function returns 0 for success.
using Init = int (*)();
using HandleByBus = int (*)(const char*, void**);
using Text = int (*)(char*, unsigned);
using Milliwatts = int (*)(void*, unsigned*);
using Millijoules = int (*)(void*, unsigned long long*);
using Clock = int (*)(void*, int, unsigned*);
constexpr int kSmClock = 1, kMemoryClock = 2;

}  // namespace

void* Nvml::find(const char* name) const { return library_ ? dlsym(library_, name) : nullptr; }

Nvml::Nvml(const std::string& bus_id) {
  library_ = dlopen("libnvidia-ml.so.1", RTLD_NOW);
  if (!library_) {
    why_not_ = "libnvidia-ml.so.1 is not there";
    return;
  }
  const auto init = reinterpret_cast<Init>(find("nvmlInit_v2"));
  const auto handle = reinterpret_cast<HandleByBus>(find("nvmlDeviceGetHandleByPciBusId_v2"));
  if (!init || !handle || init() != 0 || handle(bus_id.c_str(), &device_) != 0) {
    device_ = nullptr;
    why_not_ = "NVML does not give device " + bus_id;
  }
}

Nvml::~Nvml() {
  if (!library_) return;
  if (const auto shutdown = reinterpret_cast<Init>(find("nvmlShutdown"))) shutdown();
  dlclose(library_);
}

std::string Nvml::driver() const {
  char text[96] = "";
  const auto f = reinterpret_cast<Text>(find("nvmlSystemGetDriverVersion"));
  return f && f(text, sizeof text) == 0 ? text : "unknown";
}

double Nvml::watts() const {
  unsigned milliwatts = 0;
  const auto f = reinterpret_cast<Milliwatts>(find("nvmlDeviceGetPowerUsage"));
  return device_ && f && f(device_, &milliwatts) == 0 ? milliwatts * 1e-3 : 0;
}

double Nvml::joules() const {
  unsigned long long millijoules = 0;
  const auto f = reinterpret_cast<Millijoules>(find("nvmlDeviceGetTotalEnergyConsumption"));
  return device_ && f && f(device_, &millijoules) == 0 ? static_cast<double>(millijoules) * 1e-3 : 0;
}

unsigned Nvml::clock(int which) const {
  unsigned megahertz = 0;
  const auto f = reinterpret_cast<Clock>(find("nvmlDeviceGetClockInfo"));
  return device_ && f && f(device_, which, &megahertz) == 0 ? megahertz : 0;
}
unsigned Nvml::sm_megahertz() const { return clock(kSmClock); }
unsigned Nvml::memory_megahertz() const { return clock(kMemoryClock); }

}  // namespace winnow::cuda_ref
