#pragma once
// Text of unknown origin in a one-line message.
#include <string>

namespace winnow {

// In quotes, printable, at most 80 characters.
inline std::string in_quotes(const std::string& text) {
  constexpr std::size_t kMost = 80;
  std::string line = "'";
  for (const char c : text.substr(0, kMost)) line += (c >= ' ' && c <= '~') ? c : '?';
  return line + (text.size() > kMost ? "...'" : "'");
}

}  // namespace winnow
