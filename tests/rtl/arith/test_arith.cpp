// Every unit of rtl/arith against its function in golden/num.h (arith.units): all inputs where they have 26 bits
// together or fewer, random ones and corners else. Streams have gaps and stalls; each result must come after exactly
// the unit's stages, and as many must come as went in.
//   test_rtl_arith [--unit NAME] [--inputs N | --full] [--seed N]
//   mutants_arith --mutants TABLE     the same of a copy with planted bugs: each must be seen
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "golden/num.h"
#include "sim/rtl/verilated_block.h"
#include "tests/rtl/arith/golden.h"
#include "tests/rtl/cli.h"
#include "tests/rtl/lockstep/lockstep.h"
#include "tests/rtl/mutants.h"

namespace {

using Rtl = WINNOW_RTL_CLASS;
using winnow::lockstep::Random;

constexpr unsigned kMostBits = 2112;  // of a unit's inputs
constexpr unsigned kWholeBits = 26;   // all inputs of so many bits are tried
using Words = std::array<std::uint64_t, kMostBits / 64 + 1>;

// Values of a field, as bits of a vector ----------------------------------------------------------------------------

template <int Bits, bool Signed>
std::int64_t field(const Words& words, unsigned at) {
  const unsigned w = at / 64, shift = at % 64;
  std::uint64_t x = words[w] >> shift;
  if (shift + Bits > 64) x |= words[w + 1] << (64 - shift);
  if constexpr (Bits == 64) return static_cast<std::int64_t>(x);
  x <<= 64 - Bits;
  return Signed ? static_cast<std::int64_t>(x) >> (64 - Bits) : static_cast<std::int64_t>(x >> (64 - Bits));
}
void put_bits(Words& words, unsigned at, unsigned bits, std::uint64_t x) {
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  const unsigned w = at / 64, shift = at % 64;
  x &= mask;
  words[w] = (words[w] & ~(mask << shift)) | x << shift;
  if (shift + bits > 64) words[w + 1] = (words[w + 1] & ~(mask >> (64 - shift))) | x >> (64 - shift);
}
template <int Bits>
void put(Words& words, unsigned at, std::int64_t x) {
  put_bits(words, at, Bits, static_cast<std::uint64_t>(x));
}

// A port is an integer or an array of 32-bit words.
template <class Port>
void to_port(Port& port, const Words& words) {
  if constexpr (std::is_integral_v<Port>)
    port = static_cast<Port>(words[0]);
  else
    for (unsigned i = 0; i < sizeof port / 4; ++i) port[i] = static_cast<std::uint32_t>(words[i / 2] >> (32 * (i % 2)));
}
template <class Port>
void of_port(const Port& port, Words& words) {
  if constexpr (std::is_integral_v<Port>)
    words[0] = port;
  else
    for (unsigned i = 0; i < sizeof port / 4; ++i) {
      if (i % 2 == 0) words[i / 2] = 0;
      words[i / 2] |= std::uint64_t{port[i]} << (32 * (i % 2));
    }
}

// Of a unit that adds up; fresh before its first input.
struct State {
  std::int64_t value = 0;
  bool fresh = true;
};
struct Span {
  unsigned bits, lanes;
};
struct Unit {
  const char* name;
  unsigned number, in_bits, out_bits, depth;
  std::span<const Span> inputs;
  void (*golden)(Words& in, Words& out, State& state);  // brings the inputs into range, too
  void (*give)(Rtl& rtl, const Words& in);
  void (*take)(const Rtl& rtl, Words& out);

  bool whole() const { return in_bits <= kWholeBits; }
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "arith_units.inc"
#pragma GCC diagnostic pop

// Stimuli -----------------------------------------------------------------------------------------------------------

// Any number of bits, small and large numbers alike, and what lies beside powers of two.
std::uint64_t corner(Random& random, unsigned bits) {
  const std::uint64_t x = random.next(), mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  const std::uint64_t power = std::uint64_t{1} << random.below(bits);
  switch (random.below(12)) {
    case 0: return 0;
    case 1: return mask;
    case 2: return power;
    case 3: return (power - 1) & mask;
    case 4: return (power + 1) & mask;
    case 5: return ~power & mask;
    case 6: return x & (power - 1);
    case 7: return ~(x & (power - 1)) & mask;
    default: return x & mask;
  }
}

void draw(const Unit& u, Random& random, std::uint64_t number, Words& in) {
  if (u.whole()) {
    // In an order in which a part of them is spread over all.
    in[0] = (number * 0x9e3779b97f4a7c15u) & ((std::uint64_t{1} << u.in_bits) - 1);
    return;
  }
  unsigned at = 0;
  for (const Span& s : u.inputs) {
    // Lanes alike now and then: sums are then at their largest.
    const bool alike = random.below(8) == 0;
    std::uint64_t x = 0;
    for (unsigned i = 0; i < s.lanes; ++i, at += s.bits) {
      if (i == 0 || !alike) x = corner(random, s.bits);
      put_bits(in, at, s.bits, x);
    }
  }
}

struct Failure {
  std::uint64_t number;
  std::string what;
};

std::string hex(const Words& words, unsigned bits) {
  std::string text = "0x";
  for (unsigned w = (bits + 63) / 64; w-- > 0;) {
    char part[20];
    std::snprintf(part, sizeof part, "%016llx", static_cast<unsigned long long>(words[w]));
    text += part;
  }
  return text;
}

class Arith : public winnow::rtl::VerilatedBlock<Rtl> {
 public:
  explicit Arith(std::uint64_t seed, unsigned mutant = 0)
      : VerilatedBlock(winnow::lockstep::power_on(seed, {"+mutant=" + std::to_string(mutant)})), random_(seed) {}

  // Gives so many inputs, and compares what comes out in every cycle. Gaps and stalls come at the beginning, at the end
  // and now and then between; all else is a full stream.
  std::optional<Failure> run(const Unit& u, std::uint64_t inputs) {
    struct Stage {
      bool valid = false;
      Words in{}, out{};
    };
    const std::size_t in_words = (u.in_bits + 63) / 64, out_words = (u.out_bits + 63) / 64;
    // The top has a register for the inputs before the unit's own stages.
    std::vector<Stage> stages(u.depth + 1);
    const std::uint64_t clock = std::uint64_t{1} << u.number;
    rtl_->rst_ni = 0, rtl_->eval(), rtl_->rst_ni = 1, rtl_->eval();
    std::uint64_t given = 0, taken = 0;
    Words in{}, out{}, seen{};
    State state;
    for (std::size_t at = 0; taken < inputs;) {
      const bool rough = given < 20000 || inputs - given < 100 || (given & 0xffff) < 64;
      const bool enable = !rough || random_.below(8) != 0;
      const bool valid = given < inputs && (!rough || random_.below(4) != 0);
      // Where the unit does not move or has nothing to do, its inputs are anything.
      if (valid && enable) {
        draw(u, random_, given, in);
        u.golden(in, out, state);
      } else {
        for (std::uint64_t& w : in) w = random_.next();
      }
      if (u.in_bits % 64) in[u.in_bits / 64] &= (std::uint64_t{1} << u.in_bits % 64) - 1;  // Verilator wants it so
      u.give(*rtl_, in);
      rtl_->valid_i = valid, rtl_->enable_i = enable;
      tick(clock);
      if (enable) {
        Stage& s = stages[at];
        s.valid = valid;
        std::copy_n(in.begin(), in_words, s.in.begin());
        std::copy_n(out.begin(), out_words, s.out.begin());
        given += valid;
        at = at + 1 == stages.size() ? 0 : at + 1;
      }
      // The oldest stands at the outputs, and stays there while the unit is not enabled.
      const Stage& oldest = stages[at];
      const bool shows = (rtl_->valid_o >> u.number) & 1;
      if (shows != oldest.valid)
        return Failure{taken, shows ? "a result that nobody asked for" : "no result in its cycle"};
      if (!shows) continue;
      u.take(*rtl_, seen);
      if (!std::equal(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(out_words), oldest.out.begin()))
        return Failure{taken, "inputs " + hex(oldest.in, u.in_bits) + ": rtl " + hex(seen, u.out_bits) + ", golden " +
                                  hex(oldest.out, u.out_bits)};
      taken += enable;
    }
    return std::nullopt;
  }

 private:
  void tick(std::uint64_t clock) {
    rtl_->clk_i = static_cast<std::remove_reference_t<decltype(rtl_->clk_i)>>(clock);
    rtl_->eval();
    rtl_->clk_i = 0;
    rtl_->eval();
  }

  Random random_;
};

int compare(const std::string& only, std::uint64_t inputs, std::uint64_t seed) {
  unsigned failed = 0, tried = 0;
  for (const Unit& u : kUnits) {
    if (!only.empty() && only != u.name) continue;
    const std::uint64_t n = u.whole() ? std::uint64_t{1} << u.in_bits : inputs;
    Arith rtl(seed);
    const auto failure = rtl.run(u, n);
    ++tried, failed += failure.has_value();
    std::printf("%-20s %2u bits to %2u, depth %2u, %9llu inputs, %s: %s\n", u.name, u.in_bits, u.out_bits, u.depth,
                static_cast<unsigned long long>(failure ? failure->number : n),
                u.whole() ? "all" : ("seed " + std::to_string(seed)).c_str(),
                failure ? failure->what.c_str() : "equal");
    std::fflush(stdout);
  }
  std::printf("%u units, %u failed\n", tried, failed);
  return tried == 0 || failed ? 1 : 0;
}

// Exit code: 0 when all planted bugs are seen but those that the table calls equivalent, which are not.
int mutants(const std::string& table, std::uint64_t inputs, std::uint64_t seed) {
  unsigned wrong = 0, seen = 0;
  try {
    const auto all = winnow::test::read_mutants(table);
    for (const Unit& u : kUnits)
      if (Arith(seed).run(u, std::min(inputs, u.whole() ? std::uint64_t{1} << u.in_bits : inputs)))
        return std::printf("%s: without a bug there is a difference\n", u.name), 1;
    for (const winnow::test::Mutant& m : all) {
      // "arith_exp2.sv#1 | ...": the unit; what several units share is looked for in all of them.
      const std::string unit = m.text.substr(6, m.text.find_first_of(".#") - 6);
      const bool of_unit =
          std::any_of(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return unit == u.name; });
      std::string by;
      Arith rtl(seed, m.number);
      for (const Unit& u : kUnits) {
        if (of_unit && unit != u.name) continue;
        const std::uint64_t n = u.in_bits <= 17 ? std::uint64_t{1} << u.in_bits : inputs;
        if (const auto failure = rtl.run(u, n)) {
          by = std::string(u.name) + ", input " + std::to_string(failure->number);
          break;
        }
      }
      const bool c = !by.empty();
      wrong += c == m.equivalent;
      seen += c;
      std::printf("mutant %2u %s%s  %s\n", m.number,
                  c              ? ("caught by " + by).c_str()
                  : m.equivalent ? "equivalent"
                                 : "SURVIVED",
                  c && m.equivalent ? ", but the table calls it EQUIVALENT" : "", m.text.c_str());
      std::fflush(stdout);
    }
    std::printf("%u of %zu mutants caught, %u not as the table says\n", seen, all.size(), wrong);
  } catch (const winnow::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
  return wrong == 0 && seen != 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"RTL of the arithmetic against golden/num.h"};
  std::uint64_t inputs = 1000000, seed = 1;
  std::string unit, table;
  auto* of_inputs = app.add_option("--inputs", inputs, "of a unit of which not all inputs are tried");
  app.add_flag_callback("--full", [&inputs] { inputs = 100000000; }, "--inputs 100000000")->excludes(of_inputs);
  app.add_option("--seed", seed);
  app.add_option("--unit", unit, "only this one");
  app.add_option("--mutants", table, "all planted bugs of this table, in a build that has them");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  return table.empty() ? compare(unit, inputs, seed) : mutants(table, inputs, seed);
}
