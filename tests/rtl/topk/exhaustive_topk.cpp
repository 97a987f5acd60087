// exhaustive_topk [--seed N] [--full]: the RTL engine itself against the definition (golden/select.h), n = 5..8; the
// proofs have n <= 4 (scripts/rtl/prove --list).
//
// Count: every weak ordering of 5, 6 and 7 items with every k. The rule only compares, so the orderings stand for all
// values; half of the jobs have the ranks as items, half a random increasing map of them to the items' full width. Of
// n = 8 a random part; with --full all. Mass: items of few bits, mu16 at random or beside the edge of a target, and
// every mu16 on one list. Both pivot rules; a quarter of the jobs with bubbles and back-pressure.
// The engine runs on from job to job without a reset, so what one job leaves behind is met by the next.
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/models/topk/drive.h"
#include "tests/rtl/cli.h"
#include "tests/rtl/topk/topk_rtl.h"

namespace {

using namespace winnow::topk;
using winnow::topk::test::Random;
using winnow::topk::test::reference;
using winnow::topk::test::Result;

constexpr unsigned kMinN = 5, kMaxN = 8;
constexpr std::uint64_t kLongestJob = 100'000;  // cycles; with the worst bubbles a job takes a few hundred

// Ranks 0..m of n items, each rank in use: one entry for each weak ordering.
using Ordering = std::array<std::uint8_t, kMaxN>;

std::vector<Ordering> weak_orderings(unsigned n) {
  std::vector<Ordering> all;
  for (Ordering o{};;) {
    unsigned used = 0;
    for (unsigned i = 0; i < n; ++i) used |= 1u << o[i];
    if ((used & (used + 1)) == 0) all.push_back(o);
    unsigned i = 0;
    while (i < n && ++o[i] == n) o[i++] = 0;
    if (i == n) return all;
  }
}

// The Verilated engine, job by job.
class Device : public winnow::rtl::TopkRtl {
 public:
  Device(std::uint64_t seed, PivotRule pivot) : TopkRtl(pivot, seed), random_(seed) {}

  unsigned lanes() const { return rtl_->parallelism_o; }
  unsigned item_bits() const { return rtl_->item_bits_o; }
  std::uint64_t cycles() const { return cycles_; }

  // Chances in percent each cycle that a row is offered and that an output row is taken. False if it never ends, or
  // a row holds no index or too many.
  bool run(const Job& job, std::span<const std::uint64_t> items, unsigned offer, unsigned take, Result& r) {
    r.kept.clear();
    rtl_->job_valid_i = 1;
    rtl_->job_n_i = job.n;
    rtl_->job_mass_i = job.rule == Rule::mass;
    rtl_->job_amount_i = job.amount;
    rtl_->row_valid_i = 0;
    std::size_t next = 0;
    for (const std::uint64_t end = cycles_ + kLongestJob; cycles_ < end;) {
      if (!rtl_->row_valid_i && next < items.size() && chance(offer)) {
        for (unsigned i = 0; i < lanes(); ++i)  // the lanes behind the last item hold anything
          rtl_->row_i[i] = next + i < items.size() ? items[next + i] : random_.next() >> (64 - item_bits());
        rtl_->row_valid_i = 1;
      }
      rtl_->out_ready_i = chance(take);
      rtl_->eval();  // what depends on inputs of the same cycle differs from here on
      bool last = false;
      if (rtl_->rtl_out_valid && rtl_->out_ready_i) {
        if (rtl_->rtl_out_count == 0 || rtl_->rtl_out_count > lanes()) return false;  // a row has 1..P indices
        for (unsigned i = 0; i < rtl_->rtl_out_count; ++i)
          r.kept.push_back(static_cast<std::uint32_t>(rtl_->rtl_out_indices[i]));
        last = rtl_->rtl_out_last;
        r.selection.kept = static_cast<std::uint32_t>(rtl_->rtl_out_kept);
        r.selection.boundary = rtl_->rtl_out_boundary;
        r.selection.kept_sum = rtl_->rtl_out_kept_sum;
      }
      const bool job_taken = rtl_->rtl_job_ready, row_taken = rtl_->row_valid_i && rtl_->rtl_row_ready;
      clock();
      ++cycles_;
      if (!assertion().empty()) return false;  // Verilator has printed which failed
      if (job_taken) rtl_->job_valid_i = 0;
      if (row_taken) {
        rtl_->row_valid_i = 0;
        next += lanes();
      }
      if (last) return next >= items.size();
    }
    return false;
  }

 private:
  bool chance(unsigned percent) { return percent == 100 || random_.below(100) < percent; }

  Random random_;
  std::uint64_t cycles_ = 0;
};

std::string text(const Result& r) {
  std::string s = "indices";
  for (const std::uint32_t i : r.kept) s += ' ' + std::to_string(i);
  return s + ", kept " + std::to_string(r.selection.kept) + ", boundary " + std::to_string(r.selection.boundary) +
         ", sum " + std::to_string(r.selection.kept_sum);
}

// All jobs of one pivot rule; false after a line that says the first difference.
class Check {
 public:
  Check(std::uint64_t seed, PivotRule pivot, const std::vector<Ordering>* orderings, bool full)
      : device_(seed, pivot), random_(seed + 1), orderings_(orderings), full_(full), seed_(seed), pivot_(pivot) {}

  bool all() {
    for (unsigned n = kMinN; n <= kMaxN; ++n) {
      if (!(n < kMaxN || full_ ? count_all(n) : count_random(n, 60'000))) return false;
    }
    return mass_random(full_ ? 1'000'000 : 100'000) && mass_all_shares();
  }

  std::uint64_t jobs(Rule rule) const { return jobs_[rule == Rule::mass]; }
  std::uint64_t cycles() const { return device_.cycles(); }
  std::uint64_t compared() const { return compared_; }

 private:
  bool count_all(unsigned n) {
    for (const Ordering& o : orderings_[n]) {
      for (unsigned k = 1; k <= n; ++k) {
        if (!count(n, o, k)) return false;
      }
    }
    return true;
  }

  bool count_random(unsigned n, unsigned jobs) {
    const std::vector<Ordering>& all = orderings_[n];
    for (unsigned j = 0; j < jobs; ++j) {
      if (!count(n, all[random_.below(all.size())], 1 + static_cast<unsigned>(random_.below(n)))) return false;
    }
    return true;
  }

  bool count(unsigned n, const Ordering& o, unsigned k) {
    std::array<std::uint64_t, kMaxN> value;
    const bool spread = random_.below(2);
    const std::uint64_t step = (std::uint64_t{1} << device_.item_bits()) / n;
    for (unsigned rank = 0; rank < n; ++rank) value[rank] = spread ? rank * step + random_.below(step) : rank;
    items_.resize(n);
    for (unsigned i = 0; i < n; ++i) items_[i] = value[o[i]];
    return job({n, Rule::count, k});
  }

  std::uint64_t draw(unsigned n, unsigned bits) {
    std::uint64_t sum = 0;
    items_.resize(n);
    for (std::uint64_t& item : items_) sum += item = random_.below(std::uint64_t{1} << bits);
    return sum;
  }

  bool mass_random(unsigned jobs) {
    for (unsigned j = 0; j < jobs; ++j) {
      const unsigned n = kMinN + static_cast<unsigned>(random_.below(kMaxN - kMinN + 1));
      const std::uint64_t sum = draw(n, 1 + static_cast<unsigned>(random_.below(4)));
      std::uint64_t mu16 = 1 + random_.below(65536);
      if (sum != 0 && random_.below(2)) {  // the last share of one target, or the first of the next
        mu16 = (1 + random_.below(sum)) * 65536 / sum + random_.below(2);
        mu16 = std::min<std::uint64_t>(mu16, 65536);
      }
      if (!job({n, Rule::mass, static_cast<unsigned>(mu16)})) return false;
    }
    return true;
  }

  bool mass_all_shares() {
    draw(kMinN + static_cast<unsigned>(random_.below(kMaxN - kMinN + 1)), 3);
    for (unsigned mu16 = 1; mu16 <= 65536; ++mu16) {
      if (!job({static_cast<unsigned>(items_.size()), Rule::mass, mu16})) return false;
    }
    return true;
  }

  bool job(const Job& job) {
    const bool slow = random_.below(4) == 0;
    const unsigned offer = slow ? 20 + static_cast<unsigned>(random_.below(80)) : 100;
    const unsigned take = slow ? 20 + static_cast<unsigned>(random_.below(80)) : 100;
    const bool ended = device_.run(job, items_, offer, take, got_);
    const Result expected = reference(job, items_);
    ++jobs_[job.rule == Rule::mass];
    compared_ += expected.kept.size() + 3;
    if (ended && got_.kept == expected.kept && got_.selection.kept == expected.selection.kept &&
        got_.selection.boundary == expected.selection.boundary &&
        got_.selection.kept_sum == expected.selection.kept_sum)
      return true;
    std::string items;
    for (const std::uint64_t v : items_) items += ' ' + std::to_string(v);
    std::printf("difference: n %u, %s %u, items%s, pivot %s, seed %llu, job %llu: expected %s; got %s%s\n", job.n,
                job.rule == Rule::count ? "count, k" : "mass, mu16", job.amount, items.c_str(),
                pivot_ == PivotRule::random ? "random" : "sampled", static_cast<unsigned long long>(seed_),
                static_cast<unsigned long long>(jobs_[0] + jobs_[1]), text(expected).c_str(), text(got_).c_str(),
                ended ? "" : ", and no proper end");
    return false;
  }

  Device device_;
  Random random_;
  const std::vector<Ordering>* orderings_;
  bool full_;
  std::uint64_t seed_;
  PivotRule pivot_;
  std::vector<std::uint64_t> items_;
  Result got_;
  std::uint64_t jobs_[2] = {}, compared_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The RTL of the top-k engine against the definition, n = 5..8"};
  std::uint64_t seed = 1;
  bool full = false;
  app.add_option("--seed", seed, "of what is drawn and of the LFSR");
  app.add_flag("--full", full, "all orderings of 8 items too, and ten times the jobs by mass");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;

  std::vector<Ordering> orderings[kMaxN + 1];
  constexpr std::size_t kOrderings[] = {1, 1, 3, 13, 75, 541, 4683, 47293, 545835};  // Fubini's numbers
  for (unsigned n = kMinN; n <= kMaxN; ++n) {
    orderings[n] = weak_orderings(n);
    if (orderings[n].size() != kOrderings[n]) {
      std::printf("%zu weak orderings of %u items instead of %zu\n", orderings[n].size(), n, kOrderings[n]);
      return 1;
    }
  }
  for (const PivotRule pivot : {PivotRule::random, PivotRule::sampled}) {
    const std::clock_t start = std::clock();  // of this process: others may share the core
    Check check(seed, pivot, orderings, full);
    const bool equal = check.all();
    const double s = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    std::printf(
        "pivot %s, seed %llu: %llu jobs by count, %llu by mass, %llu cycles (%.2f M a second), "
        "%llu values compared: %s\n",
        pivot == PivotRule::random ? "random" : "sampled", static_cast<unsigned long long>(seed),
        static_cast<unsigned long long>(check.jobs(Rule::count)),
        static_cast<unsigned long long>(check.jobs(Rule::mass)), static_cast<unsigned long long>(check.cycles()),
        static_cast<double>(check.cycles()) / s * 1e-6, static_cast<unsigned long long>(check.compared()),
        equal ? "equal" : "DIFFERENT");
    if (!equal) return 1;
    std::uint64_t every_k = 0;  // of the orderings that are all taken
    for (unsigned n = kMinN; n < kMaxN; ++n) every_k += kOrderings[n] * n;
    if (check.jobs(Rule::count) < every_k || check.jobs(Rule::mass) < 65536 || check.compared() < 4 * every_k) {
      std::printf("too few values were compared\n");
      return 1;
    }
  }
  return 0;
}
