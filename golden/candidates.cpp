#include "golden/candidates.h"

#include <algorithm>
#include <queue>

namespace winnow::golden {
namespace {

// One side of the search: the extreme product of each dimension that is not yet used up, the most extreme on top.
// `sign` is 1 for the largest products, -1 for the smallest.
class Side {
 public:
  Side(const SortedColumns& columns, const std::int16_t* q, int sign) : columns_(columns), q_(q), sign_(sign) {
    taken_.resize(static_cast<std::size_t>(columns.head_dim()));
    for (int d = 0; d < columns.head_dim(); ++d) push(d);
  }
  struct Taken {
    std::int64_t product = 0;
    std::uint32_t slot = 0;
  };
  bool empty() const { return heap_.empty(); }
  Taken take() {
    const Entry top = heap_.top();
    heap_.pop();
    ++taken_[static_cast<std::size_t>(top.d)];
    push(top.d);
    return {sign_ * top.extreme, top.slot};
  }

 private:
  struct Entry {
    std::int64_t extreme;
    int d;
    std::uint32_t slot;
    bool operator<(const Entry& o) const { return extreme != o.extreme ? extreme < o.extreme : d > o.d; }
  };
  void push(int d) {
    const int taken = taken_[static_cast<std::size_t>(d)], n = columns_.slots();
    if (taken == n) return;
    // A positive query element makes its largest product with the largest code.
    const bool from_top = (q_[d] >= 0) == (sign_ > 0);
    const SortedColumns::Element& e = columns_.at(d, from_top ? n - 1 - taken : taken);
    heap_.push({sign_ * std::int64_t{q_[d]} * e.code, d, e.slot});
  }

  const SortedColumns& columns_;
  const std::int16_t* q_;
  int sign_;
  std::vector<int> taken_;
  std::priority_queue<Entry> heap_;
};

}  // namespace

void SortedColumns::sort(const std::int16_t* k, const std::uint32_t* tokens, int n, int head_dim) {
  n_ = n, head_dim_ = head_dim;
  const auto N = static_cast<std::size_t>(n), D = static_cast<std::size_t>(head_dim);
  elements_.resize(D * N);
  for (std::size_t d = 0; d < D; ++d) {
    Element* column = &elements_[d * N];
    for (std::size_t j = 0; j < N; ++j) column[j] = {k[tokens[j] * D + d], static_cast<std::uint32_t>(j)};
    std::stable_sort(column, column + n, [](const Element& a, const Element& b) { return a.code < b.code; });
  }
}

std::vector<std::uint32_t> greedy_candidates(const SortedColumns& columns, const std::int16_t* q, int iterations) {
  std::vector<std::int64_t> partial(static_cast<std::size_t>(columns.slots()));
  Side largest(columns, q, 1), smallest(columns, q, -1);
  std::int64_t sum = 0;
  for (int i = 0; i < iterations; ++i) {
    const std::int64_t before = sum;
    const auto add = [&](const Side::Taken& t) { partial[t.slot] += t.product, sum += t.product; };
    if (!largest.empty())
      if (const Side::Taken t = largest.take(); t.product > 0) add(t);
    if (before >= 0 && !smallest.empty())
      if (const Side::Taken t = smallest.take(); t.product < 0) add(t);
  }
  std::vector<std::uint32_t> slots;
  for (std::size_t j = 0; j < partial.size(); ++j)
    if (partial[j] > 0) slots.push_back(static_cast<std::uint32_t>(j));
  if (slots.empty() && !partial.empty())
    slots.push_back(static_cast<std::uint32_t>(std::max_element(partial.begin(), partial.end()) - partial.begin()));
  return slots;
}

}  // namespace winnow::golden
