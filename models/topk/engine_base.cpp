#include "models/topk/engine_base.h"

#include "models/topk/bracket_engine.h"
#include "models/topk/engine.h"

namespace winnow::topk {

std::unique_ptr<EngineBase> make_engine(const Config& config) {
  if (config.prefilter == Prefilter::bracket) return std::make_unique<BracketEngine>(config);
  return std::make_unique<Engine>(config);
}

}  // namespace winnow::topk
