// lockstep_topk_<machine>: RTL and model of the top-k engine in lockstep; exit code 1 on a difference.
//   lockstep_topk_spatten --cycles 1000000 --seed 7 --pivot mixed [--jobs FILE] [--out FOLDER]
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/rtl/cli.h"
#include "tests/rtl/lockstep/lockstep.h"
#include "tests/rtl/topk/topk_block.h"

namespace {

using namespace winnow;
using namespace winnow::topk;
using winnow::topk::test::Cover;
using winnow::topk::test::FileJob;
using winnow::topk::test::Rules;
using winnow::topk::test::TopkBlock;

constexpr unsigned kLargestAmount = (1u << 17) - 1;  // of the port

// A number to the end of the word.
template <class T>
bool number(const std::string& word, T& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
}

// Lines `count|mass AMOUNT ITEM...`, decimal. A job that the engine refuses is one (its amount, its number of items);
// what its ports cannot carry is none.
std::vector<FileJob> read_jobs(const std::string& path, const Config& config) {
  std::ifstream in(path);
  if (!in) throw Error(path + ": cannot be read");
  std::vector<FileJob> jobs;
  std::string line;
  for (unsigned at = 1; std::getline(in, line); ++at) {
    const auto fail = [&](const std::string& text) { throw Error(path + ":" + std::to_string(at) + ": " + text); };
    std::istringstream words(line);
    std::string rule, word;
    FileJob job{};
    if (!(words >> rule >> word) || (rule != "count" && rule != "mass")) fail("not `count|mass AMOUNT ITEM...`");
    if (!number(word, job.amount) || job.amount > kLargestAmount)
      fail("amount `" + word + "` is not in 0.." + std::to_string(kLargestAmount));
    job.rule = rule == "count" ? Rule::count : Rule::mass;
    while (words >> word) {
      std::uint64_t item = 0;
      if (!number(word, item) || item >> config.item_bits)
        fail("item `" + word + "` is not a number of " + std::to_string(config.item_bits) + " bits");
      job.items.push_back(item);
    }
    if (job.items.size() > 2 * config.capacity() - 1)
      fail(std::to_string(job.items.size()) + " items; the port carries " + std::to_string(2 * config.capacity() - 1));
    jobs.push_back(std::move(job));
  }
  if (jobs.empty()) throw Error(path + ": has no jobs");
  return jobs;
}

bool print_cover(const winnow::topk::test::Cover& c, unsigned lanes, bool mixed) {
  std::vector<std::pair<const char*, std::uint64_t>> points = {{"jobs by count", c.jobs[0]},
                                                               {"jobs by mass", c.jobs[1]},
                                                               {"refused n", c.refused[1]},
                                                               {"refused k", c.refused[2]},
                                                               {"refused mu16", c.refused[3]},
                                                               {"all kept", c.all_kept},
                                                               {"sum zero", c.sum_zero},
                                                               {"on in R", c.branch_right},
                                                               {"on in L", c.branch_left},
                                                               {"boundary found", c.branch_found},
                                                               {"division", c.divided},
                                                               {"FIFO full", c.fifo_full},
                                                               {"refill of an empty FIFO", c.refill_from_empty},
                                                               {"side in packing register only", c.side_in_pack_only},
                                                               {"equals cut in mid-row", c.cut_in_row},
                                                               {"output stalled", c.stalled},
                                                               {"input starved", c.starved},
                                                               {"reset", c.resets},
                                                               {"reset in a job", c.reset_in_job},
                                                               {"reset in a refusal", c.reset_in_refusal},
                                                               {"seed", c.seeds},
                                                               {"seed beside a job's header", c.seed_with_job},
                                                               {"seed of zero", c.seed_zero},
                                                               {"job waits", c.job_waits},
                                                               {"job waits 100 cycles", c.job_waits_long},
                                                               {"job that is refused waits", c.refusal_waits},
                                                               {"row waits", c.row_waits},
                                                               {"job in the cycle after the last", c.back_to_back}};
  if (mixed) points.push_back({"change of pivot rule", c.rule_changes});
  bool all = true;
  for (const auto& [name, hits] : points) {
    std::printf("  %-30s %12llu%s\n", name, static_cast<unsigned long long>(hits), hits ? "" : "  never");
    all = all && hits;
  }
  for (unsigned l = 0; (1u << l) < lanes; ++l) {
    std::printf("  zero eliminator shifts by %-4u %12llu\n", 1u << l, static_cast<unsigned long long>(c.shifts[l]));
    all = all && c.shifts[l];
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"RTL and model of the top-k engine in lockstep"};
  std::uint64_t cycles = 300000, seed = 1;
  std::string pivot = "all", jobs_path, out = lockstep::kWaves, coverage, breach;
  bool cover = false, refusals = false;
  app.add_option("--cycles", cycles, "cycles, for each of random, sampled, mixed");
  app.add_option("--seed", seed, "of stimuli and LFSR");
  app.add_option("--pivot", pivot)->check(CLI::IsMember({"random", "sampled", "mixed", "all"}));
  app.add_option("--jobs", jobs_path, "jobs of a file instead of random ones");
  app.add_option("--out", out, "folder for waveforms of a difference");
  app.add_flag("--cover", cover, "print the functional points; exit code 1 if one was never met");
  app.add_option("--break", breach, "break a contract of the inputs, to see that its assertion fails")
      ->check(CLI::IsMember({"job", "row", "seed", "rule"}));
  app.add_flag("--refusals", refusals, "the RTL says why it refuses a job");
#ifdef WINNOW_RTL_COVERAGE
  app.add_option("--coverage", coverage, "write what lines and toggles were met to FILE-<pivot>.dat");
#endif
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  try {
    std::vector<FileJob> jobs;
    const auto broken = breach == "job"    ? TopkBlock::Breach::job
                        : breach == "row"  ? TopkBlock::Breach::row
                        : breach == "seed" ? TopkBlock::Breach::seed
                        : breach == "rule" ? TopkBlock::Breach::rule
                                           : TopkBlock::Breach::none;
    for (Rules rule : {Rules::random, Rules::sampled, Rules::mixed}) {
      const char* name = rule == Rules::random ? "random" : rule == Rules::sampled ? "sampled" : "mixed";
      if (pivot != "all" && pivot != name) continue;
      // The parameters are the same for both rules, and known from the RTL alone.
      if (!jobs_path.empty() && jobs.empty()) jobs = read_jobs(jobs_path, TopkBlock(seed, rule).config());
      const auto make = [&] {
        return std::make_unique<TopkBlock>(seed, rule, jobs.empty() ? nullptr : &jobs, 0, refusals, broken);
      };
      const Config c = make()->config();
      if (rule != Rules::random && !make()->with_sampler()) {
        if (pivot != "all") throw Error("--pivot " + pivot + ": this engine is built without samplers");
        continue;
      }
      char what[160];
      std::snprintf(what, sizeof what, "topk %s (P %u, FIFO %u, %u-bit items), pivot %s, seed %llu", WINNOW_RTL_NAME,
                    c.parallelism, c.fifo_depth, c.item_bits, name, static_cast<unsigned long long>(seed));
      const std::string number = std::to_string(seed),
                        stem = out + "/topk-" + WINNOW_RTL_NAME + "-" + name + "-" + number;
      const std::string repeat = std::string("lockstep_topk_") + WINNOW_RTL_NAME + " --seed " + number + " --pivot " +
                                 name + (jobs.empty() ? "" : " --jobs " + jobs_path) +
                                 (breach.empty() ? "" : " --break " + breach) + " --out " + out;
      bool worked = true, covered = true;
      Cover points;
      const auto then = [&](TopkBlock& block) {
        worked = (jobs.empty() && cycles <= 10000) || block.jobs() != 0;
        points = block.cover();
        if (!coverage.empty()) block.write_coverage(coverage + "-" + name + ".dat");
        std::string text = std::to_string(block.jobs()) + " jobs, ";
        if (!jobs.empty())
          text += std::to_string(points.refused[1] + points.refused[2] + points.refused[3]) + " refused, ";
        return text;
      };
      if (!lockstep::verdict(make, cycles, what, stem, repeat, then)) return 1;
      if (!worked) std::printf("no job was done\n");
      if (cover) covered = print_cover(points, c.parallelism, rule == Rules::mixed);
      if (!worked || !covered) return 1;
    }
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
  return 0;
}
