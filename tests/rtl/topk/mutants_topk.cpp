// mutants_topk TABLE [--sample N --seed S]: which planted bugs of the top-k engine the lockstep slice catches.
// Exit code 1 unless they are all but those that the table marks as equivalent (`=`), or if a run without a bug
// differs.
#include <algorithm>
#include <filesystem>

#include "tests/rtl/cli.h"
#include "tests/rtl/lockstep/lockstep.h"
#include "tests/rtl/mutants.h"
#include "tests/rtl/topk/topk_block.h"

namespace {

using namespace winnow::topk;
using winnow::test::Mutant;
using winnow::topk::test::Rules;
using winnow::topk::test::TopkBlock;

constexpr Rules kRules[] = {Rules::mixed, Rules::sampled, Rules::random};

std::optional<winnow::lockstep::Difference> first_difference(unsigned mutant, std::uint64_t seed,
                                                             std::uint64_t cycles) {
  for (const Rules rules : kRules) {
    TopkBlock block(seed, rules, nullptr, mutant);
    if (auto d = winnow::lockstep::run(block, cycles).difference) return d;
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Planted bugs against the lockstep of the top-k engine"};
  std::string table, waves;
  unsigned only = 0;
  std::uint64_t cycles = 100000, seed = 1;
  unsigned sample = 0;
  app.add_option("table", table)->required();
  app.add_option("--cycles", cycles, "cycles of the slice, for each pivot rule");
  app.add_option("--seed", seed, "of stimuli and of the choice");
  app.add_option("--waves", waves,
                 "write the waves of the first difference of one mutant, chosen by --only, to this folder");
  app.add_option("--only", only, "one mutant by its number");
  app.add_option("--sample", sample, "so many, chosen by the seed; 0: all");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  try {
    std::vector<Mutant> mutants = winnow::test::read_mutants(table);
    if (only) {
      std::erase_if(mutants, [&](const Mutant& m) { return m.number != only; });
      if (mutants.empty()) throw winnow::Error("there is no mutant " + std::to_string(only));
    }
    if (sample) {
      winnow::topk::test::Random random(seed);
      for (std::size_t i = 0; i + 1 < mutants.size(); ++i)
        std::swap(mutants[i], mutants[i + random.below(mutants.size() - i)]);
      mutants.resize(std::min<std::size_t>(sample, mutants.size()));
    }
    if (first_difference(0, seed, cycles)) {
      std::printf("without a bug the sides differ\n");
      return 1;
    }
    unsigned caught = 0, expected = 0, wrong = 0;
    for (const Mutant& m : mutants) {
      const auto d = first_difference(m.number, seed, cycles);
      if (d)
        std::printf("mutant %2u caught in cycle %6llu by %-16s %s\n", m.number,
                    static_cast<unsigned long long>(d->cycle), d->signal.c_str(), m.text.c_str());
      else
        std::printf("mutant %2u %s  %s\n", m.number, m.equivalent ? "equivalent" : "SURVIVED  ", m.text.c_str());
      if (d && m.equivalent) std::printf("  but the table calls it EQUIVALENT\n");
      std::fflush(stdout);
      if (d && !waves.empty()) {
        // The rules of the difference are the first that show one.
        const std::string stem = waves + "/topk-mutant-" + std::to_string(m.number);
        std::filesystem::create_directories(waves);
        for (const Rules rules : kRules) {
          TopkBlock probe(seed, rules, nullptr, m.number);
          if (!winnow::lockstep::run(probe, d->cycle + 1).difference) continue;
          TopkBlock again(seed, rules, nullptr, m.number);
          winnow::lockstep::write_waves(again, *d, stem);
          std::printf("waves: %s.fst\n", stem.c_str());
          break;
        }
      }
      caught += d.has_value();
      expected += !m.equivalent;
      wrong += d.has_value() == m.equivalent;
    }
    std::printf("%u of %zu mutants caught, %zu equivalent\n", caught, mutants.size(), mutants.size() - expected);
    return wrong == 0 && expected > 0 ? 0 : 1;
  } catch (const winnow::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
