#pragma once
// Words of a command that a shell reads back, and this program's own name there.
#include <filesystem>
#include <string>

namespace winnow::rtl {

inline std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-+=:,./@%") == std::string::npos;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return plain ? word : text + "'";
}

// This program as a path from the current folder, and then what follows the first word of `command`.
inline std::string here(const std::string& command) {
  std::error_code ec;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ec);
  const std::string name = ec ? command.substr(0, command.find(' ')) : std::filesystem::proximate(self, ec).string();
  const std::size_t rest = command.find(' ');
  return quoted(name.find('/') == std::string::npos ? "./" + name : name) +
         (rest == std::string::npos ? "" : command.substr(rest));
}

}  // namespace winnow::rtl
