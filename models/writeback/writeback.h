#pragma once
// Write-back: output vectors become bursts.
//
// In:   Fifo<OutputVector>: D 12-bit two's complement values and the 32 B aligned address of the first.
// Out:  Fifo<WriteBurst> to the fetcher.
// Words: word i is bits [i*12, i*12 + 12) from the address on, least significant bit first; a vector takes
//       ceil(D * 12 / 8 / 32) bursts, the rest of the last one is zero (so the layout's stride is whole bursts).
// Rate: one burst a cycle. Latency: first burst one cycle after the vector was taken; the next vector is taken
//       with the last burst of the one before, so there is no bubble.
// State: the vector's bits (shift register), bursts left. Waits for: fetcher (write FIFO full).
// Paper: IV.G, out is 12 bit; the write port is this project's: docs/specification/layout.md, "Outputs".
#include <array>
#include <cstdint>

#include "models/links/outputs.h"
#include "models/links/write_bursts.h"
#include "models/prim/block.h"

namespace winnow {

// Bursts of one output vector of `words` words.
constexpr int output_bursts(int words) {
  return static_cast<int>(golden::bursts_of(golden::packed_bytes(words, golden::kWordBits)));
}

class WriteBack : public Block {
 public:
  WriteBack(Fifo<OutputVector>& in, Fifo<WriteBurst>& out) : Block("writeback", "writeback"), in_(in), out_(out) {}

  void tick(Cycle now) override;
  std::vector<StoredWords> registers() const override { return {{"vector", 1, 8 * static_cast<int>(bytes_.size())}}; }
  bool idle() const override { return left_ == 0 && in_.drained(); }
  std::string doing() const override;

  std::uint64_t vectors() const { return vectors_; }            // taken
  std::uint64_t useful_bytes() const { return useful_bytes_; }  // of the vectors taken
  std::uint64_t bursts() const { return bursts_; }              // sent, 32 B each

  const Wait kFetcher = stats_.waits_for("fetcher", "fetcher");

 private:
  void take(const OutputVector& vector);

  Fifo<OutputVector>& in_;
  Fifo<WriteBurst>& out_;
  std::array<std::uint8_t, output_bursts(kMaxHeadDim) * kBurstBytes> bytes_{};
  Tag tag_;
  std::uint64_t address_ = 0;
  int next_ = 0, left_ = 0;  // bursts of the vector held
  std::uint64_t vectors_ = 0, useful_bytes_ = 0, bursts_ = 0;
};

}  // namespace winnow
