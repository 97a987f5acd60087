#pragma once
// Shared libraries of RTL blocks: built by scripts/rtl/library when sources or parameters have changed, then opened.
#include <memory>
#include <string>

#include "golden/error.h"
#include "sim/rtl/topk_port.h"

namespace winnow::rtl {

// A tool that builds RTL is not on this machine.
struct MissingTool : Error {
  using Error::Error;
};

// The top-k engine's RTL. `folder`: *.sv there take the place of those of rtl/ with the same name; empty: none do.
class TopkLibrary {
 public:
  // `config.item_bits` is the width that the RTL is built with. Throws Error `--rtl: ...`, one line, when the
  // sources do not build, MissingTool when nothing can.
  TopkLibrary(const topk::Config& config, const std::string& folder);
  // An engine out of reset, seeded.
  std::unique_ptr<TopkPort> make(topk::PivotRule pivot, std::uint64_t seed) const;

 private:
  std::string path_;
  void* handle_ = nullptr;  // never closed: ports may outlive this
};

}  // namespace winnow::rtl
