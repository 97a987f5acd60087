#include "sim/check/engines.h"

#include <algorithm>
#include <memory>

#include "cuda_ref/walk.h"
#include "golden/error.h"
#include "sim/check/machine_engines.h"

namespace winnow {
namespace {

std::optional<Engine> make_golden(const EngineInput& input, std::string&) {
  auto walk = std::make_shared<golden::Walk>(*input.model, *input.layout, nullptr);
  return Engine{"golden", "host", [walk](golden::LayerResult& r) { return walk->next(r); }};
}

std::optional<Engine> make_cuda(const EngineInput& input, std::string&) {
  const cuda_ref::Backend backend = cuda_ref::best_backend();
  std::shared_ptr<cuda_ref::Model> model = cuda_ref::load(backend, input.source);
  std::shared_ptr<cuda_ref::Walk> walk = model->walk(input.model->policy(), *input.layout);
  return Engine{"cuda", cuda_ref::describe(backend), [model, walk](golden::LayerResult& r) { return walk->next(r); }};
}

}  // namespace

const std::vector<EngineEntry>& engines() {
  static const std::vector<EngineEntry> all = {
      {"golden", make_golden}, {"cuda", make_cuda}, {"systemc", make_systemc}, {"rtl", make_rtl}};
  return all;
}

std::vector<const EngineEntry*> parse_engines(const std::string& list) {
  std::string known;
  for (const EngineEntry& e : engines()) known += (known.empty() ? "" : ", ") + std::string(e.name);
  std::vector<const EngineEntry*> chosen;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t to = std::min(list.find(',', from), list.size());
    const std::string name = list.substr(from, to - from);
    from = to + 1;
    const auto entry =
        std::find_if(engines().begin(), engines().end(), [&](const EngineEntry& e) { return e.name == name; });
    if (entry == engines().end()) throw Error("--engines: '" + name + "': known are " + known);
    if (std::find(chosen.begin(), chosen.end(), &*entry) != chosen.end())
      throw Error("--engines: '" + name + "': named twice");
    chosen.push_back(&*entry);
  }
  return chosen;
}

}  // namespace winnow
