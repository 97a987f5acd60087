#pragma once
// Power and clocks of a GPU, through the driver's library loaded at run time: nothing is linked, nothing needs its
// header.
#include <string>

namespace winnow::cuda_ref {

class Nvml {
 public:
  // `bus_id` as CUDA gives it ("0000:3b:00.0"). A library or device that is not there leaves available() false.
  explicit Nvml(const std::string& bus_id);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  bool available() const { return device_ != nullptr; }
  const std::string& why_not() const { return why_not_; }
  std::string driver() const;
  double watts() const;   // now; 0 when the device does not say
  double joules() const;  // since the driver was loaded; 0 when the device does not say
  unsigned sm_megahertz() const;
  unsigned memory_megahertz() const;

 private:
  void* find(const char* name) const;
  unsigned clock(int which) const;
  void* library_ = nullptr;
  void* device_ = nullptr;
  std::string why_not_;
};

}  // namespace winnow::cuda_ref
