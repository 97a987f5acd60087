// FIFOs, skid buffer and round-robin arbiters against queues and a turn, in every cycle of a random run. (Their proofs
// are in scripts/rtl/prove; this is what their coverage is measured with.)
//   test_rtl_prim [--cycles N] [--seed N] [--coverage FILE]
//   mutants_prim --mutants TABLE     the same of a copy with planted bugs: each must be seen
#include <verilated.h>
#include <verilated_cov.h>

#include <cstdio>
#include <deque>
#include <string>

#include "tests/models/topk/drive.h"
#include "tests/rtl/cli.h"
#include "tests/rtl/mutants.h"

namespace {

using winnow::topk::test::Random;

// What a link holds. A skid buffer is, seen from outside, a FIFO of two entries.
struct Link {
  std::size_t depth;
  bool clears;
  std::deque<unsigned> held;
  bool offered = false;
  unsigned data = 0;
};

struct Arbiter {
  unsigned requests;     // how many
  unsigned waiting = 0;  // mask; a request holds until it is taken
  unsigned turn = 0;
  int held = -1;  // the grant that waits

  // The grant of this cycle, -1 without a request.
  int grant() const {
    if (held >= 0) return held;
    for (unsigned i = 0; i < requests; ++i)
      if (const unsigned at = (turn + i) % requests; (waiting >> at) & 1) return static_cast<int>(at);
    return -1;
  }
};

class Run {
 public:
  explicit Run(std::uint64_t seed, unsigned mutant = 0) : random_(seed) {
    const std::string plus = "+mutant=" + std::to_string(mutant);
    const char* const words[] = {"test_prim", plus.c_str()};
    context_.commandArgs(2, const_cast<char**>(words));
    rtl_.clk_i = 0;
    for (const int reset : {1, 0, 1}) {  // the reset acts on its falling edge
      rtl_.rst_ni = reset;
      rtl_.eval();
    }
  }

  // False, and says what differs, on the first difference.
  bool cycle(std::uint64_t now) {
    // Bursts in which one side or the other is quick, so that links fill up and run empty.
    if (now % 64 == 0) {
      offer_ = 10 + random_.below(91);
      take_ = 10 + random_.below(91);
    }
    const bool clear = random_.below(100) == 0;
    rtl_.clear_i = clear;
    unsigned valid = 0, ready = 0;
    for (unsigned i = 0; i < 3; ++i) {
      Link& l = links_[i];
      if (!l.offered && random_.below(100) < offer_) {
        l.offered = true;
        l.data = static_cast<unsigned>(random_.below(256));
      }
      valid |= static_cast<unsigned>(l.offered) << i;
      ready |= static_cast<unsigned>(random_.below(100) < take_) << i;
      rtl_.data_i[i] = static_cast<std::uint8_t>(l.data);
    }
    unsigned taken = 0;
    for (unsigned i = 0; i < 2; ++i) {
      Arbiter& a = arbiters_[i];
      for (unsigned r = 0; r < a.requests; ++r) a.waiting |= static_cast<unsigned>(random_.below(400) < offer_) << r;
      taken |= static_cast<unsigned>(random_.below(100) < take_) << i;
    }
    rtl_.valid_i = static_cast<std::uint8_t>(valid);
    rtl_.ready_i = static_cast<std::uint8_t>(ready);
    rtl_.request_4_i = static_cast<std::uint8_t>(arbiters_[0].waiting);
    rtl_.request_3_i = static_cast<std::uint8_t>(arbiters_[1].waiting);
    rtl_.taker_ready_i = static_cast<std::uint8_t>(taken);
    rtl_.eval();

    bool good = true;
    const auto same = [&](const char* what, unsigned i, unsigned rtl, unsigned expected) {
      ++compared_;
      if (rtl != expected && good) {
        std::printf("cycle %llu, %s %u: rtl %u, expected %u\n", static_cast<unsigned long long>(now), what, i, rtl,
                    expected);
        good = false;
      }
    };
    for (unsigned i = 0; i < 3; ++i) {
      Link& l = links_[i];
      const bool can_push = l.held.size() < l.depth, can_pop = !l.held.empty();
      same("ready of link", i, (rtl_.ready_o >> i) & 1, can_push);
      same("valid of link", i, (rtl_.valid_o >> i) & 1, can_pop);
      if (can_pop) same("data of link", i, rtl_.data_o[i], l.held.front());
      if (i == 0) same("level of link", i, rtl_.level_4_o, static_cast<unsigned>(l.held.size()));
      if (i == 1) same("level of link", i, rtl_.level_3_o, static_cast<unsigned>(l.held.size()));
      full_[i] += !can_push;
      empty_[i] += !can_pop;
      if (can_pop && ((ready >> i) & 1)) l.held.pop_front();
      if (can_push && l.offered) {
        l.held.push_back(l.data);
        l.offered = false;
      }
      if (l.clears && clear) l.held.clear();
    }
    for (unsigned i = 0; i < 2; ++i) {
      Arbiter& a = arbiters_[i];
      const int grant = a.grant();
      same("valid of arbiter", i, (rtl_.taker_valid_o >> i) & 1, grant >= 0);
      same("grant of arbiter", i, i == 0 ? rtl_.grant_4_o : rtl_.grant_3_o, grant >= 0 ? 1u << grant : 0);
      if (grant >= 0)
        same("index of arbiter", i, i == 0 ? rtl_.index_4_o : rtl_.index_3_o, static_cast<unsigned>(grant));
      a.held = grant;
      if (grant >= 0 && ((taken >> i) & 1)) {
        a.waiting &= ~(1u << grant);
        a.turn = (static_cast<unsigned>(grant) + 1) % a.requests;
        a.held = -1;
        ++grants_[i];
      }
    }
    rtl_.clk_i = 1;
    rtl_.eval();
    rtl_.clk_i = 0;
    rtl_.eval();
    return good;
  }

  std::uint64_t compared() const { return compared_; }
  bool met() const {
    return full_[0] && full_[1] && full_[2] && empty_[0] && empty_[1] && empty_[2] && grants_[0] && grants_[1];
  }
  void write_coverage(const std::string& path) {
    context_.coveragep()->forcePerInstance(true);
    context_.coveragep()->write(path.c_str());
  }

 private:
  VerilatedContext context_;
  WINNOW_RTL_CLASS rtl_{&context_};
  Random random_;
  Link links_[3] = {{4, true, {}}, {3, true, {}}, {2, false, {}}};
  Arbiter arbiters_[2] = {{4}, {3}};
  std::uint64_t offer_ = 50, take_ = 50, compared_ = 0, full_[3] = {}, empty_[3] = {}, grants_[2] = {};
};

// Exit code: 0 when all planted bugs are seen but those that the table calls equivalent, which are not.
int mutants(const std::string& table, std::uint64_t seed, std::uint64_t cycles) {
  const auto caught = [&](unsigned mutant) {
    Run run(seed, mutant);
    for (std::uint64_t c = 0; c < cycles; ++c)
      if (!run.cycle(c)) return true;
    return false;
  };
  if (caught(0)) return std::printf("without a bug there is a difference\n"), 1;
  unsigned wrong = 0, seen = 0;
  try {
    const auto all = winnow::test::read_mutants(table);
    for (const winnow::test::Mutant& m : all) {
      const bool c = caught(m.number);
      wrong += c == m.equivalent;
      seen += c;
      std::printf("mutant %2u %s%s  %s\n", m.number,
                  c              ? "caught"
                  : m.equivalent ? "equivalent"
                                 : "SURVIVED",
                  c && m.equivalent ? ", but the table calls it EQUIVALENT" : "", m.text.c_str());
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
  CLI::App app{"FIFOs, skid buffer and arbiters in a random run"};
  std::uint64_t cycles = 200000, seed = 1;
  std::string coverage, table;
  app.add_option("--cycles", cycles);
  app.add_option("--seed", seed);
  app.add_option("--coverage", coverage, "write what lines and toggles were met to this file");
  app.add_option("--mutants", table, "all planted bugs of this table, in a build that has them");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  if (!table.empty()) return mutants(table, seed, cycles);
  Run run(seed);
  for (std::uint64_t c = 0; c < cycles; ++c)
    if (!run.cycle(c)) return 1;
  std::printf("prim: seed %llu, %llu cycles, %llu values compared: equal%s\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(cycles), static_cast<unsigned long long>(run.compared()),
              run.met() ? "" : ", but not every link was full and empty");
  if (!coverage.empty()) run.write_coverage(coverage);
  return run.met() && run.compared() >= 10 * cycles ? 0 : 1;
}
