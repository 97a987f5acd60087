#pragma once
// A progress line with rate and time left on a terminal; silent in a pipe.
#include <chrono>
#include <cstdint>
#include <string>

namespace winnow {

class Progress {
 public:
  // `total` steps of work; `unit` is what the rate counts ("kcycles").
  Progress(std::string label, std::uint64_t total, std::string unit);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` of total steps; `work` units done so far. Draws at most five times a second.
  void at(std::uint64_t done, double work);
  // Takes the line away.
  void finish();

  // The line for `done` steps and `work` units after `seconds`.
  std::string line(std::uint64_t done, double work, double seconds) const;

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_, unit_;
  std::uint64_t total_;
  bool terminal_, drawn_ = false;
  Clock::time_point start_, last_;
};

}  // namespace winnow
