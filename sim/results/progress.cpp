#include "sim/results/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace winnow {

Progress::Progress(std::string label, std::uint64_t total, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(std::max<std::uint64_t>(total, 1)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

void Progress::at(std::uint64_t done, double work) {
  if (!terminal_) return;
  const Clock::time_point now = Clock::now();
  if (drawn_ && now - last_ < std::chrono::milliseconds(200)) return;
  last_ = now;
  drawn_ = true;
  fmt::print(stderr, "\r\033[K{}", line(done, work, std::chrono::duration<double>(now - start_).count()));
  std::fflush(stderr);
}

void Progress::finish() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

std::string Progress::line(std::uint64_t done, double work, double seconds) const {
  constexpr std::size_t kWidth = 24;
  const double share = static_cast<double>(std::min(done, total_)) / static_cast<double>(total_);
  const std::size_t full = static_cast<std::size_t>(share * kWidth);
  std::string text =
      fmt::format("{} [{}{}] {:3.0f} %", label_, std::string(full, '#'), std::string(kWidth - full, '.'), 100 * share);
  if (seconds > 0) text += fmt::format("  {:.4g} {}/s", work / seconds, unit_);
  if (share > 0 && share < 1) {
    const auto left = static_cast<long long>(seconds * (1 - share) / share + 0.5);
    text += fmt::format("  {}:{:02} left", left / 60, left % 60);
  }
  return text;
}

}  // namespace winnow
