#pragma once
// The tokens of the pages that a step reads, as the controller writes them out and as golden reads them.
#include <cstdint>
#include <vector>

#include "golden/policies/decisions.h"

namespace winnow::golden {

// Of tokens 0..n-1 those in front of the pages in question, those of the pages `kept`, as places among the ones in
// question, and those behind.
inline std::vector<std::uint32_t> page_tokens(const PageChoice& choice, const std::vector<std::uint32_t>& kept,
                                              std::uint32_t n) {
  std::vector<std::uint32_t> tokens;
  tokens.reserve(choice.tokens(n));
  const auto append = [&](std::uint32_t from, std::uint32_t end) {
    for (std::uint32_t t = from; t < end; ++t) tokens.push_back(t);
  };
  append(0, choice.first * choice.size);
  for (const std::uint32_t page : kept)
    append((choice.first + page) * choice.size, (choice.first + page + 1) * choice.size);
  append(choice.end * choice.size, n);
  return tokens;
}

}  // namespace winnow::golden
