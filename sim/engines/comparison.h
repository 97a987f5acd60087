#pragma once
// Counts what was compared, by kind, and keeps the first difference with its place. Every comparison of results in this
// project goes through it: a machine or CUDA against golden, a workload's run against its closed form.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace winnow {

enum class CompareKind : std::uint8_t { outputs, probabilities, decisions, importances, counts };
inline constexpr int kCompareKinds = 5;
inline constexpr const char* kCompareNames[kCompareKinds] = {"outputs", "probabilities", "decisions", "importances",
                                                             "byte and burst counts"};

class Comparison {
 public:
  // Names of the two sides, as a difference says them.
  Comparison(std::string expected, std::string actual) : expected_(std::move(expected)), actual_(std::move(actual)) {}

  // `place()`: what is compared and where, "step 2 layer 5 head 3: output". Called only for the first difference.
  template <class A, class B, class Place>
  void same(CompareKind kind, const A& expected, const B& actual, Place&& place) {
    ++compared_[index(kind)];
    if (expected == actual) return;
    ++different_[index(kind)];
    if (first_.empty()) first_ = fmt::format("{}: {} {}, {} {}", place(), actual_, actual, expected_, expected);
  }
  // Entry by entry, and how many there are. `place(i)`.
  template <class A, class B, class Place>
  void lists(CompareKind kind, const A& expected, const B& actual, const std::string& what, Place&& place) {
    same(kind, expected.size(), actual.size(), [&] { return what + ": how many"; });
    const auto n = std::min(expected.size(), actual.size());
    // Equal runs are counted at once: lists are long and hardly ever differ.
    if (std::equal(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(n), actual.begin())) {
      compared_[index(kind)] += n;
      return;
    }
    for (std::size_t i = 0; i < n; ++i) same(kind, expected[i], actual[i], [&] { return place(i); });
  }
  template <class A, class B>
  void lists(CompareKind kind, const A& expected, const B& actual, const std::string& what) {
    lists(kind, expected, actual, what, [&](std::size_t i) { return fmt::format("{}: entry {}", what, i); });
  }
  // The actual side gave up: counts as a difference.
  void gave_up(const std::string& why) {
    ++gave_up_;
    if (first_.empty()) first_ = actual_ + " " + why;
  }

  const std::string& expected() const { return expected_; }
  const std::string& actual() const { return actual_; }
  std::uint64_t compared(CompareKind kind) const { return compared_[index(kind)]; }
  std::uint64_t different(CompareKind kind) const { return different_[index(kind)]; }
  std::uint64_t compared() const;
  std::uint64_t different() const;
  bool stopped() const { return gave_up_ != 0; }
  // "step 2 layer 5 head 3 position 129 dimension 17: output: machine 12, golden 13"; empty when all are equal.
  const std::string& first_difference() const { return first_; }

 private:
  static std::size_t index(CompareKind kind) { return static_cast<std::size_t>(kind); }

  std::string expected_, actual_, first_;
  std::uint64_t gave_up_ = 0;
  std::array<std::uint64_t, kCompareKinds> compared_{}, different_{};
};

}  // namespace winnow
