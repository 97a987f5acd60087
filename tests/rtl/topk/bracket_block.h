#pragma once
// Lockstep adapter of the bracket engine: what it has beside engine_block.h.
#include <algorithm>
#include <string>
#include <vector>

#include "models/topk/bracket_engine.h"
#include "sim/rtl/verilated_block.h"
#include "tests/rtl/topk/engine_block.h"

namespace winnow::topk::test {

struct BracketCover : EngineCover {
  std::uint64_t zero_boundary = 0, below_32 = 0, octaves = 0, last_octave = 0;
  std::uint64_t wide_window = 0, missed_up = 0, missed_down = 0, early = 0, exact = 0, single = 0, sure = 0,
                narrowed = 0, divided = 0, second_pass = 0, overtaken = 0;
  std::uint64_t lists_full = 0, all_busy = 0, pass_waits = 0, hand_waits = 0;
};

class BracketBlock final : public EngineBlock<rtl::VerilatedBlock<WINNOW_RTL_CLASS>, BracketEngine, BracketCover> {
 public:
  static constexpr const char* kName = "topk_bracket";
  static constexpr const char* kScope = "TOP.topk_bracket_lockstep";
  static std::vector<std::string> probe_names() {
    return {
#include "topk_bracket_probe_names.inc"
    };
  }
  static std::span<const rtl::Place> probe_places() {
    static constexpr rtl::Place all[] = {
#include "topk_bracket_probe_places.inc"
    };
    return all;
  }

  explicit BracketBlock(std::uint64_t seed, unsigned mutant = 0, Breach breach = Breach::none)
      : EngineBlock(seed, 2, nullptr, breach, lockstep::power_on(seed, {"+mutant=" + std::to_string(mutant)})) {
    config_.parallelism = rtl_->parallelism_o;
    config_.fifo_depth = rtl_->fifo_depth_o;
    config_.item_bits = rtl_->item_bits_o;
    config_.prefilter = Prefilter::bracket;
    renew_model();
  }

  template <class Visit, class Unseen>
  void probes(Visit&& visit, Unseen&& unseen) {
    using State = List::State;
    const BracketEngine& m = *model_;
    const Outputs& o = out_;
    const unsigned refused = refused_, Parallelism = config_.parallelism, Lists = rtl_->lists_o, Edges = rtl_->edges_o;
    constexpr unsigned Bins = WindowPass::kBins;
    if (m.load() == BracketEngine::Load::hand) edges_ = m.bins().at_least();
#include "topk_bracket_probes.inc"
  }

 private:
  // Items that sum up to 65536, as probabilities do, and a share that the largest of them reach exactly, or miss by
  // one.
  void fill_exactly(Planned& planned) {
    auto& items = planned.items;
    const unsigned clump = static_cast<unsigned>(random_.below(3));
    std::uint64_t left = 65536;
    for (auto& v : items) {
      v = random_.below(left / (1 + random_.below(8)) + 1);
      if (clump == 1) v = std::min(left, v & ~std::uint64_t{255});
      if (clump == 2 && random_.below(2)) v = std::min(left, random_.below(4));
      left -= v;
    }
    items[random_.below(items.size())] += left;
    for (std::size_t i = items.size(); i-- > 1;) std::swap(items[i], items[random_.below(i + 1)]);
    std::vector<std::uint64_t> order = items;
    std::sort(order.rbegin(), order.rend());
    const std::uint64_t upto = 1 + random_.below(1 + random_.below(order.size()));
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < upto; ++i) sum += order[i];
    const auto amount = static_cast<unsigned>(sum + random_.below(3) - 1);
    if (amount >= 1 && amount <= 65536) planned.job.amount = amount;
  }

  void fill(Planned& planned) override {
    auto& items = planned.items;
    const Job& job = planned.job;
    const unsigned n = job.n, bits = config_.item_bits;
    const std::uint64_t top = (std::uint64_t{1} << bits) - 1;
    const std::uint64_t distinct = 1 + random_.below(6), kind = random_.below(12);
    const auto shift = static_cast<unsigned>(random_.below(bits));
    const std::uint64_t base = (random_.next() & top) >> shift << shift;
    for (unsigned i = 0; i < n; ++i) {
      const std::uint64_t r = random_.next() & top;
      items[i] = kind < 2    ? r
                 : kind < 5  ? r >> random_.below(bits)
                 : kind < 7  ? (random_.below(distinct) * (kind == 5 ? 1 : top / 7)) & top
                 : kind < 8  ? (random_.below(8) ? 0 : top)
                 : kind < 9  ? (random_.below(2) ? i : n - i) & top
                 : kind < 10 ? base | (r & ((std::uint64_t{1} << shift) - 1))       // around one value
                 : kind < 11 ? (i == n / 2 ? top : r >> (bits > 6 ? bits - 6 : 0))  // one huge
                             : std::min(top, base + random_.below(3));
    }
    if (random_.below(32) == 0) std::fill(items.begin(), items.end(), random_.below(2) ? top : 0);
    if (job.rule == Rule::mass && job.amount > 1 && job.amount < 65536 && bits > 16 && n != 0 && random_.below(2))
      fill_exactly(planned);
  }

  void note() override {
    using State = List::State;
    const BracketEngine& m = *model_;
    const ListTable& lists = m.table();
    cover_.lists_full += m.load() == BracketEngine::Load::header && !out_.job_ready;
    cover_.all_busy += (m.load() != BracketEngine::Load::header) + !m.scan().idle() + !m.pass().idle() +
                           !m.search().idle() + !m.filter().idle() ==
                       static_cast<int>(lists.size());
    cover_.hand_waits += m.load() == BracketEngine::Load::hand && !m.scan().idle();
    cover_.pass_waits += m.pass().ready() && !m.search().idle();
    if (last_scan_ != BinScan::State::idle && m.scan().idle()) {
      const List& l = lists[m.scan().list()];
      if (l.state == State::found) {
        cover_.sum_zero += l.mass;
        cover_.zero_boundary += !l.mass && l.limit == 1;
      } else {
        ++(last_scan_ == BinScan::State::small ? cover_.below_32 : cover_.octaves);
        cover_.last_octave += last_scan_ == BinScan::State::scan && m.scan().octave() + 1 == config_.item_bits;
        cover_.wide_window += l.shift != 0;
      }
    }
    if (last_search_ != WindowSearch::State::idle && m.search().idle()) {
      const List& l = lists[m.search().list()];
      const bool found = l.state == State::found;
      if (last_search_ == WindowSearch::State::aim)
        ++(l.limit == searched_limit_ ? cover_.missed_up : cover_.missed_down);
      else if (last_search_ == WindowSearch::State::halve && found)
        ++(m.search().width() > 1    ? cover_.early
           : m.search().shift() == 0 ? cover_.exact
           : l.mass                  ? cover_.sure
                                     : cover_.single);
      else if (last_search_ == WindowSearch::State::halve)
        ++cover_.narrowed;
      cover_.divided += last_search_ == WindowSearch::State::divide;
      cover_.second_pass += !found;
    }
    if (!m.search().idle()) searched_limit_ = lists[m.search().list()].limit;
    last_scan_ = m.scan().state();
    last_search_ = m.search().state();
    // A later list is found before the oldest.
    const unsigned second = lists.after(m.oldest());
    cover_.overtaken +=
        lists[second].state == State::found && lists[m.oldest()].state != State::found && m.filter().idle();
  }

  std::vector<unsigned> edges_;
  BinScan::State last_scan_ = BinScan::State::idle;
  WindowSearch::State last_search_ = WindowSearch::State::idle;
  std::uint64_t searched_limit_ = 0;
};

}  // namespace winnow::topk::test
