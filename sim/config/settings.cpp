#include "sim/config/settings.h"

#include <fmt/format.h>

#include "golden/error.h"
#include "traces/text.h"

namespace winnow {

void Settings::apply(const std::string& assignment) const {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Error(fmt::format("--set: {}: must have the form key=value", in_quotes(assignment)));
  const std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  const Param* found = nullptr;
  std::string owner;
  std::vector<std::string> known;
  for (const Provider& provider : providers_) {
    for (const Param& param : provider.schema) {
      const std::string full = provider.name + "." + param.key;
      known.push_back(param.key);
      if (key != param.key && key != full) continue;
      if (found != nullptr)
        throw Error(fmt::format("--set: {0}: {1}: both {2} and {3} know this key: write {2}.{0} or {3}.{0}", key,
                                in_quotes(value), owner, provider.name));
      found = &param;
      owner = provider.name;
    }
  }
  if (found == nullptr) {
    const std::string near = nearest(key, known);
    throw Error(fmt::format("--set: {}: {}: no such key{}", in_quotes(key), in_quotes(value),
                            near.empty() ? "" : ", did you mean " + near + "?"));
  }
  found->assign("--set", value);
}

}  // namespace winnow
