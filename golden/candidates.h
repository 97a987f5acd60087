#pragma once
// A3's greedy search: which keys may have a large score, found from the extreme elements of K alone.
//
// in    K's codes of a head, as columns (a dimension each) that are sorted once for all queries; a query's codes
// out   slots, ascending: the keys whose exact scores are worth computing
// Rule, an iteration: the largest product q_d * k_d that nobody has taken yet is taken from the top of its column, and
// added to its key's partial score if it is above 0; the smallest likewise if it is below 0, but not while the sum of
// all that was added before this iteration is negative. After the iterations a key is a candidate if its partial score
// is above 0.
// What the paper leaves open, decided here (docs/rivals.md): of equal products that of the lowest dimension is taken;
// equal codes of a column are in the order of their slots, so the top side meets the last of them first where q is
// positive; q_d = 0 counts as positive; where no partial score is above 0 the largest one's key, the first of equals,
// is the one candidate. Source: Ham et al., "A3", HPCA 2020 (arXiv 2002.10941), IV.C.
#include <cstdint>
#include <vector>

namespace winnow::golden {

class SortedColumns {
 public:
  struct Element {
    std::int16_t code = 0;
    std::uint32_t slot = 0;
  };
  // Codes [token][D]; `tokens` [n]: those of the n slots.
  void sort(const std::int16_t* k, const std::uint32_t* tokens, int n, int head_dim);
  int slots() const { return n_; }
  int head_dim() const { return head_dim_; }
  // The rank-th smallest of dimension d.
  const Element& at(int d, int rank) const {
    return elements_[static_cast<std::size_t>(d) * static_cast<std::size_t>(n_) + static_cast<std::size_t>(rank)];
  }

 private:
  int n_ = 0, head_dim_ = 0;
  std::vector<Element> elements_;
};

// Candidates of a query of D codes after `iterations`; never none where there is a slot.
std::vector<std::uint32_t> greedy_candidates(const SortedColumns& columns, const std::int16_t* q, int iterations);

}  // namespace winnow::golden
