#pragma once
// The quantizer of one KV head and its group of query heads: scales from the prompt's values, then codes a token at a
// time. `Quantized` (quant.h) quantizes a whole trace with it, `Session` (session.h) a generation whose later tokens
// are not known yet; both so get the same codes. Linear symmetric quantization: paper, III.D.
#include <cstddef>
#include <vector>

#include "golden/quant.h"

namespace winnow::golden {

class HeadQuantizer {
 public:
  // Scales of K and V from the prompt's rows, k and v [prompt][D]. `head`: layer * kv_heads + kv_head.
  HeadQuantizer(const Shape& shape, const Decisions& plan, std::size_t head, const float* k, const float* v);
  // The scale of query head `g` of the group from the prompt's rows [prompt][D].
  void read_query(std::size_t g, const float* q);

  // Makes room for shape.tokens tokens and writes the scales but for those of outputs. Needs every query's scale.
  void begin(HeadCodes& c) const;
  // Codes of one token's vector of D values; later values than the prompt's saturate. Tokens may come in any order, but
  // the sum of V that a step finds needs those before it, and the key of a page is made with the page's last token.
  void put_key(HeadCodes& c, std::size_t token, const float* k) const;
  void put_value(HeadCodes& c, std::size_t token, const float* v) const;
  // The merged token of a step, which has its own token's key and value already.
  void put_merged(HeadCodes& c, std::size_t step) const;
  void put_query(HeadCodes& c, std::size_t token, std::size_t g, const float* q) const;

  // Value of one code of V, of its largest scale.
  double v_unit() const { return v_unit_; }

 private:
  void put_page(HeadCodes& c, std::size_t last) const;
  void split_key(HeadCodes& c, std::size_t token) const;
  void code_in_basis(HeadCodes& c, std::size_t token, const float* k) const;

  std::size_t tokens_, prompt_, D_, G_;
  Decisions plan_;
  bool causal_;
  double attention_scale_;
  std::int32_t k_limit_, v_limit_;
  std::vector<double> k_unit_;  // [D] value of one code of K
  double v_unit_ = 0;
  std::vector<double> q_unit_;  // [group]

  // Of keys in a basis of their own; k_unit_ is then that of the 12-bit codes which a key has before it is coded.
  ChannelWidths widths_;
  KeyTables basis_;
  std::vector<double> turned_unit_;  // [group]
};

// The largest output of a query head that its scale has to hold: V's largest, or what `reference` saw on the prompt.
double largest_output(const Decisions& plan, const HeadCodes& c, double reference_prompt_max);
// Scales of a query head's outputs, under `most` = largest_output; `of_all`: the model's largest.
void set_output_scale(const Decisions& plan, bool causal, double most, double of_all, std::size_t g, HeadCodes& c);

}  // namespace winnow::golden
