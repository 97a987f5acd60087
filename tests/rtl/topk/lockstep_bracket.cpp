// lockstep_bracket_<name>: RTL and model of the bracket engine in lockstep; exit code 1 on a difference.
//   lockstep_bracket_spatten --cycles 1000000 --seed 7 [--seeds N] [--out FOLDER]
#include "tests/rtl/cli.h"
#include "tests/rtl/lockstep/lockstep.h"
#include "tests/rtl/topk/bracket_block.h"

namespace {

using namespace winnow;
using winnow::topk::test::BracketBlock;
using winnow::topk::test::BracketCover;

// Points that this set of parameters can meet; true: all are met.
bool print_cover(const BracketCover& c, const topk::Config& config) {
  const bool octaves = config.item_bits > topk::OctaveBins::kFirst, wide = config.item_bits > 7;
  struct Point {
    const char* name;
    std::uint64_t hits;
    bool possible = true;
  };
  const Point points[] = {{"jobs by count", c.jobs[0]},
                          {"jobs by mass", c.jobs[1]},
                          {"refused n", c.refused[1]},
                          {"refused k", c.refused[2]},
                          {"refused mu16", c.refused[3]},
                          {"all kept", c.all_kept},
                          {"sum zero", c.sum_zero},
                          {"boundary zero", c.zero_boundary},
                          {"boundary below 32", c.below_32},
                          {"boundary in an octave", c.octaves, octaves},
                          {"boundary in the last octave", c.last_octave, octaves},
                          {"window of wide bins", c.wide_window, wide},
                          {"boundary over the window", c.missed_up, octaves},
                          {"boundary under the window", c.missed_down, octaves},
                          {"one item in several bins", c.early},
                          {"found in a bin of one value", c.exact},
                          {"count, one item in a wide bin", c.single, wide},
                          {"mass, one item in a wide bin", c.sure, wide},
                          {"window narrowed", c.narrowed, wide},
                          {"division", c.divided},
                          {"a further pass", c.second_pass, octaves},
                          {"a later list is found first", c.overtaken},
                          {"no list is free", c.lists_full},
                          {"a stage for every list", c.all_busy},
                          {"load waits for scan", c.hand_waits},
                          {"pass waits for search", c.pass_waits},
                          {"output stalled", c.stalled},
                          {"input starved", c.starved},
                          {"reset", c.resets},
                          {"reset in a job", c.reset_in_job},
                          {"reset in a refusal", c.reset_in_refusal},
                          {"job waits", c.job_waits},
                          {"job waits 100 cycles", c.job_waits_long},
                          {"job that is refused waits", c.refusal_waits},
                          {"row waits", c.row_waits}};
  bool all = true;
  for (const auto& [name, hits, possible] : points) {
    std::printf("  %-30s %12llu%s\n", name, static_cast<unsigned long long>(hits), hits || !possible ? "" : "  never");
    all = all && (hits || !possible);
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"RTL and model of the bracket engine in lockstep"};
  std::uint64_t cycles = 300000, seed = 1;
  unsigned seeds = 1;
  std::string out = lockstep::kWaves, coverage, breach;
  bool cover = false;
  app.add_option("--cycles", cycles);
  app.add_option("--seed", seed, "of stimuli");
  app.add_option("--seeds", seeds, "so many runs, with the seeds from there on");
  app.add_option("--out", out, "folder for waveforms of a difference");
  app.add_flag("--cover", cover, "print the functional points; exit code 1 if one was never met");
  app.add_option("--break", breach, "break a contract of the inputs, to see that its assertion fails")
      ->check(CLI::IsMember({"job", "row"}));
#ifdef WINNOW_RTL_COVERAGE
  app.add_option("--coverage", coverage, "write what lines and toggles were met to FILE, of the last seed");
#endif
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  try {
    const auto broken = breach == "job"   ? BracketBlock::Breach::job
                        : breach == "row" ? BracketBlock::Breach::row
                                          : BracketBlock::Breach::none;
    for (std::uint64_t s = seed; s < seed + seeds; ++s) {
      const auto make = [&] { return std::make_unique<BracketBlock>(s, 0, broken); };
      const topk::Config c = make()->config();
      char what[160];
      std::snprintf(what, sizeof what, "bracket engine %s (P %u, FIFO %u, %u-bit items), seed %llu", WINNOW_RTL_NAME,
                    c.parallelism, c.fifo_depth, c.item_bits, static_cast<unsigned long long>(s));
      const std::string stem = out + "/topk-bracket-" + WINNOW_RTL_NAME + "-" + std::to_string(s);
      const std::string repeat = std::string("lockstep_bracket_") + WINNOW_RTL_NAME + " --seed " + std::to_string(s) +
                                 (breach.empty() ? "" : " --break " + breach) + " --out " + out;
      bool worked = true;
      BracketCover points;
      const auto then = [&](BracketBlock& block) {
        worked = cycles <= 10000 || block.jobs() != 0;
        points = block.cover();
        if (!coverage.empty()) block.write_coverage(coverage);
        return std::to_string(block.jobs()) + " jobs, ";
      };
      if (!lockstep::verdict(make, cycles, what, stem, repeat, then)) return 1;
      if (!worked) std::printf("no job was done\n");
      if (!worked || (cover && !print_cover(points, c))) return 1;
    }
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
  return 0;
}
