#include "models/controller/rows.h"

#include <algorithm>
#include <string>

#include "golden/error.h"

namespace winnow::controller {

int Rows::key_bits(const Head& h) const { return h.paging ? s_.decisions.pages.word_bits() : token_key_bits(h); }

int Rows::token_key_bits(const Head& h) const {
  const golden::Digits& digits = s_.decisions.digits;
  if (h.layer->plan.full_width) return digits.bits();
  int most = 0;
  const int passes = s_.decisions.crude_query() ? 1 : digits.count;
  for (int i = 0; i < passes; ++i)
    most = std::max(most, static_cast<int>(h.plan->key_bits[static_cast<std::size_t>(i)]));
  return most;
}

std::uint32_t Rows::of_keys(const Head& h, std::uint32_t tokens) const {
  return s_.memories.keys.rows_of(tokens, key_bits(h));
}
std::uint32_t Rows::of_second(std::uint32_t tokens) const { return s_.memories.keys.rows_of(tokens, second_bits()); }
std::uint32_t Rows::of_values(const Head& h, std::uint32_t tokens) const {
  return s_.memories.values.rows_of(tokens, value_bits(h));
}

std::uint32_t Rows::held(const Head& h) const {
  return (h.holds_key ? s_.memories.keys.rows_held(h.half) : 0) +
         (h.holds_values ? s_.memories.values.rows_held(h.half) : 0);
}

std::uint32_t Rows::need(const Head& h, bool key_taken, bool values_taken) const {
  const std::uint32_t live = h.tokens;
  const bool crude = !h.layer->plan.full_width && s_.decisions.crude_query();
  // Behind the keys of its pages come those of its tokens.
  return (h.paging ? s_.memories.keys.rows_of(live, token_key_bits(h)) : 0) +
         (crude && !h.second_begun && !key_taken ? of_second(live) : 0) +
         (!h.value_begun && !values_taken ? of_values(h, live) : 0);
}

bool Rows::may_take(const Head& taker, std::uint32_t rows, bool for_key, bool for_values) {
  const KvBuffer& keys = s_.memories.keys;
  if (!keys.pooled()) return true;
  const auto all = static_cast<std::uint32_t>(keys.store().rows());
  if (rows + held(taker) > all)
    throw Error(std::string(keys.label()) + ": rows: " + std::to_string(rows) + " for KV head " +
                std::to_string(taker.plan->kv_head) + " of layer " + std::to_string(taker.layer->plan.layer) +
                " beside the " + std::to_string(held(taker)) + " that it holds: must be at most the pool's " +
                std::to_string(all) + " (qk.sram.tokens and pv.sram.tokens say how many)");
  std::uint32_t free = keys.store().free_rows();
  bool may = rows <= free;
  if (may) {
    free -= rows;
    for (const Head& h : s_.heads) {
      const bool takes = &h == &taker;
      const std::uint32_t has = held(h) + (takes ? rows : 0);
      if (has == 0) continue;
      const bool opens = takes && !h.holds_key && for_key;  // its K: what follows is still to come
      const std::uint32_t more = need(h, takes && for_key && !opens, takes && for_values);
      if (std::min(more, all - has) > free) {
        may = false;
        break;
      }
      free += has;
    }
  }
  // Rows come free without a message.
  if (!may) s_.blocked = true;
  return may;
}

}  // namespace winnow::controller
