#pragma once
// Golden's computation on a GPU: the whole trace in one object, stepped a layer at a time as golden::Walk is, with data
// and cascade state kept on the device between layers.
//
// Two backends run the same kernel source (kernels/): `gpu` compiled by nvcc, `shim` by the C++ compiler with every GPU
// thread a fiber (shim/). Results are equal bit for bit to golden's: quantization, probabilities, survivors, outputs,
// importance, bytes. Of golden only scalar arithmetic (num.h), the policy's rules and the scales' headroom are used.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda_ref/shim/order.h"
#include "golden/layout.h"
#include "golden/model.h"
#include "golden/policies/policy.h"
#include "golden/walk.h"

namespace winnow::cuda_ref {

enum class Backend { gpu, shim };

struct Options {
  unsigned prompt_threads = 0, decode_threads = 0;  // threads a block, multiples of 32; 0: the backend's choice
  unsigned blocks = 0;                              // most rows in flight; 0: the backend's choice
  shim::Order order = shim::Order::forward;         // shim only
  bool measure = false;                             // fill LayerResult::error
};

class Walk {
 public:
  virtual ~Walk() = default;
  // Runs the next layer; false when the trace is done. `result` is overwritten.
  virtual bool next(golden::LayerResult& result) = 0;
  // As golden's.
  virtual void skip_prompt() = 0;
  virtual int step() const = 0;
  virtual int layer() const = 0;
  // The packed planes as the kernels made them; equals golden::build_image, byte for byte.
  virtual std::vector<std::uint8_t> image() const = 0;
  // Inverts the bits of `mask` in one byte of the image, for tests: exactly what reads that byte may change.
  virtual void corrupt(std::uint64_t byte, std::uint8_t mask) = 0;
};

// A trace's floats and their float attention, computed once for any number of policies.
class Model {
 public:
  virtual ~Model() = default;
  virtual const golden::Shape& shape() const = 0;
  // Float reference, [tokens][D]; equals golden::Reference bit for bit.
  virtual std::vector<float> reference(int layer, int head) const = 0;
  // The model must outlive the walk; the layout is copied. Throws Error on a policy that contradicts itself.
  virtual std::unique_ptr<Walk> walk(const golden::Policy& policy, const golden::Layout& layout) = 0;
};

// Throws Error when the backend is not there, or when the shape exceeds the kernels' limits (32 query heads a group).
std::unique_ptr<Model> load(Backend backend, const golden::FloatSource& source, const Options& options = {});

// The GPU that `gpu` would use, empty when there is none; then `why_not` says why in a few words.
std::string gpu_name(std::string* why_not = nullptr);
// `gpu` where there is one, else `shim`.
Backend best_backend();
// What an engine of this backend is called in output: the GPU's name, or that it is the host shim. Without brackets, so
// that it can stand in some.
std::string describe(Backend backend);

}  // namespace winnow::cuda_ref
