#pragma once
// What tokens and heads have earned: sums of probabilities and of |out| over heads, layers and generated tokens.
//
// In:   importance adds tokens, `width` banks (bank = token mod width) of one a cycle; heads one a cycle. The sweep of
//       decay rewrites all tokens, `width` words a cycle; begin_step() asks for it.
// Out:  cascade reads it when it chooses, `width` banks of one word a cycle.
// State: importance of every token (one list, or one a layer and KV head), the rows in which a token was live and
// visible
//       (rule `normalised`), importance of every query head.
// Paper: III.A, III.B; docs/specification/numbers.md, "Importance". Widths: token 48 bits, head 64.
#include <cstdint>
#include <vector>

#include "golden/model.h"
#include "golden/policies/decisions.h"
#include "models/prim/fifo.h"
#include "models/prim/memory.h"

namespace winnow {

class ImportanceMemory : public MemoryBase {
 public:
  // `words`: of tokens, as elaborated; the run needs no more.
  ImportanceMemory(const golden::Shape& shape, const golden::Decisions& decisions, int width, int words)
      : MemoryBase({"importance_memory", "importance memory", "importance, cascade", "cascade"}),
        shape_(shape),
        decay_shift_(decisions.decay_shift),
        width_(width),
        words_(words),
        per_head_(decisions.per_kv_head) {
    const auto n = static_cast<std::size_t>(shape.tokens);
    tokens_.assign(per_head_ ? n * static_cast<std::size_t>(shape.layers * shape.kv_heads) : n, 0);
    chances_.assign(n, 0);
    heads_.assign(static_cast<std::size_t>(shape.heads), 0);
  }

  // State at the start of the range.
  void load(const std::vector<std::uint64_t>& tokens, const std::vector<std::uint64_t>& chances,
            const std::vector<std::uint64_t>& heads) {
    tokens_ = tokens, chances_ = chances, heads_ = heads;
  }
  // A generation step begins: decay is due.
  void begin_step(Cycle now) {
    if (decay_shift_ == 0) return;
    for (auto& x : tokens_) x = golden::decayed(x, decay_shift_);
    words_read_ += tokens_.size(), words_written_ += tokens_.size();
    // With a list a KV head the subtraction rides on the load of the list for its choice.
    sweep_from_ = now;
    if (!per_head_) sweep_ = (tokens_.size() + static_cast<std::size_t>(width_) - 1) / static_cast<std::size_t>(width_);
  }
  // At the start of cycle `now`, whatever the order of the blocks.
  bool sweeping(Cycle now) const { return sweep_ + (swept_ == now) != 0 && sweep_from_ < now; }
  void sweep(Cycle now) { --sweep_, swept_ = now; }  // a cycle of it
  bool drained() const override { return sweep_ == 0; }

  void add_token(std::size_t place, std::uint64_t p) { ++words_read_, ++words_written_, tokens_[place] += p; }
  void add_head(std::size_t head, std::uint64_t magnitude) { heads_[head] += magnitude; }
  void add_chance(std::uint32_t token, std::uint64_t rows) { chances_[token] += rows; }
  std::uint64_t read_token(std::size_t place) const { return ++words_read_, tokens_[place]; }
  std::uint64_t read_chances(std::uint32_t token) const { return chances_[token]; }
  std::uint64_t read_head(std::uint32_t head) const { return heads_[head]; }

  const std::vector<std::uint64_t>& tokens() const { return tokens_; }
  const std::vector<std::uint64_t>& chances() const { return chances_; }
  const std::vector<std::uint64_t>& heads() const { return heads_; }
  std::size_t base(int layer, int kv_head) const {
    return per_head_ ? static_cast<std::size_t>((layer * shape_.kv_heads + kv_head) * shape_.tokens) : 0;
  }

  MemoryShape shape() const override {
    return {static_cast<std::uint64_t>(words_), golden::kImportanceBits, width_, 1, 1};
  }

 private:
  golden::Shape shape_;
  int decay_shift_;
  int width_, words_;
  bool per_head_;
  std::uint64_t sweep_ = 0;  // cycles of decay still to go
  Cycle sweep_from_ = 0, swept_ = ~Cycle{0};
  std::vector<std::uint64_t> tokens_, chances_, heads_;
};

}  // namespace winnow
