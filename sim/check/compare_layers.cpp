#include "sim/check/compare_layers.h"

#include <algorithm>
#include <numeric>

namespace winnow {

std::uint64_t LayerComparison::compared() const {
  return std::accumulate(compared_.begin(), compared_.end(), std::uint64_t{0});
}
std::uint64_t LayerComparison::different() const {
  return std::accumulate(different_.begin(), different_.end(), gave_up_);
}

void LayerComparison::gave_up(const std::string& why) {
  ++gave_up_;
  if (first_.empty()) first_ = actual_ + " " + why;
}

template <class A, class B>
void LayerComparison::value(CheckKind kind, const A& a, const B& b, const std::string& what, std::uint64_t at) {
  ++compared_[static_cast<std::size_t>(kind)];
  if (a == b) return;
  ++different_[static_cast<std::size_t>(kind)];
  if (first_.empty())
    first_ = place_ + what + " " + std::to_string(at) + ": " + expected_ + " " + std::to_string(a) + ", " + actual_ +
             " " + std::to_string(b);
}

template <class List>
void LayerComparison::list(CheckKind kind, const List& a, const List& b, const std::string& what) {
  if (a.size() != b.size()) value(kind, a.size(), b.size(), "number of values, " + what, 0);
  const auto n = std::min(a.size(), b.size());
  // Equal runs are counted at once: lists are long and hardly ever differ.
  if (std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin())) {
    compared_[static_cast<std::size_t>(kind)] += n;
    return;
  }
  for (std::size_t i = 0; i < n; ++i) value(kind, a[i], b[i], what, i);
}

void LayerComparison::row(const golden::RowRecord& a, const golden::RowRecord& b) {
  const std::string place = place_;
  place_ += "KV head " + std::to_string(a.kv_head) + ": ";
  value(CheckKind::survivors, a.position, b.position, "query position", 0);
  value(CheckKind::survivors, a.kv_head, b.kv_head, "KV head", 0);
  value(CheckKind::survivors, a.row.keys, b.row.keys, "keys seen", 0);
  const bool all = detail_ == LayerDetail::everything;
  if (all) value(CheckKind::survivors, a.row.stages, b.row.stages, "stages", 0);
  for (std::size_t i = 0; i < std::size(a.row.survivors); ++i)
    list(CheckKind::survivors, a.row.survivors[i], b.row.survivors[i],
         "survivor of stage " + std::to_string(i + 1) + ", number");
  list(CheckKind::survivors, a.row.values, b.row.values, "fetched value, number");
  value(CheckKind::refetch, a.row.refetched, b.row.refetched, "refetched", 0);
  if (all) value(CheckKind::refetch, a.row.flat, b.row.flat, "flat heads", 0);
  list(CheckKind::probabilities, a.row.p, b.row.p, "probability");
  if (all) list(CheckKind::probabilities, a.row.denominator, b.row.denominator, "denominator of head");
  if (all) list(CheckKind::outputs, a.row.out, b.row.out, "output of the row");
  place_ = place;
}

void LayerComparison::compare(const golden::LayerResult& a, const golden::LayerResult& b) {
  place_ = "step " + std::to_string(a.step) + ", layer " + std::to_string(a.layer) + ": ";
  value(CheckKind::survivors, a.step, b.step, "step", 0);
  value(CheckKind::survivors, a.layer, b.layer, "layer", 0);
  value(CheckKind::survivors, a.tokens, b.tokens, "tokens so far", 0);
  list(CheckKind::survivors, a.positions, b.positions, "query position, number");
  value(CheckKind::survivors, a.live.size(), b.live.size(), "lists of live tokens", 0);
  for (std::size_t kv = 0; kv < std::min(a.live.size(), b.live.size()); ++kv)
    list(CheckKind::survivors, a.live[kv], b.live[kv], "live token of KV head " + std::to_string(kv) + ", number");
  list(CheckKind::survivors, a.heads, b.heads, "live heads of KV head");
  if (detail_ == LayerDetail::everything) {
    list(CheckKind::survivors, a.next_live, b.next_live, "token of the next layer, number");
    list(CheckKind::survivors, a.next_heads, b.next_heads, "head of the next layer, number");
    value(CheckKind::survivors, a.row_groups, b.row_groups, "rows", 0);
    value(CheckKind::survivors, a.row_heads, b.row_heads, "rows of heads", 0);
    value(CheckKind::survivors, a.keys_seen, b.keys_seen, "keys seen", 0);
    value(CheckKind::survivors, a.survivors, b.survivors, "survivors", 0);
    value(CheckKind::survivors, a.values, b.values, "values fetched", 0);
    value(CheckKind::refetch, a.flat, b.flat, "flat rows", 0);
    value(CheckKind::refetch, a.refetched, b.refetched, "refetched rows", 0);
  }
  list(CheckKind::outputs, a.out, b.out, "output");
  list(CheckKind::importance, a.importance, b.importance, "importance of token");
  list(CheckKind::importance, a.head_importance, b.head_importance, "importance of head");
  list(CheckKind::bytes, a.accesses.useful, b.accesses.useful, "useful bytes, kind");
  list(CheckKind::bytes, a.accesses.stream_bursts, b.accesses.stream_bursts, "bursts of stream");
  value(CheckKind::bytes, a.accesses.write_bursts, b.accesses.write_bursts, "write bursts", 0);
  value(CheckKind::survivors, a.rows.size(), b.rows.size(), "recorded rows", 0);
  for (std::size_t i = 0; i < std::min(a.rows.size(), b.rows.size()); ++i) row(a.rows[i], b.rows[i]);
}

}  // namespace winnow
