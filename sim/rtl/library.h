#pragma once
// Shared libraries of RTL blocks: built by scripts/rtl/library when sources or parameters have changed, then opened.
#include <memory>
#include <string>

#include "golden/error.h"
#include "models/prim/block.h"
#include "sim/rtl/block_port.h"

namespace winnow::rtl {

// A tool that builds RTL is not on this machine.
struct MissingTool : Error {
  using Error::Error;
};

// A block's RTL. `folder`: *.sv there take the place of those of rtl/ with the same name; empty: none do. `options`:
// more of scripts/rtl/library, each a word. Throws Error `--rtl: ...`, one line, when the sources do not build,
// MissingTool when nothing can.
class Library {
 public:
  Library(const std::string& block, const std::string& folder, const std::vector<std::string>& options = {});
  const std::string& path() const { return path_; }

 protected:
  void* find(const char* function) const;
  [[noreturn]] void refuse() const;  // it is not of this build

 private:
  std::string block_, path_;
  void* handle_ = nullptr;  // never closed: ports may outlive this
};

class BlockLibrary : public Library {
 public:
  using Library::Library;
  // A block before its first reset; registers without one begin with values from the seed.
  std::unique_ptr<BlockPort> make(std::uint64_t seed, const std::string& plusargs = "") const;
};

// The options with which a block's RTL is built.
std::vector<std::string> parameters_of(const Block& block);

}  // namespace winnow::rtl
