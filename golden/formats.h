#pragma once
// Widths, limits and orders that golden, the machine, the CUDA kernels and the reports share. Each is said here and
// nowhere else; who needs one includes this. Host and device, no state.
//
// Sources: 12-bit words on chip, 16-bit probabilities, 12-bit outputs: paper, IV. Bursts of 32 bytes: HBM2, a
// pseudo-channel of 64 bits at burst length 4. Records, token scales and widths: docs/specification/.
#include <cstdint>

#ifdef __CUDACC__
#define WINNOW_HD __host__ __device__
#else
#define WINNOW_HD
#endif

namespace winnow::golden {

// --- memory ---------------------------------------------------------------------------------------------------------

inline constexpr int kBurstBytes = 32;

// What a fetch brings, and so where it is delivered. Counts of bursts stand in this order.
enum class Stream : std::uint8_t {
  query,        // D words of one or more query heads
  key,          // one digit plane of K, or full-width K
  value,        // V, or the sum of V
  value_scale,  // one 16-bit word a token
  record,       // what only survivors need: digits of K, or digits of K and V side by side
  descriptor,   // a layer's scales, one word of 64 bits a query head
};
inline constexpr int kStreams = 6;

// What bytes are counted by: useful bytes stand in this order.
enum class Kind : std::uint8_t { query, key_msb, key_lsb, value, value_scale, out, descriptor };
inline constexpr int kKinds = 7;
inline constexpr const char* kKindNames[kKinds] = {"query",       "key_msb", "key_lsb",   "value",
                                                   "value_scale", "out",     "descriptor"};

// Bytes of `words` words of `bits` bits side by side; their bits are a multiple of 8.
WINNOW_HD constexpr std::uint32_t packed_bytes(int words, int bits) {
  return static_cast<std::uint32_t>(words) * static_cast<std::uint32_t>(bits) / 8;
}
WINNOW_HD constexpr std::uint32_t bursts_of(std::uint32_t bytes) { return (bytes + kBurstBytes - 1) / kBurstBytes; }
WINNOW_HD constexpr std::uint32_t whole_bursts(std::uint32_t bytes) { return bursts_of(bytes) * kBurstBytes; }

// Queries of a prompt are fetched this many positions at a time, so that their stream never blocks K and V behind it.
inline constexpr int kQueryChunk = 8;

// --- words ----------------------------------------------------------------------------------------------------------

inline constexpr int kWordBits = 12;        // of queries and outputs, of the multipliers' operands; the most of K and V
inline constexpr int kLeastWordBits = 2;    // the least of K's digits and of V
inline constexpr int kValueScaleBits = 16;  // of V's scale a token, in memory
inline constexpr int kValueSumBits = 24;    // of the sum of V over a KV head's tokens, in memory
inline constexpr int kDescriptorBits = 64;  // of a query head's scales, in memory
inline constexpr int kProbabilityBits = 16;  // 65536 = 1
inline constexpr int kHeadWeightBits = 16;   // of a query head's output, behind its query in memory

// --- what top-k engines compare -------------------------------------------------------------------------------------

inline constexpr int kImportanceBits = 48;      // of a token
inline constexpr int kHeadImportanceBits = 64;  // of a query head
// Selection score of a token: a sum of probabilities over a group's query heads, 16 + ceil(log2(group)) bits.
WINNOW_HD constexpr int selection_score_bits(int group) {
  int bits = kProbabilityBits;
  while (group > 1 << (bits - kProbabilityBits)) ++bits;
  return bits;
}

// --- limits ---------------------------------------------------------------------------------------------------------

inline constexpr int kMaxHeadDim = 256;                 // a dot product of 256 products of 23 bits fits 32 bits
inline constexpr int kMaxGroup = 32;                    // query heads of a KV head: their liveness is one word
inline constexpr int kMaxSummedTokens = (1 << 14) - 1;  // a sum of V over so many fits its words
inline constexpr int kMaxMergedTokens = (1 << 12) - 1;  // their number times an exponential fits 33 bits
inline constexpr int kMaxStages = 3;                    // of a progressive selection
inline constexpr int kMaxDigits = kMaxStages + 1;       // of K: one plane a stage, and the last digits

}  // namespace winnow::golden
