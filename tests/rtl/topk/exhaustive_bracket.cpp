// exhaustive_bracket: the RTL bracket engine itself against the definition (golden/select.h), jobs back to back: every
// list of up to 6 items of 2 bits, every k, a spread of shares; and as many of the items' full width that keep the same
// order, whose octaves and windows differ.
#include <cstdio>
#include <deque>

#include "sim/rtl/verilated_block.h"
#include "tests/models/topk/drive.h"
#include "tests/rtl/cli.h"

namespace {

using namespace winnow::topk;
using winnow::topk::test::Random;
using winnow::topk::test::reference;
using winnow::topk::test::Result;

struct Planned {
  Job job;
  std::vector<std::uint64_t> items;
};

class Device : public winnow::rtl::VerilatedBlock<WINNOW_RTL_CLASS> {
 public:
  explicit Device(std::uint64_t seed) : VerilatedBlock({}), random_(seed) {}
  unsigned lanes() const { return rtl_->parallelism_o; }
  unsigned item_bits() const { return rtl_->item_bits_o; }

  // Compares all jobs; false at the first that differs.
  bool run(const std::vector<Planned>& jobs, std::uint64_t& compared) {
    std::size_t header = 0, loading = 0, done = 0;
    unsigned next = 0;
    Result now;
    std::uint64_t idle = 0;
    while (done < jobs.size()) {
      rtl_->job_valid_i = header < jobs.size();
      if (header < jobs.size()) {
        rtl_->job_n_i = jobs[header].job.n;
        rtl_->job_mass_i = jobs[header].job.rule == Rule::mass;
        rtl_->job_amount_i = jobs[header].job.amount;
      }
      rtl_->row_valid_i = loading < header;
      if (loading < header)
        for (unsigned i = 0; i < lanes(); ++i)
          rtl_->row_i[i] = next + i < jobs[loading].items.size() ? jobs[loading].items[next + i] : random_.next();
      rtl_->out_ready_i = random_.below(8) != 0;
      rtl_->eval();
      if (rtl_->rtl_out_valid && rtl_->out_ready_i) {
        idle = 0;
        for (unsigned i = 0; i < rtl_->rtl_out_count; ++i)
          now.kept.push_back(static_cast<std::uint32_t>(rtl_->rtl_out_indices[i]));
        if (rtl_->rtl_out_last) {
          const Planned& p = jobs[done];
          const Result expected = reference(p.job, p.items);
          if (now.kept != expected.kept || rtl_->rtl_out_kept != expected.selection.kept ||
              rtl_->rtl_out_boundary != expected.selection.boundary ||
              rtl_->rtl_out_kept_sum != expected.selection.kept_sum) {
            std::printf("job %zu differs: n %u, %s %u, items", done, p.job.n, p.job.rule == Rule::count ? "k" : "mu16",
                        p.job.amount);
            for (const std::uint64_t v : p.items) std::printf(" %llu", static_cast<unsigned long long>(v));
            std::printf("\n");
            return false;
          }
          compared += expected.kept.size() + 3;
          now = {};
          ++done;
        }
      }
      const bool job = rtl_->job_valid_i && rtl_->rtl_job_ready, row = rtl_->row_valid_i && rtl_->rtl_row_ready;
      if (row) {
        next += lanes();
        if (next >= jobs[loading].items.size()) next = 0, ++loading;
      }
      clock();
      if (!assertion().empty()) {
        std::printf("job %zu: assertion %s failed\n", done, assertion().c_str());
        return false;
      }
      header += job;
      if (++idle > 100000) {
        std::printf("job %zu never ends\n", done);
        return false;
      }
    }
    return true;
  }

 private:
  Random random_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The RTL bracket engine against the definition, all small jobs"};
  std::uint64_t seed = 1;
  app.add_option("--seed", seed, "of the wide values");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  Device device(seed);
  Random random(seed);
  std::uint64_t jobs = 0, compared = 0;
  for (unsigned n = 1; n <= 6; ++n) {
    std::vector<Planned> list;
    for (const bool wide : {false, true})
      for (unsigned code = 0; code < 1u << (2 * n); ++code) {
        std::uint64_t value[4] = {0, 1, 2, 3};
        if (wide)
          for (unsigned i = 1; i < 4; ++i)
            value[i] = value[i - 1] + 1 + random.below((std::uint64_t{1} << random.below(device.item_bits() - 2)));
        std::vector<std::uint64_t> items(n);
        for (unsigned i = 0; i < n; ++i) items[i] = value[(code >> (2 * i)) & 3];
        for (unsigned k = 1; k <= n; ++k) list.push_back({{n, Rule::count, k}, items});
        for (unsigned mu16 : {1u, 16384u, 32768u, 32769u, 52429u, 65535u, 65536u})
          list.push_back({{n, Rule::mass, mu16}, items});
        list.push_back({{n, Rule::mass, 1 + static_cast<unsigned>(random.below(65536))}, items});
      }
    if (!device.run(list, compared)) return 1;
    jobs += list.size();
  }
  std::printf("exhaustive bracket engine: %llu jobs, %llu values compared: equal\n",
              static_cast<unsigned long long>(jobs), static_cast<unsigned long long>(compared));
  return jobs > 100000 ? 0 : 1;
}
