#pragma once
// A YAML file of a test's own.
#include "tests/support/temporary.h"

namespace winnow::test {

struct TextFile : TempFile {
  explicit TextFile(const std::string& text) : TempFile(text, ".yaml") {}
};

}  // namespace winnow::test
