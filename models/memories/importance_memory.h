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
#include <algorithm>
#include <cstdint>
#include <vector>

#include "golden/model.h"
#include "golden/policies/decisions.h"
#include "models/prim/fifo.h"
#include "models/prim/memory.h"

namespace winnow {

class ImportanceMemory : public MemoryBase {
 public:
  // `words`: of tokens, as elaborated; the run needs no more. Every sequence of a batch has its own.
  ImportanceMemory(const golden::Shape& shape, const golden::Decisions& decisions, int width, int words,
                   int sequences = 1)
      : MemoryBase({"importance_memory", "importance memory", "importance, cascade", "cascade"}),
        shape_(shape),
        decay_shift_(decisions.decay_shift),
        renews_(decisions.renews),
        width_(width),
        words_(words),
        per_head_(decisions.importance_per_head()),
        lists_(decisions.importance_per_head() ? static_cast<std::size_t>(shape.layers * shape.kv_heads) : 1),
        list_tokens_(static_cast<std::size_t>(sequences), static_cast<std::size_t>(shape.tokens)) {
    const auto n = static_cast<std::size_t>(shape.tokens);
    const auto all = static_cast<std::size_t>(sequences);
    of_tokens_ = n * lists_;
    tokens_.assign(all * of_tokens_, 0);
    chances_.assign(all * n, 0);
    heads_.assign(all * static_cast<std::size_t>(shape.heads), 0);
  }

  // A sequence's state at the start of the range. Its sentence may be shorter than the longest: so are its lists.
  void load(const std::vector<std::uint64_t>& tokens, const std::vector<std::uint64_t>& chances,
            const std::vector<std::uint64_t>& heads, int sequence = 0) {
    const auto i = static_cast<std::ptrdiff_t>(sequence);
    list_tokens_[static_cast<std::size_t>(sequence)] = tokens.size() / lists_;
    std::copy(tokens.begin(), tokens.end(), tokens_.begin() + i * static_cast<std::ptrdiff_t>(of_tokens_));
    std::copy(chances.begin(), chances.end(), chances_.begin() + i * shape_.tokens);
    std::copy(heads.begin(), heads.end(), heads_.begin() + i * shape_.heads);
  }
  // A generation step of a sequence begins: decay is due, or importance begins `anew`. Then a bit a list says that
  // nothing was written to it yet and that its words read as 0, so that no sweep clears them.
  void begin_step(Cycle now, int sequence = 0, bool anew = false) {
    const auto from = tokens_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(sequence) * of_tokens_);
    if (anew) std::fill_n(from, of_tokens_, 0);
    if (decay_shift_ == 0) return;
    std::for_each_n(from, of_tokens_, [&](std::uint64_t& x) { x = golden::decayed(x, decay_shift_); });
    words_read_ += of_tokens_, words_written_ += of_tokens_;
    // With a list a KV head the subtraction rides on the load of the list for its choice.
    sweep_from_ = now;
    if (!per_head_) sweep_ += (of_tokens_ + static_cast<std::size_t>(width_) - 1) / static_cast<std::size_t>(width_);
  }
  // At the start of cycle `now`, whatever the order of the blocks.
  bool sweeping(Cycle now) const { return sweep_ + (swept_ == now) != 0 && sweep_from_ < now; }
  void sweep(Cycle now) { --sweep_, swept_ = now; }  // a cycle of it
  bool drained() const override { return sweep_ == 0; }

  // Where importance begins anew in a step that adds to it, each word is written once, and nothing is read first.
  void add_token(std::size_t place, std::uint64_t p) {
    words_read_ += !renews_;
    ++words_written_, tokens_[place] += p;
  }
  void add_head(std::size_t head, std::uint64_t magnitude) { heads_[head] += magnitude; }
  void add_chance(std::uint32_t place, std::uint64_t rows) { chances_[place] += rows; }
  std::uint64_t read_token(std::size_t place) const { return ++words_read_, tokens_[place]; }
  std::uint64_t read_chances(std::uint32_t place) const { return chances_[place]; }
  std::uint64_t read_head(std::uint32_t head) const { return heads_[head]; }

  const std::vector<std::uint64_t>& tokens() const { return tokens_; }
  const std::vector<std::uint64_t>& chances() const { return chances_; }
  const std::vector<std::uint64_t>& heads() const { return heads_; }
  // Where a list of a sequence begins, its chances, and its heads.
  std::size_t base(int layer, int kv_head, int sequence = 0) const {
    const auto i = static_cast<std::size_t>(sequence);
    const auto list = per_head_ ? static_cast<std::size_t>(layer * shape_.kv_heads + kv_head) : 0;
    return i * of_tokens_ + list * list_tokens_[i];
  }
  std::size_t chances_base(int sequence) const { return static_cast<std::size_t>(sequence * shape_.tokens); }
  std::size_t heads_base(int sequence) const { return static_cast<std::size_t>(sequence * shape_.heads); }

  MemoryShape shape() const override {
    return {static_cast<std::uint64_t>(words_), golden::kImportanceBits, width_, 1, 1};
  }

 private:
  golden::Shape shape_;
  int decay_shift_;
  bool renews_;
  int width_, words_;
  bool per_head_;
  std::size_t lists_;                     // of tokens, a sequence
  std::vector<std::size_t> list_tokens_;  // words of one of them, a sequence each
  std::size_t of_tokens_ = 0;             // words that a sequence has at most
  std::uint64_t sweep_ = 0;               // cycles of decay still to go
  Cycle sweep_from_ = 0, swept_ = ~Cycle{0};
  std::vector<std::uint64_t> tokens_, chances_, heads_;
};

}  // namespace winnow
