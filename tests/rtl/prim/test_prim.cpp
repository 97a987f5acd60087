// FIFOs, skid buffer and round-robin arbiters against queues and a turn, in every cycle of a random run. (Their proofs
// are in scripts/rtl/prove; this is what their coverage is measured with.)
//   test_rtl_prim [--cycles N] [--seed N] [--coverage FILE] [--out FOLDER]
//   mutants_prim --mutants TABLE     the same of a copy with planted bugs: each must be seen
#include <array>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>

#include "sim/rtl/verilated_block.h"
#include "tests/rtl/cli.h"
#include "tests/rtl/lockstep/lockstep.h"
#include "tests/rtl/mutants.h"

namespace {

using winnow::lockstep::Pace;
using winnow::lockstep::Random;

constexpr unsigned kWords = 3;  // of 32 bits, an entry
using Data = std::array<std::uint32_t, kWords>;

// What a link holds. A skid buffer is, seen from outside, a FIFO of two entries.
struct Link {
  std::size_t depth;
  bool clears;
  Pace offers, takes;
  std::deque<Data> held{};
  bool offered = false;
  Data data{};
};

struct Arbiter {
  unsigned requests;  // how many
  Pace takes;
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

class Links : public winnow::rtl::VerilatedBlock<WINNOW_RTL_CLASS> {
 public:
  static constexpr const char* kName = "prim";
  static constexpr const char* kScope = "TOP.prim_links";
  static std::vector<std::string> probe_names() { return {}; }
  static std::span<const winnow::rtl::Place> probe_places() {
    static constexpr winnow::rtl::Place all[] = {
        {"ready", "ready_o[lane]", "tests/rtl/prim/prim_links.sv"},
        {"valid", "valid_o[lane]", "tests/rtl/prim/prim_links.sv"},
        {"data", "data_o[lane]", "tests/rtl/prim/prim_links.sv"},
        {"level_4", "u_fifo_4.level_o", "rtl/prim/prim_fifo.sv"},
        {"level_3", "u_fifo_3.level_o", "rtl/prim/prim_fifo.sv"},
        {"taker_valid", "taker_valid_o[lane]", "tests/rtl/prim/prim_links.sv"},
        {"grant_4", "u_arbiter_4.grant_o", "rtl/prim/prim_rr_arbiter.sv"},
        {"grant_3", "u_arbiter_3.grant_o", "rtl/prim/prim_rr_arbiter.sv"},
        {"index_4", "u_arbiter_4.index_o", "rtl/prim/prim_rr_arbiter.sv"},
        {"index_3", "u_arbiter_3.index_o", "rtl/prim/prim_rr_arbiter.sv"},
    };
    return all;
  }

  explicit Links(std::uint64_t seed, unsigned mutant = 0)
      : VerilatedBlock(winnow::lockstep::power_on(seed, {"+mutant=" + std::to_string(mutant)})), random_(seed) {}

  void drive() {
    reset_ = resets_.active();
    rtl_->rst_ni = !reset_;
    if (reset_) {
      ++reset_cycles_;
      for (Link& l : links_) l.held.clear();
      for (Arbiter& a : arbiters_) a.turn = 0, a.held = -1;
      if (random_.below(2))
        for (Arbiter& a : arbiters_) a.waiting = 0;
    }
    // Bursts in which one side or the other is quick, so that links fill up and run empty.
    if (random_.below(64) == 0) {
      for (Link& l : links_) l.offers.renew(), l.takes.renew();
      for (Arbiter& a : arbiters_) a.takes.renew();
      requests_ = 10 + random_.below(91);
    }
    clear_ = random_.below(100) == 0;
    rtl_->clear_i = clear_;
    unsigned valid = 0;
    ready_ = taken_ = 0;
    for (unsigned i = 0; i < 3; ++i) {
      Link& l = links_[i];
      const bool offers = !l.offered && l.offers.now();
      if (!l.offered)
        for (std::uint32_t& word : l.data) word = static_cast<std::uint32_t>(random_.next() >> 32);
      l.offered |= offers;
      valid |= static_cast<unsigned>(l.offered) << i;
      ready_ |= static_cast<unsigned>(l.takes.now()) << i;
      for (unsigned w = 0; w < kWords; ++w) rtl_->data_i[kWords * i + w] = l.data[w];
    }
    for (unsigned i = 0; i < 2; ++i) {
      Arbiter& a = arbiters_[i];
      for (unsigned r = 0; r < a.requests; ++r) a.waiting |= static_cast<unsigned>(random_.below(400) < requests_) << r;
      taken_ |= static_cast<unsigned>(a.takes.now()) << i;
    }
    rtl_->valid_i = static_cast<std::uint8_t>(valid);
    rtl_->ready_i = static_cast<std::uint8_t>(ready_);
    rtl_->request_4_i = static_cast<std::uint8_t>(arbiters_[0].waiting);
    rtl_->request_3_i = static_cast<std::uint8_t>(arbiters_[1].waiting);
    rtl_->taker_ready_i = static_cast<std::uint8_t>(taken_);
    rtl_->eval();
  }

  template <class Visit, class Unseen>
  void probes(Visit&& visit, Unseen&&) {
    std::uint64_t no_port = 0;
    for (int i = 0; i < 3; ++i) {
      const Link& l = links_[i];
      const bool can_push = l.held.size() < l.depth, can_pop = !l.held.empty();
      visit("ready", i, (rtl_->ready_o >> i) & 1u, std::uint64_t{can_push}, no_port);
      visit("valid", i, (rtl_->valid_o >> i) & 1u, std::uint64_t{can_pop}, no_port);
      if (can_pop)
        for (unsigned w = 0; w < kWords; ++w)
          visit("data", i, rtl_->data_o[kWords * static_cast<unsigned>(i) + w], l.held.front()[w], no_port);
    }
    visit("level_4", -1, rtl_->level_4_o, links_[0].held.size(), no_port);
    visit("level_3", -1, rtl_->level_3_o, links_[1].held.size(), no_port);
    for (int i = 0; i < 2; ++i) {
      const int grant = arbiters_[i].grant();
      visit("taker_valid", i, (rtl_->taker_valid_o >> i) & 1u, std::uint64_t{grant >= 0}, no_port);
      visit(i == 0 ? "grant_4" : "grant_3", -1, i == 0 ? rtl_->grant_4_o : rtl_->grant_3_o,
            grant >= 0 ? std::uint64_t{1} << grant : 0, no_port);
      if (grant >= 0)
        visit(i == 0 ? "index_4" : "index_3", -1, i == 0 ? rtl_->index_4_o : rtl_->index_3_o,
              static_cast<std::uint64_t>(grant), no_port);
    }
  }

  void tick() {
    for (unsigned i = 0; i < 3 && !reset_; ++i) {
      Link& l = links_[i];
      const bool can_push = l.held.size() < l.depth, can_pop = !l.held.empty();
      full_[i] += !can_push;
      empty_[i] += !can_pop;
      if (can_pop && ((ready_ >> i) & 1)) l.held.pop_front();
      if (can_push && l.offered) {
        l.held.push_back(l.data);
        l.offered = false;
      }
      if (l.clears && clear_) l.held.clear();
    }
    for (unsigned i = 0; i < 2 && !reset_; ++i) {
      Arbiter& a = arbiters_[i];
      const int grant = a.grant();
      a.held = grant;
      if (grant >= 0 && ((taken_ >> i) & 1)) {
        a.waiting &= ~(1u << grant);
        a.turn = (static_cast<unsigned>(grant) + 1) % a.requests;
        a.held = -1;
        ++grants_[i];
      }
    }
    clock();
  }

  std::string doing() const {
    return "links that hold " + std::to_string(links_[0].held.size()) + ", " + std::to_string(links_[1].held.size()) +
           ", " + std::to_string(links_[2].held.size()) + " entries" + (clear_ ? ", clear" : "") +
           (reset_ ? ", in reset" : "");
  }
  bool met() const {
    return full_[0] && full_[1] && full_[2] && empty_[0] && empty_[1] && empty_[2] && grants_[0] && grants_[1] &&
           reset_cycles_ > 4;
  }

 private:
  Random random_;
  winnow::lockstep::Resets resets_{random_, 1000};
  Link links_[3] = {{4, true, Pace(random_), Pace(random_)},
                    {3, true, Pace(random_), Pace(random_)},
                    {2, false, Pace(random_), Pace(random_)}};
  Arbiter arbiters_[2] = {{4, Pace(random_)}, {3, Pace(random_)}};
  std::uint64_t requests_ = 50, full_[3] = {}, empty_[3] = {}, grants_[2] = {}, reset_cycles_ = 0;
  unsigned ready_ = 0, taken_ = 0;
  bool clear_ = false, reset_ = true;
};

// Exit code: 0 when all planted bugs are seen but those that the table calls equivalent, which are not.
int mutants(const std::string& table, std::uint64_t seed, std::uint64_t cycles) {
  const auto first = [&](unsigned mutant) {
    Links links(seed, mutant);
    return winnow::lockstep::run(links, cycles).difference;
  };
  if (first(0)) return std::printf("without a bug there is a difference\n"), 1;
  unsigned wrong = 0, seen = 0;
  try {
    const auto all = winnow::test::read_mutants(table);
    for (const winnow::test::Mutant& m : all) {
      const auto d = first(m.number);
      const bool c = d.has_value();
      wrong += c == m.equivalent;
      seen += c;
      std::printf("mutant %2u %s%s  %s\n", m.number,
                  c              ? ("caught in cycle " + std::to_string(d->cycle) + " by " + d->signal).c_str()
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
  std::string coverage, table, out = winnow::lockstep::kWaves;
  app.add_option("--cycles", cycles);
  app.add_option("--seed", seed);
  app.add_option("--out", out, "folder for waveforms of a difference");
  app.add_option("--coverage", coverage, "write what lines and toggles were met to this file");
  app.add_option("--mutants", table, "all planted bugs of this table, in a build that has them");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  if (!table.empty()) return mutants(table, seed, cycles);
  const std::string number = std::to_string(seed);
  bool met = false;
  const auto then = [&](Links& links) {
    met = links.met();
    if (!coverage.empty()) links.write_coverage(coverage);
    return std::string(met ? "" : "not every link was full and empty, ");
  };
  return winnow::lockstep::verdict([&] { return std::make_unique<Links>(seed); }, cycles, "prim, seed " + number,
                                   out + "/prim-" + number, "test_rtl_prim --seed " + number + " --out " + out, then) &&
                 met
             ? 0
             : 1;
}
