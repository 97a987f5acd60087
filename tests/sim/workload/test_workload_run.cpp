// Workload files through the machine: bytes and bursts against the closed form, refetches, cycles, determinism.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <tuple>

#include "golden/error.h"
#include "sim/run/workload_prepare.h"
#include "tests/sim/workload/workload_file.h"

namespace winnow {
namespace {

using golden::Kind;
using test::Generated;
using test::WorkloadFile;

struct Outcome {
  Cycle cycles = 0;
  golden::Accesses accesses;
  std::uint64_t layers = 0, refetched = 0, groups = 0, qk_busy = 0;
  std::vector<Cycle> last_writes;
  Comparison compared{"workload", "machine"};
};

RunOptions options_of(const std::string& path, const std::string& machine, std::vector<std::string> set = {}) {
  RunOptions o;
  o.trace = path, o.machine = machine, o.set = std::move(set);
  return o;
}

Outcome simulate(const RunOptions& options, bool reverse = false) {
  const PreparedWorkload p = prepare_workload(options);
  Outcome out;
  std::size_t at = 0;
  const auto m = make_workload_machine(
      p, options.seed, out.compared, [&](const LayerPlan& plan, const auto& records, const LayerCounts& counts) {
        while (!p.layers[at].in_range) ++at;
        const WorkloadLayer& layer = p.layers[at++];
        EXPECT_EQ(plan.step, layer.step);
        EXPECT_EQ(plan.layer, layer.layer);
        compare_workload_layer(p.workload, layer, p.layout,
                               token_order(options.seed, layer.step, order_length(p.workload, layer)), records, counts,
                               out.compared);
        out.accesses += counts.accesses;
        out.last_writes.push_back(counts.last_write);
        for (const GroupRecord& r : records) ++out.groups, out.refetched += r.refetched;
        ++out.layers;
      });
  std::vector<std::function<void(Cycle)>> blocks;
  for (Block* block : m->blocks()) blocks.push_back([block](Cycle now) { block->tick(now); });
  if (reverse) std::reverse(blocks.begin(), blocks.end());
  while (m->begin_cycle())
    for (auto& tick : blocks) tick(m->now());
  compare_totals(p.bytes, out.accesses, out.compared);
  out.cycles = m->last_write() - m->first_request();
  EXPECT_EQ(out.layers, p.layers_in_range);
  EXPECT_EQ(out.groups, p.workload.encoder ? 0 : p.rows_in_range);  // nothing is recorded where K and V are resident
  out.qk_busy = m->parts().qk.stats().busy_cycles();
  return out;
}

void expect_equal_to_the_file(const Outcome& o) {
  EXPECT_EQ(o.compared.different(), 0u) << o.compared.first_difference();
  EXPECT_GT(o.compared.compared(CompareKind::decisions), o.groups);
  EXPECT_GT(o.compared.compared(CompareKind::counts), o.layers * 10);
  EXPECT_GT(o.cycles, 0u);
  std::printf("  %llu rows, %llu cycles: compared %llu decisions, %llu counts\n",
              static_cast<unsigned long long>(o.groups), static_cast<unsigned long long>(o.cycles),
              static_cast<unsigned long long>(o.compared.compared(CompareKind::decisions)),
              static_cast<unsigned long long>(o.compared.compared(CompareKind::counts)));
}

TEST(WorkloadRun, BytesAndBurstsAreTheFiles) {
  for (const auto& [machine, head_dim, length] : {std::tuple{"tiny", 32, 70},
                                                  {"tiny", 16, 200},
                                                  {"tiny", 24, 90},
                                                  {"spatten-eighth", 64, 150},
                                                  {"spatten", 64, 300},
                                                  {"spatten", 80, 200}})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      Generated g;
      g.head_dim = head_dim, g.length = length, g.seed = seed;
      const WorkloadFile file(test::text_of(g));
      const Outcome o = simulate(options_of(file.path(), machine));
      expect_equal_to_the_file(o);
      EXPECT_GT(o.refetched, 0u);
      EXPECT_LT(o.refetched, o.groups);
      EXPECT_GT(o.accesses.useful_of(Kind::key_lsb), 0u);
      // 32-byte bursts carry at least what is useful.
      EXPECT_GE(o.accesses.kv_bursts() * 32, o.accesses.kv_useful());
    }
}

// The recorded slice of a real file's form: D 64, 12 values of 60 keys.
TEST(WorkloadRun, SliceOfTheSample) {
  const Outcome o = simulate(options_of(WINNOW_SOURCE_DIR "/tests/traces/reader/workload.csv", "spatten-eighth"));
  expect_equal_to_the_file(o);
}

// Widths that no on-chip word has: for bytes only.
TEST(WorkloadRun, WideWords) {
  for (const auto& [key, refetch, value, query] :
       {std::array{10, 4, 10, 16}, {12, 4, 12, 32}, {-1, 1, -1, -1}, {1, 32, 1, 1}}) {
    Generated g;
    g.key_bits = key, g.refetch_bits = refetch, g.value_bits = value, g.query_bits = query;
    const WorkloadFile file(test::text_of(g));
    const Outcome o = simulate(options_of(file.path(), "tiny"));
    expect_equal_to_the_file(o);
    const int bits = key < 0 ? 32 : key;
    EXPECT_EQ(o.accesses.useful_of(Kind::key_msb) % static_cast<std::uint64_t>(bits * g.head_dim / 8), 0u);
  }
}

TEST(WorkloadRun, RefetchIsForced) {
  Generated g;
  g.refetch_percent = 0;
  const WorkloadFile none(test::text_of(g));
  g.refetch_percent = 100;
  const WorkloadFile all(test::text_of(g));
  const Outcome a = simulate(options_of(none.path(), "tiny")), b = simulate(options_of(all.path(), "tiny"));
  expect_equal_to_the_file(a);
  expect_equal_to_the_file(b);
  EXPECT_EQ(a.refetched, 0u);
  EXPECT_EQ(b.refetched, b.groups);
  EXPECT_EQ(a.accesses.useful_of(Kind::key_lsb), 0u);
  EXPECT_EQ(b.accesses.useful_of(Kind::key_lsb) * 6, b.accesses.useful_of(Kind::key_msb) * 4);
  EXPECT_GT(b.cycles, a.cycles);
}

TEST(WorkloadRun, SameSeedSameCyclesInAnyOrderOfBlocks) {
  const WorkloadFile file(test::text_of({}));
  RunOptions o = options_of(file.path(), "tiny");
  const Outcome a = simulate(o), again = simulate(o), reversed = simulate(o, true);
  EXPECT_EQ(a.last_writes, again.last_writes);
  EXPECT_EQ(a.last_writes, reversed.last_writes);
  EXPECT_EQ(a.accesses, reversed.accesses);
  o.seed = 2;
  const Outcome other = simulate(o);
  EXPECT_NE(a.last_writes, other.last_writes);
  for (int k = 0; k < golden::kKinds; ++k)
    EXPECT_EQ(a.accesses.useful[static_cast<std::size_t>(k)], other.accesses.useful[static_cast<std::size_t>(k)]);
  std::printf("  compared %zu layers' last writes three times\n", a.last_writes.size());
}

TEST(WorkloadRun, RangesOfLayersAndSteps) {
  const WorkloadFile file(test::text_of({}));
  const Outcome whole = simulate(options_of(file.path(), "tiny"));
  golden::Accesses sum;
  std::uint64_t layers = 0;
  for (int step = 0; step < 3; ++step)
    for (int half = 0; half < 2; ++half) {
      RunOptions o = options_of(file.path(), "tiny");
      o.steps = {step, step}, o.layers = {2 * half, 2 * half + 1};
      const Outcome part = simulate(o);
      expect_equal_to_the_file(part);
      sum += part.accesses, layers += part.layers;
    }
  EXPECT_EQ(layers, whole.layers);
  EXPECT_EQ(sum.useful, whole.accesses.useful);
}

// The encoder form by arithmetic on the file's own rows: K and V once a head, each query over all that is fetched.
TEST(WorkloadRun, EncoderForm) {
  for (const auto& [machine, head_dim, length] : {std::tuple{"tiny", 32, 70},
                                                  {"tiny", 24, 90},
                                                  {"spatten-eighth", 64, 150},
                                                  {"spatten", 64, 384},
                                                  {"spatten", 72, 200}})
    for (const bool queries_fall : {false, true}) {
      Generated g;
      g.head_dim = head_dim, g.length = length, g.layers = 5, g.seed = static_cast<std::uint64_t>(length);
      const WorkloadFile file(test::encoder_text_of(g, queries_fall));
      const RunOptions o = options_of(file.path(), machine);
      const Outcome out = simulate(o), reversed = simulate(o, true);
      EXPECT_EQ(out.compared.different(), 0u) << out.compared.first_difference();
      EXPECT_EQ(out.last_writes, reversed.last_writes);
      EXPECT_GT(out.compared.compared(CompareKind::decisions), 0u);
      const Workload w = read_workload(file.path());
      ASSERT_TRUE(w.encoder);
      const std::uint64_t banks = static_cast<std::uint64_t>(load_machine(machine).qk.multipliers / head_dim);
      const auto D = static_cast<std::uint64_t>(head_dim);
      std::uint64_t key = 0, value = 0, query = 0, busy = 0, wide = 0;
      for (const WorkloadRow& r : w.rows) {
        const auto n = static_cast<std::uint64_t>(r.keys), L = static_cast<std::uint64_t>(r.length);
        EXPECT_EQ(r.values, r.keys);
        EXPECT_EQ(r.queries, r.length);
        key += n * D * static_cast<std::uint64_t>(r.key_bits) / 8, value += n * D * 6 / 8, query += L * D * 16 / 8;
        busy += L * ((n + banks - 1) / banks);
        wide += r.key_bits == g.key_bits + g.refetch_bits;
      }
      EXPECT_GT(wide, 0u);
      EXPECT_LT(wide, w.rows.size());
      EXPECT_EQ(out.accesses.useful_of(Kind::key_msb), key);
      EXPECT_EQ(out.accesses.useful_of(Kind::key_lsb), 0u);
      EXPECT_EQ(out.accesses.useful_of(Kind::value), value);
      EXPECT_EQ(out.accesses.useful_of(Kind::query), query);
      EXPECT_EQ(out.qk_busy, busy);
      std::printf("  %zu rows, %llu cycles: compared %llu decisions, %llu counts\n", w.rows.size(),
                  static_cast<unsigned long long>(out.cycles),
                  static_cast<unsigned long long>(out.compared.compared(CompareKind::decisions)),
                  static_cast<unsigned long long>(out.compared.compared(CompareKind::counts)));
    }
}

TEST(WorkloadRun, EncoderFormInRangesOfLayers) {
  Generated g;
  g.layers = 5;
  const WorkloadFile file(test::encoder_text_of(g, true));
  const Outcome whole = simulate(options_of(file.path(), "tiny"));
  golden::Accesses sum;
  for (const auto& [first, last] : {std::pair{0, 1}, {2, 3}, {4, 4}}) {
    RunOptions o = options_of(file.path(), "tiny");
    o.layers = {first, last};
    const Outcome part = simulate(o);
    EXPECT_EQ(part.compared.different(), 0u) << part.compared.first_difference();
    sum += part.accesses;
  }
  EXPECT_EQ(sum.useful, whole.accesses.useful);
}

std::string refusal(const RunOptions& options) {
  try {
    prepare_workload(options);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(WorkloadRun, RefusedInOneLine) {
  const std::string header = test::kHeader, good = "0,0,0,32,40,40,6,16,0.05,False,4,8,6,True,False,False,-1\n";
  const auto of = [&](const std::string& rows, const std::string& machine = "tiny", std::vector<std::string> set = {}) {
    const WorkloadFile file(header + rows);
    const std::string text = refusal(options_of(file.path(), machine, std::move(set)));
    EXPECT_EQ(text.find('\n'), std::string::npos);
    return text;
  };
  const std::string encoded = "0,0,32,40,40,6,6,12,0.05,False,4,0,True,False,-1\n";
  const auto encoder = [&](const std::string& rows) {
    const WorkloadFile file(test::kEncoderHeader + rows);
    return refusal(options_of(file.path(), "tiny"));
  };
  EXPECT_EQ(of(good), "accepted");
  EXPECT_EQ(encoder(encoded), "accepted");
  const std::pair<std::string, std::string> cases[] = {
      {of("0,0,0,32,300,300,6,16,0.05,False,4,8,6,True,False,False,-1\n"), "tokens: 300"},
      {of("0,0,0,40,40,40,6,16,0.05,False,4,8,6,True,False,False,-1\n"),
       "head_dim: 40: must be at most qk.multipliers"},
      {of("0,0,0,32,40,0,6,16,0.05,False,4,0,6,True,False,False,-1\n"), "line 2: key_fetch_num: 0"},
      {of("0,0,0,32,40,40,6,16,0.05,False,4,0,6,True,False,False,-1\n"), "line 2: value_fetch_num: 0"},
      {of(good + "0,1,0,32,41,40,6,16,0.05,False,4,8,6,True,False,False,-1\n"), "line 3: sentence_length_L: 41"},
      {of("0,0,0,32,40,20,6,16,0.05,False,4,8,6,True,False,True,30\n0,1,0,32,40,30,6,16,0.05,False,4,8,6,True,False,"
          "False,-1\n"),
       "line 2: topk: 30"},
      {of("0,0,70000,32,40,20,6,16,0.05,False,4,8,6,True,False,False,-1\n"), "line 2: head_id: 70000"},
      {of(good, "tiny", {"local_value=0.5"}), "local_value"},
      {encoder("0,0,32,40,0,6,6,12,0.05,False,4,0,True,False,-1\n"), "line 2: key_value_query_fetch_num: 0"},
      {encoder(encoded + "0,1,32,41,40,6,6,12,0.05,False,4,0,True,False,-1\n"),
       "line 3: sentence_length_L: 41: must be the 40 of its layer"},
      {encoder("0,0,32,40,20,6,6,12,0.05,False,4,0,True,True,30\n1,0,32,40,30,6,6,12,0.05,False,4,0,True,False,-1\n"),
       "line 2: topk: 30: must be at most 20 (key_value_query_fetch_num)"},
      {encoder("0,0,40,40,40,6,6,12,0.05,False,4,0,True,False,-1\n"), "head_dim: 40: must be at most qk.multipliers"},
  };
  for (const auto& [text, part] : cases) EXPECT_NE(text.find(part), std::string::npos) << part << " not in: " << text;
  const WorkloadFile file(header + good);
  RunOptions o = options_of(file.path(), "tiny");
  o.layers = {0, 1};
  EXPECT_NE(refusal(o).find("--layers"), std::string::npos);
  o.layers = {}, o.policy = "select";
  EXPECT_NE(refusal(o).find("--policy"), std::string::npos);
  std::printf("  compared %zu refusals\n", std::size(cases) + 2);
}

// The comparison must see a difference.
TEST(WorkloadRun, ADifferenceIsFound) {
  WorkloadBytes file{100, 20, 30, 10};
  golden::Accesses machine;
  machine.useful = {10, 100, 20, 30, 0, 0};
  Comparison c("workload", "machine");
  compare_totals(file, machine, c);
  EXPECT_EQ(c.compared(CompareKind::counts), 4u);
  EXPECT_EQ(c.different(), 0u);
  file.key_refetch = 21;
  compare_totals(file, machine, c);
  EXPECT_EQ(c.different(), 1u);
  EXPECT_EQ(c.first_difference(), "whole run: bytes of key_lsb: machine 20, workload 21");
  compare_choice({}, {1, 2, 3}, {1, 2, 4}, c);
  EXPECT_EQ(c.different(), 2u);
  std::printf("  compared %llu values, 2 planted differences\n", static_cast<unsigned long long>(c.compared()));
}

}  // namespace
}  // namespace winnow
