#include "golden/pages.h"

#include <algorithm>

#include "golden/page_tokens.h"
#include "golden/score_rule.h"
#include "golden/select.h"

namespace winnow::golden {

void PageStage::choose(int layer, int kv_head, int position, std::uint32_t heads, const PageChoice& choice,
                       std::vector<std::uint32_t>& tokens) {
  const HeadCodes& c = model_.head(layer, kv_head);
  const PageKeys& keys = model_.decisions().pages;
  const auto D = static_cast<std::size_t>(model_.shape().head_dim),
             G = static_cast<std::size_t>(model_.shape().group());
  const std::size_t n = choice.scored();
  const int dropped = keys.dropped(model_.digits().bits());
  scores_.resize(n), exponentials_.resize(n), items_.assign(n, 0);
  for (std::size_t g = 0; g < G; ++g) {
    if (!((heads >> g) & 1)) continue;
    const std::int16_t* q = &c.q[(static_cast<std::size_t>(position) * G + g) * D];
    for (std::size_t i = 0; i < n; ++i) {
      const std::int16_t* word = &c.page[(choice.first + i) * D];
      std::int64_t s = 0;
      for (std::size_t d = 0; d < D; ++d)
        s += q[d] * (keys.bounds ? page_bound(word[d], q[d], keys.bits) : static_cast<std::int32_t>(word[d]));
      scores_[i] = s * (1 << dropped);
    }
    const std::int64_t top = *std::max_element(scores_.begin(), scores_.end());
    const ScoreRule rule = score_rule(model_.decisions(), c.to_log2[g], true, 0, false, 0, 0, 0);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += exponentials_[i] = rule.weight(top, scores_[i]);
    const std::uint64_t recip = reciprocal(saturating_denominator(sum));
    for (std::size_t i = 0; i < n; ++i)
      items_[i] = std::max<std::uint64_t>(items_[i], probability(exponentials_[i], recip));
  }
  select_count(std::span<const std::uint64_t>(items_), choice.keep, kept_);
  tokens = page_tokens(choice, kept_, static_cast<std::uint32_t>(position) + 1);
}

}  // namespace winnow::golden
