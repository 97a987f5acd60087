// Sorts with the Batcher merge sorter that the engine is measured against (tests/rtl/synth/batcher_merge_sorter.sv),
// row by row and pass by pass, compares the order with std::sort, and counts cycles beside those of the top-k engine
// (by its model, which the lockstep finds equal in every cycle).
//   test_rtl_sorter [--inputs N] [--seed N] [--out FILE.json]
//
// The memories of the runs are here: two banks, the pass reads one and writes the other. A merge starts as soon as both
// its runs are in the bank, so a pass begins while the one before drains, where it can; that is the sorter's best.
#include <verilated.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <fstream>
#include <numeric>
#include <vector>

#include "Vmerge_sorter.h"
#include "tests/models/topk/drive.h"
#include "tests/rtl/cli.h"

namespace {

using namespace winnow::topk;
using winnow::topk::test::Random;

constexpr unsigned kLanes = 16, kKeyBits = 20, kIndexBits = 10, kWidth = kKeyBits + kIndexBits;
// Ordered behind every item: an ended run, or what fills up the last row.
constexpr std::uint32_t kNone = (1u << kIndexBits) - 1;

using SortRow = std::vector<std::uint32_t>;  // kLanes words of key and index

class Sorter {
 public:
  // The items' indices in the sorter's order; adds to cycles() from the first row in to the last row out.
  std::vector<std::uint32_t> sort(const std::vector<std::uint64_t>& keys) {
    const std::size_t rows = (keys.size() + kLanes - 1) / kLanes;
    std::vector<std::vector<SortRow>> banks(2, std::vector<SortRow>(rows));
    for (std::size_t r = 0; r < rows; ++r) {
      banks[1][r].assign(kLanes, kNone);
      for (std::size_t i = 0; i < kLanes && r * kLanes + i < keys.size(); ++i)
        banks[1][r][i] = static_cast<std::uint32_t>(keys[r * kLanes + i] << kIndexBits | (r * kLanes + i));
    }
    pass(banks[1], banks[0], 0);
    unsigned from = 0;
    for (std::size_t run = 1; run < rows; run *= 2, from ^= 1) {
      for (SortRow& row : banks[from ^ 1]) row.clear();
      pass(banks[from], banks[from ^ 1], run);
    }
    while (!coming_.empty()) clock(nullptr, nullptr, false, false, nullptr);
    std::vector<std::uint32_t> order;
    for (const SortRow& row : banks[from]) order.insert(order.end(), row.begin(), row.end());
    for (std::uint32_t& word : order) word &= (1u << kIndexBits) - 1;
    order.resize(keys.size());
    return order;
  }
  std::uint64_t cycles() const { return cycles_; }

 private:
  // run 0: sorts each row; else merges runs of so many rows, two by two. A last run alone is merged with an empty one.
  void pass(const std::vector<SortRow>& in, std::vector<SortRow>& out, std::size_t run) {
    if (run == 0) {
      for (std::size_t r = 0; r < in.size(); ++r) clock(&in[r], nullptr, true, true, &out[r]);
      return;
    }
    std::size_t next = 0;
    for (std::size_t begin = 0; begin < in.size(); begin += 2 * run) {
      const std::size_t middle = std::min(begin + run, in.size()), end = std::min(begin + 2 * run, in.size());
      while (std::any_of(in.begin() + static_cast<long>(begin), in.begin() + static_cast<long>(end),
                         [](const SortRow& row) { return row.empty(); }))
        clock(nullptr, nullptr, false, true, nullptr);
      for (std::size_t a = begin, b = middle; a < middle || b < end;) {
        const bool first = a == begin && b == middle;
        SortRow* leaves = first ? waits_for_ : &out[next++];
        (clock(a < middle ? &in[a] : nullptr, b < end ? &in[b] : nullptr, false, first, leaves) ? a : b) += 1;
      }
      waits_for_ = &out[next++];
    }
  }

  // One cycle: rows a and b (null: that run has ended), and where the row goes that comes out for it (null: nowhere).
  // Returns whether a was taken.
  bool clock(const SortRow* a, const SortRow* b, bool sort, bool first, SortRow* leaves) {
    put(rtl_.row_a_i, a);
    put(rtl_.row_b_i, b);
    rtl_.sort_i = sort;
    // Without a row, one of nothing begins a merge of nothing, and pushes out what waits.
    const bool bubble = !a && !b;
    rtl_.first_i = first || bubble;
    if (bubble) leaves = waits_for_;
    if (first || bubble) waits_for_ = nullptr;
    rtl_.clk_i = 0;
    rtl_.eval();
    const bool take_a = rtl_.take_a_o;
    if (leaves) coming_.push_back({cycles_ + (sort ? 3 : 2), leaves});
    ++cycles_;
    rtl_.clk_i = 1;
    rtl_.eval();
    // What comes out by the end of this cycle can be read from the next on.
    for (auto c = coming_.begin(); c != coming_.end();) {
      if (c->at == cycles_) {
        get(*c->to);
        c = coming_.erase(c);
      } else {
        ++c;
      }
    }
    return take_a;
  }

  template <class Port>
  static void put(Port& port, const SortRow* row) {
    std::fill_n(&port[0], (kLanes * kWidth + 31) / 32, 0u);
    for (unsigned i = 0; i < kLanes; ++i) {
      const std::uint64_t word = std::uint64_t{row ? (*row)[i] : kNone} << (i * kWidth % 32);
      port[i * kWidth / 32] |= static_cast<std::uint32_t>(word);
      if (word >> 32) port[i * kWidth / 32 + 1] |= static_cast<std::uint32_t>(word >> 32);
    }
  }
  void get(SortRow& row) {
    row.resize(kLanes);
    for (unsigned i = 0; i < kLanes; ++i) {
      const unsigned word = i * kWidth / 32, shift = i * kWidth % 32;
      std::uint64_t bits = rtl_.row_o[word];
      if (shift + kWidth > 32) bits |= std::uint64_t{rtl_.row_o[word + 1]} << 32;
      row[i] = static_cast<std::uint32_t>(bits >> shift) & ((1u << kWidth) - 1);
    }
  }

  struct Coming {
    std::uint64_t at;
    SortRow* to;
  };
  Vmerge_sorter rtl_;
  std::uint64_t cycles_ = 0;
  std::deque<Coming> coming_;
  SortRow* waits_for_ = nullptr;  // where the row goes that waits in the sorter
};

std::vector<std::uint64_t> items(Random& random, unsigned n, bool ties) {
  std::vector<std::uint64_t> all(n);
  for (auto& x : all) x = ties ? random.below(5) : random.below(1u << kKeyBits);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The merge sorter that the top-k engine is measured against: order and cycles"};
  unsigned inputs = 200;
  std::uint64_t seed = 2026;
  std::string out;
  app.add_option("--inputs", inputs, "random inputs for each n");
  app.add_option("--seed", seed);
  app.add_option("--out", out, "write the cycles of (n, k) = (1024, 512) as JSON");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;

  std::uint64_t compared = 0;
  double cycles_1024 = 0;
  Sorter sorter;
  std::printf("merge sorter, P %u, mean of %u random inputs (one in four with many ties):\n", kLanes, inputs);
  for (const unsigned n : {1024u, 993u, 512u, 307u, 102u, 48u, 17u, 16u, 1u}) {
    Random random(seed);
    const std::uint64_t before = sorter.cycles();
    for (unsigned run = 0; run < inputs; ++run) {
      const auto keys = items(random, n, run % 4 == 3);
      std::vector<std::uint32_t> expected(n);
      std::iota(expected.begin(), expected.end(), 0u);
      std::stable_sort(expected.begin(), expected.end(), [&](auto a, auto b) { return keys[a] > keys[b]; });
      if (sorter.sort(keys) != expected) {
        std::printf("n %u, input %u: not in order\n", n, run);
        return 1;
      }
      compared += n;
    }
    const double cycles = static_cast<double>(sorter.cycles() - before) / inputs;
    if (n == 1024) cycles_1024 = cycles;
    std::printf("  n %4u: %6.1f cycles\n", n, cycles);
  }

  std::string json = "{\"n\": 1024, \"k\": 512, \"parallelism\": 16, \"inputs\": " + std::to_string(inputs) +
                     ", \"sorter_cycles\": " + std::to_string(cycles_1024);
  std::printf("top-k engine, P %u, n 1024, k 512, mean of %u random inputs; sorter / engine in cycles:\n", kLanes,
              inputs);
  for (const PivotRule pivot : {PivotRule::random, PivotRule::sampled}) {
    const char* name = pivot == PivotRule::random ? "random" : "sampled";
    Engine engine({kLanes, 64, kKeyBits, pivot, 1});
    Random random(seed), drive(1);
    const Job job{1024, Rule::count, 512};
    for (unsigned run = 0; run < inputs; ++run) {
      const auto keys = items(random, job.n, false);
      const test::Result result = test::run(engine, job, keys, drive);
      if (result.kept != test::reference(job, keys).kept) {
        std::printf("the engine keeps other items than the reference\n");
        return 1;
      }
      compared += result.kept.size();
    }
    const Stats& s = engine.stats();
    const double load = static_cast<double>(s.load_cycles) / inputs,
                 select = static_cast<double>(s.select_cycles) / inputs,
                 filter = static_cast<double>(s.filter_cycles) / inputs, all = load + select + filter;
    std::printf("  %-7s  load %.1f + select %.1f + filter %.1f = %.1f cycles: %.2f; select alone %.2f\n", name, load,
                select, filter, all, cycles_1024 / all, cycles_1024 / select);
    json += std::string(", \"") + name + "\": {\"load\": " + std::to_string(load) +
            ", \"select\": " + std::to_string(select) + ", \"filter\": " + std::to_string(filter) + "}";
  }
  std::printf("%llu indices compared\n", static_cast<unsigned long long>(compared));
  if (!out.empty()) std::ofstream(out) << json << "}\n";
  return compared > 1024u * inputs ? 0 : 1;
}
