#pragma once
// A YAML file of nested maps of scalars and lists of scalars, read against a schema.
#include <map>
#include <string>

#include "sim/config/schema.h"

namespace winnow {

// Line of each key, from 1.
using KeyLines = std::map<std::string, int>;

// Every key of the schema but shorthands must stand in the file, and no other, each once. Throws Error
// `file: line N: key: value: rule`.
KeyLines load_yaml(const std::string& path, const Schema& schema);

}  // namespace winnow
