// mutants_bracket TABLE: which planted bugs of the bracket engine the lockstep slice catches. Exit code 1 unless they
// are all but those that the table marks as equivalent (`=`), or if a run without a bug differs.
#include "tests/rtl/cli.h"
#include "tests/rtl/lockstep/lockstep.h"
#include "tests/rtl/mutants.h"
#include "tests/rtl/topk/bracket_block.h"

int main(int argc, char** argv) {
  using winnow::test::Mutant;
  using winnow::topk::test::BracketBlock;
  CLI::App app{"Planted bugs against the lockstep of the bracket engine"};
  std::string table;
  unsigned only = 0;
  std::uint64_t cycles = 500000, seed = 1;
  app.add_option("table", table)->required();
  app.add_option("--cycles", cycles, "cycles of the slice");
  app.add_option("--seed", seed, "of stimuli");
  app.add_option("--only", only, "one mutant by its number");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  try {
    std::vector<Mutant> mutants = winnow::test::read_mutants(table);
    if (only) std::erase_if(mutants, [&](const Mutant& m) { return m.number != only; });
    if (mutants.empty()) throw winnow::Error("there is no mutant " + std::to_string(only));
    const auto first_difference = [&](unsigned mutant) {
      BracketBlock block(seed, mutant);
      return winnow::lockstep::run(block, cycles).difference;
    };
    if (first_difference(0)) {
      std::printf("without a bug the sides differ\n");
      return 1;
    }
    unsigned caught = 0, expected = 0, wrong = 0;
    for (const Mutant& m : mutants) {
      const auto d = first_difference(m.number);
      if (d)
        std::printf("mutant %2u caught in cycle %6llu by %-16s %s\n", m.number,
                    static_cast<unsigned long long>(d->cycle), d->signal.c_str(), m.text.c_str());
      else
        std::printf("mutant %2u %s  %s\n", m.number, m.equivalent ? "equivalent" : "SURVIVED  ", m.text.c_str());
      if (d && m.equivalent) std::printf("  but the table calls it EQUIVALENT\n");
      std::fflush(stdout);
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
