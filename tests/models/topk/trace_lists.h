#pragma once
// Lists of selection scores as softmax hands them on: of a trace's rows, in double precision, 65536 = 1. An item is the
// sum of a token's probabilities over a KV head's query heads.
#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/models/topk/stream.h"
#include "traces/trace.h"

namespace winnow::topk::test {

// Of every `every`-th query that sees `joined`-th part of n keys or more, `most` lists at most. A list longer than the
// trace is made of `joined` heads' scores in one softmax.
inline std::vector<std::vector<std::uint64_t>> lists_of(const Trace& trace, unsigned n, unsigned joined, unsigned every,
                                                        std::size_t most) {
  const TraceMeta& m = trace.meta();
  const auto dim = static_cast<std::size_t>(m.head_dim), tokens = static_cast<std::size_t>(m.tokens);
  const std::size_t keys = n / joined;
  std::vector<std::vector<std::uint64_t>> lists;
  std::vector<float> q(tokens * dim), k(tokens * dim);
  for (int layer = 0; layer < m.layers && lists.size() < most; ++layer) {
    // Scores of each KV head's query heads: [row][KV head][query head of its group][key].
    const std::size_t first = m.causal ? keys - 1 : 0;
    std::vector<std::size_t> rows;
    for (std::size_t row = first; row < tokens; row += every) rows.push_back(row);
    std::vector<std::vector<double>> scores(rows.size() * static_cast<std::size_t>(m.heads));
    for (int head = 0; head < m.heads; ++head) {
      trace.read_q(layer, head, q.data());
      trace.read_k(layer, head / m.group(), k.data());
      for (std::size_t r = 0; r < rows.size(); ++r) {
        auto& to = scores[r * static_cast<std::size_t>(m.heads) + static_cast<std::size_t>(head)];
        for (std::size_t key = 0; key < keys; ++key) {
          double s = 0;
          for (std::size_t d = 0; d < dim; ++d) s += double{q[rows[r] * dim + d]} * k[key * dim + d];
          to.push_back(s * m.attention_scale);
        }
      }
    }
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (int kv = 0; kv + static_cast<int>(joined) <= m.kv_heads && lists.size() < most;
           kv += static_cast<int>(joined)) {
        std::vector<std::uint64_t> items(keys * joined);
        for (int g = 0; g < m.group(); ++g) {
          std::vector<double> row;
          for (unsigned j = 0; j < joined; ++j) {
            const auto head = static_cast<std::size_t>((kv + static_cast<int>(j)) * m.group() + g);
            const auto& s = scores[r * static_cast<std::size_t>(m.heads) + head];
            row.insert(row.end(), s.begin(), s.end());
          }
          const double top = *std::max_element(row.begin(), row.end());
          double sum = 0;
          for (double& s : row) sum += s = std::exp(s - top);
          for (std::size_t i = 0; i < row.size(); ++i)
            items[i] += static_cast<std::uint64_t>(std::min(65535.0, std::round(65536 * row[i] / sum)));
        }
        lists.push_back(std::move(items));
      }
  }
  return lists;
}

inline std::vector<StreamJob> jobs_of(const std::vector<std::vector<std::uint64_t>>& lists, Rule rule, double share) {
  std::vector<StreamJob> jobs;
  for (const auto& items : lists) {
    const auto n = static_cast<unsigned>(items.size());
    const auto amount = static_cast<unsigned>(std::lround(share * (rule == Rule::count ? n : 65536)));
    jobs.push_back({{n, rule, std::max(1u, amount)}, items});
  }
  return jobs;
}

}  // namespace winnow::topk::test
