#pragma once
// `--set key=value`: any number of providers, each a name and a schema. A key may carry its provider's name
// ("machine.hbm2.channels"), and must when two providers know it.
#include <string>
#include <vector>

#include "sim/config/schema.h"

namespace winnow {

class Settings {
 public:
  void add(const std::string& provider, Schema schema) { providers_.push_back({provider, std::move(schema)}); }
  // Throws Error `--set: key: value: rule`; an unknown key names the nearest known one.
  void apply(const std::string& assignment) const;

 private:
  struct Provider {
    std::string name;
    Schema schema;
  };
  std::vector<Provider> providers_;
};

}  // namespace winnow
