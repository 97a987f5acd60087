#pragma once
// The safetensors container: u64 little-endian header length, JSON header, then the tensors' bytes, which must
// follow each other without gap or overlap and end with the file. Everything the header claims is checked.
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace winnow {

struct SafeTensor {
  std::string dtype;  // "F16", "F32", "I32", ...
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> data;  // as long as shape and dtype say
};

struct SafeTensors {
  std::map<std::string, SafeTensor> tensors;
  std::map<std::string, std::string> metadata;
};

// `name` is what errors call the file. The result points into `file`. Throws Error `file: place: value: rule`.
SafeTensors parse_safetensors(const std::string& name, std::span<const std::byte> file);

}  // namespace winnow
