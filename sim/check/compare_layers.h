#pragma once
// Two engines' results of the same layer, value for value.
//
// in   what each engine says of one layer of one step
// out  how many values of each kind were compared, and the first that differs, with its place
#include <array>
#include <cstdint>
#include <string>

#include "golden/walk.h"

namespace winnow {

enum class CheckKind : std::uint8_t { outputs, probabilities, survivors, importance, refetch, bytes };
inline constexpr int kComparedKinds = 6;
inline constexpr const char* kComparedNames[kComparedKinds] = {"outputs",    "probabilities", "survivors",
                                                               "importance", "refetch flags", "byte counts"};

// What is compared. A machine keeps of a layer what leaves its blocks: no denominators, no rows' outputs beside those
// in memory, no sums over rows, no lists of the next layer (the next layer's own lists are compared in their turn).
enum class LayerDetail : std::uint8_t { everything, machine };

class LayerComparison {
 public:
  LayerComparison(std::string expected, std::string actual, LayerDetail detail = LayerDetail::everything)
      : expected_(std::move(expected)), actual_(std::move(actual)), detail_(detail) {}
  void compare(const golden::LayerResult& expected, const golden::LayerResult& actual);

  std::uint64_t compared(CheckKind kind) const { return compared_[static_cast<std::size_t>(kind)]; }
  std::uint64_t different(CheckKind kind) const { return different_[static_cast<std::size_t>(kind)]; }
  std::uint64_t compared() const;
  std::uint64_t different() const;
  // The actual engine gave up: counts as a difference.
  void gave_up(const std::string& why);
  bool stopped() const { return gave_up_ != 0; }
  // "step 3, layer 2: importance of token 7: golden 12, cuda 13"; empty when all are equal.
  const std::string& first_difference() const { return first_; }

 private:
  template <class A, class B>
  void value(CheckKind kind, const A& a, const B& b, const std::string& what, std::uint64_t at);
  template <class List>
  void list(CheckKind kind, const List& a, const List& b, const std::string& what);
  void row(const golden::RowRecord& a, const golden::RowRecord& b);

  std::string expected_, actual_, place_, first_;
  LayerDetail detail_;
  std::uint64_t gave_up_ = 0;
  std::array<std::uint64_t, kComparedKinds> compared_{}, different_{};
};

}  // namespace winnow
