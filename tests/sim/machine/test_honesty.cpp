// Data honesty: K, V, queries, V's scales and scales of heads reach the machine as bytes of the memory image and in no
// other way.
//
// noise   every code that the source of plans has at hand is overwritten, the image is kept: outputs, decisions,
//         importances, bytes, cycles and every block's counters are the same
// bytes   bytes of the image are replaced by random ones: the machine equals golden on the image decoded into codes
// Planted blocks that take a code instead of what the memory returned show that both can fail. WINNOW_FULL=1 runs more
// random cases; WINNOW_SEEDS=first-last runs what it says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "golden/error.h"
#include "golden/policies/policy.h"
#include "tests/sim/machine/random_case.h"

namespace winnow::test {
namespace {

using golden::HeadCodes;
using golden::Quantized;

// --- what is damaged ------------------------------------------------------------------------------------------------

// All that a block could peek at.
Quantized noise(const Quantized& model, std::uint64_t seed) {
  Quantized noisy = model;
  CaseRandom random(seed);
  const auto fill = [&](auto& codes) {
    for (auto& x : codes) x = static_cast<std::remove_reference_t<decltype(x)>>(random.next());
  };
  const auto fill_real = [&](double& x) { x = random.in(1, 1000) / 7.0; };
  for (int layer = 0; layer < model.shape().layers; ++layer)
    for (int kv = 0; kv < model.shape().kv_heads; ++kv) {
      HeadCodes& c = noisy.codes(layer, kv);
      fill(c.q), fill(c.k), fill(c.v), fill(c.v16), fill(c.out16);
      for (auto* scales : {&c.to_log2, &c.to_out})
        for (golden::Scale& s : *scales) s = {static_cast<std::uint32_t>(random.in(0, 65535)), random.in(-60, 60)};
      for (auto& digit : c.k_digit) fill(digit);
      for (auto* units : {&c.out_unit, &c.score_unit, &c.q_unit})
        for (double& unit : *units) fill_real(unit);
      fill_real(c.k_unit), fill_real(c.v_unit);
    }
  return noisy;
}

// One byte in `one_in` is another; returns how many.
std::uint64_t damage(std::vector<std::uint8_t>& image, int one_in, std::uint64_t seed) {
  CaseRandom random(seed);
  std::uint64_t n = 0;
  for (std::uint8_t& byte : image)
    if (random.one_in(one_in)) byte = static_cast<std::uint8_t>(byte ^ random.in(1, 255)), ++n;
  return n;
}

// --- the two checks -------------------------------------------------------------------------------------------------

struct Tally {
  std::uint64_t cases = 0, compared = 0, kept_image = 0, counters = 0, damaged = 0, cycles = 0;
  std::array<std::uint64_t, kCompareKinds> kind{};
  std::uint64_t prompts = 0, encoders = 0, merged = 0, refetched = 0, selected = 0, pruned_values = 0,
                pruned_tokens = 0, pruned_heads = 0, per_kv_head = 0, token_scales = 0;

  void add(const Comparison& c) {
    compared += c.compared();
    for (int i = 0; i < kCompareKinds; ++i)
      kind[static_cast<std::size_t>(i)] += c.compared(static_cast<CompareKind>(i));
  }
};

// A cheat: called each cycle, before the blocks, with the codes that a block could peek at.
using Cheat = std::function<void(MachineModel&, const Quantized&)>;

std::function<void(MachineModel&)> planted(const Cheat& cheat, const Quantized& within_reach) {
  if (!cheat) return {};
  return [cheat, &within_reach](MachineModel& m) { cheat(m, within_reach); };
}

std::string first_difference(const Outcome& out) {
  if (!out.compared.first_difference().empty()) return out.compared.first_difference();
  return out.broken;
}

// Empty: the codes were not looked at.
std::string with_noise(const Bench& bench, const Outcome& before, std::uint64_t seed, const Cheat& cheat, Tally& t) {
  const Quantized noisy = noise(*bench.prepared().model, seed);
  Bench::Run run;
  run.within_reach = &noisy, run.watch = planted(cheat, noisy);
  const Outcome after = bench.run(std::move(run));
  t.add(after.compared);
  t.kept_image += after.image.size(), t.counters += after.stats.size();
  if (const std::string difference = first_difference(after); !difference.empty()) return "noise: " + difference;
  if (after.image != before.image) {
    const auto at = std::mismatch(after.image.begin(), after.image.end(), before.image.begin()).first;
    return fmt::format("noise: byte {} of the image differs", at - after.image.begin());
  }
  if (after.cycles != before.cycles) return fmt::format("noise: {} cycles, were {}", after.cycles, before.cycles);
  if (after.stats != before.stats) return "noise: a block's counters differ";
  return {};
}

// Empty: what is computed follows from the bytes. The codes within reach are noise here too.
std::string with_bytes(const Bench& bench, int one_in, std::uint64_t seed, const Cheat& cheat, Tally& t) {
  const Prepared& p = bench.prepared();
  Bench::Run run;
  run.image = bench.image();
  t.damaged += damage(run.image, one_in, seed);
  Quantized decoded = *p.model;
  golden::decode_image(run.image, *p.layout, decoded);
  const Quantized noisy = noise(*p.model, seed + 1);
  run.within_reach = &noisy, run.golden = &decoded, run.watch = planted(cheat, noisy);
  const Outcome out = bench.run(std::move(run));
  t.add(out.compared), t.cycles += out.cycles;
  if (const std::string difference = first_difference(out); !difference.empty()) return "bytes: " + difference;
  for (const LayerEnd& layer : out.layers) {
    const golden::Decisions& d = p.model->decisions();
    t.prompts += layer.step == 0 && p.shape.causal, t.encoders += !p.shape.causal;
    t.merged += layer.step == 0 && d.digits.count > 1;
    t.per_kv_head += layer.step > 0 && d.per_kv_head && d.prunes_tokens;
    t.token_scales += d.token_scales;
    for (const HeadPlan& h : layer.heads) {
      t.pruned_heads += h.heads != (std::uint64_t{1} << p.shape.group()) - 1;
      t.pruned_tokens += h.live.size() < static_cast<std::size_t>(p.shape.tokens_in(layer.step));
    }
    for (const GroupRecord& g : layer.records) {
      t.refetched += g.refetched;
      t.selected += !g.survivors[0].empty() && g.survivors[0].size() < layer.heads[g.head].live.size();
      t.pruned_values += g.survivors[0].empty() && g.values.size() < layer.heads[g.head].live.size();
    }
  }
  return {};
}

void check(const RunOptions& options, int one_in, std::uint64_t seed, Tally& t) {
  const Bench bench(options);
  const Outcome before = bench.run({Drive::construction, false});
  ASSERT_EQ(first_difference(before), "") << command_of(options);
  ASSERT_EQ(with_noise(bench, before, seed, {}, t), "") << command_of(options);
  ASSERT_EQ(with_bytes(bench, one_in, seed, {}, t), "") << command_of(options);
  ++t.cases;
}

void print(const char* what, const Tally& t) {
  fmt::print(
      "{}: {} cases, {} values equal to golden's ({} outputs, {} probabilities, {} decisions, {} importances, {} byte "
      "and burst counts), {} bytes of kept images and {} counters the same, {} bytes replaced, {} cycles\n"
      "  layers: {} of decoders' prompts, {} of encoders, {} with merged digits, {} with a list a KV head, {} with V's "
      "scale a token; heads: {} without all tokens, {} without all query heads; groups: {} refetched, {} selected, {} "
      "pruned values\n",
      what, t.cases, t.compared, t.kind[0], t.kind[1], t.kind[2], t.kind[3], t.kind[4], t.kept_image, t.counters,
      t.damaged, t.cycles, t.prompts, t.encoders, t.merged, t.per_kv_head, t.token_scales, t.pruned_tokens,
      t.pruned_heads, t.refetched, t.selected, t.pruned_values);
}

// --- cases ----------------------------------------------------------------------------------------------------------

RunOptions options(const std::string& machine, const std::string& policy, int head_dim, bool causal,
                   std::vector<std::string> set = {}) {
  RunOptions o;
  o.machine = machine, o.policy = policy, o.set = std::move(set);
  o.trace = fmt::format("synthetic:layers=4,heads=4,kv_heads=2,head_dim={},tokens=40,prompt={},causal={},seed={}",
                        head_dim, causal ? 36 : 40, causal ? 1 : 0, head_dim + causal);
  return o;
}

TEST(Honesty, EveryPolicyAndMachine) {
  Tally t;
  std::uint64_t seed = 100, served = 0;
  for (const golden::PolicyEntry& policy : golden::policies()) {
    if (policy.make().codes_keys()) continue;  // refused, as below
    ++served;
    for (bool causal : {true, false})
      for (const auto& [machine, head_dim] :
           {std::pair{"tiny", 32}, {"spatten-eighth", 64}, {"spatten", 64}, {"spatten", 72}}) {
        // A greedy search wants the block, which these machines have not.
        const std::vector<std::string> set =
            policy.make().searches() ? std::vector<std::string>{"greedy.columns=4"} : std::vector<std::string>{};
        check(options(machine, policy.name, head_dim, causal, set), 10, ++seed, t);
        if (HasFatalFailure()) return;
      }
  }
  print("presets", t);
  EXPECT_EQ(t.cases, 8 * served);
  EXPECT_GT(t.prompts, 0u);
  EXPECT_GT(t.encoders, 0u);
}

// A crude query needs room for all digits beside the first, and first digits that are found by their tokens.
TEST(Honesty, CrudeQueriesThatTheMachineCannotServeAreRefused) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"first_q_bits=8", "k_digits=5,3"},
       "policy: first_q_bits: 8: must be 12 unless K has two digits, and the first twice with the second 12 bits at "
       "most: that is a word of the key buffer"},
      {{"first_q_bits=8", "k_digits=2,2,2", "select_keep=0.9,0.9"},
       "policy: first_q_bits: 8: must be 12 unless K has two digits, and the first twice with the second 12 bits at "
       "most: that is a word of the key buffer"},
      {{"first_q_bits=8", "tokens.start=0.7", "tokens.end=0.4"},
       "policy: first_q_bits: 8: must be 12 where the cascade prunes tokens: the machine finds first digits by token"},
      {{"first_q_bits=8", "pages=8", "page_keep=0.5"},
       "policy: first_q_bits: 8: must be 12 where there are pages: the machine finds first digits by token"},
  };
  for (const auto& [settings, line] : cases) {
    const Bench bench(options("tiny", "select", 32, true, settings));
    try {
      bench.run();
      ADD_FAILURE() << line;
    } catch (const Error& e) {
      EXPECT_EQ(e.what(), std::string(line));
    }
  }
  fmt::print("{} policies refused\n", std::size(cases));
}

TEST(Honesty, EveryMechanism) {
  Tally t;
  std::uint64_t seed = 200;
  const std::vector<std::vector<std::string>> mechanisms = {
      {"k_digits=6,4", "threshold=1"},                     // always refetched
      {"k_digits=8,4", "threshold=0.15", "msb=truncate"},  // now and then
      {"k_digits=3,2,4,3", "select=count", "select_keep=0.8,0.6,0.5",
       "rest=true"},  // four digits, merged in the prompt
      {"k_digits=2,2,2", "select=mass", "select_keep=0.95,0.9", "msb=round", "k_scale=channel", "v_scale=token"},
      {"k_digits=4,4", "select=mass", "select_keep=0.9", "first_q_bits=6", "first_exp=pow2", "msb=midpoint",
       "rest=true"},
      {"k_digits=3,5", "select=mass", "select_keep=0.8", "first_q_bits=8", "msb=round", "k_scale=channel",
       "v_scale=token", "v_bits=6", "rest=true", "compensate=true"},
      {"tokens.start=0.8", "tokens.end=0.3"},
      {"tokens.start=0.8", "tokens.end=0.4", "heads.start=0.8", "heads.end=0.4", "permanent=true"},
      {"tokens.start=0.6", "tokens.end=0.3", "scope=kv_head", "importance=decay", "protect_newest=4"},
      {"tokens.start=0", "tokens.end=0", "tokens.free=0", "scope=kv_head", "shards=2", "shard_block=3",
       "full_heads=0.3"},
      {"select=bound", "k_digits=4,4", "select_keep=none", "score_threshold=0.05", "v_scale=token"},
      {"tokens.start=0.7", "tokens.end=0.3", "importance=normalised", "v_scale=token", "protect_first=2"},
      {"select=anchor", "k_digits=4,4", "select_keep=none", "score_threshold=0.05", "protect_first=2"},
      {"pages=4", "page_key=bounds", "page_bits=4", "page_keep=0.4", "k_digits=8", "v_scale=token", "tokens.free=0"},
      {"pages=8", "page_keep=0.5", "select=mass", "select_keep=0.9", "k_digits=4,4", "v_scale=token"},
      {"tokens.start=0", "tokens.end=0", "tokens.free=0", "scope=kv_head", "protect_first=2", "merge=true",
       "v_scale=token", "k_digits=8"},
      {"tokens.start=0", "tokens.end=0", "tokens.free=0", "scope=kv_head", "token_mask=trace", "protect_newest=2"},
      {"tokens.start=0", "tokens.end=0", "tokens.free=0", "scope=kv_head", "token_mask=cluster", "full_heads=0.4",
       "full_heads_by=distances"},
      {"head_weights=gate", "select=mass", "select_keep=0.9", "k_digits=4,4", "v_scale=token"},
      {"head_weights=route", "local_value=0.5", "renormalise=true"},
      {"weights=sigmoid", "k_digits=6,4", "threshold=0.05"},
      {"v_scale=token", "v_bits=5", "k_digits=7"},
      {"local_value=0.3", "renormalise=true", "v_scale=token"},
  };
  for (const auto& mechanism : mechanisms)
    for (bool causal : {true, false})
      for (const auto& [machine, head_dim] : {std::pair{"tiny", 32}, {"spatten-eighth", 64}}) {
        check(options(machine, "dense", head_dim, causal, mechanism), 10, ++seed, t);
        if (HasFatalFailure()) return;
      }
  print("mechanisms", t);
  EXPECT_EQ(t.cases, 4 * mechanisms.size());
  for (std::uint64_t reached : {t.prompts, t.encoders, t.merged, t.refetched, t.selected, t.pruned_values,
                                t.pruned_tokens, t.pruned_heads, t.per_kv_head, t.token_scales})
    EXPECT_GT(reached, 10u);
  EXPECT_GT(t.kind[static_cast<std::size_t>(CompareKind::outputs)], 500'000u);
}

// Half the cases have every byte replaced, so that nothing of the trace is left.
TEST(Honesty, RandomCases) {
  const auto [first, last] = seeds_to_run(800);
  Tally t;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    check(random_case(seed), seed % 2 ? 10 : 1, seed, t);
    if (HasFatalFailure()) return;
  }
  print("random", t);
  EXPECT_EQ(t.cases, last - first + 1);
}

// --- planted: blocks that peek --------------------------------------------------------------------------------------

// A fault injector's hands: memories have no port for it.
template <class T>
T* hand(const T* word) {
  return const_cast<T*>(word);
}

// The converter takes one vector from the codes instead of from the bytes. Dense: slots of the first head are tokens.
struct Peek {
  const char* what;
  std::function<bool(MachineModel&, const Quantized&)> once;  // true when it has
};

const std::vector<Peek>& peeks() {
  constexpr std::uint32_t kToken = 5;
  const auto vector = [](KvBuffer& buffer, MachineModel& m, const std::vector<std::int16_t>& codes) {
    if (!buffer.slot_ready(0, kToken, m.now())) return false;
    const auto D = static_cast<std::size_t>(buffer.head_dim());
    std::copy_n(&codes[kToken * D], D, hand(buffer.slot(0, kToken)));
    return true;
  };
  static const std::vector<Peek> all = {
      {"K", [=](MachineModel& m, const Quantized& q) { return vector(m.parts().keys, m, q.head(0, 0).k_digit[0]); }},
      {"V", [=](MachineModel& m, const Quantized& q) { return vector(m.parts().values, m, q.head(0, 0).v); }},
      {"Q",
       [](MachineModel& m, const Quantized& q) {
         QueryRegisters& queries = m.parts().queries;
         if (!queries.ready(kToken, m.now())) return false;
         const auto D = static_cast<std::size_t>(queries.head_dim());
         std::copy_n(&q.head(0, 0).q[kToken * D], D, hand(queries.entry(kToken)));
         return true;
       }},
      {"V's scale",
       [](MachineModel& m, const Quantized& q) {
         ScaleStore& scales = m.parts().value_scales;
         if (!scales.ready(0, kToken, m.now())) return false;
         *hand(scales.word(0, kToken)) = q.head(0, 0).v16[kToken];
         return true;
       }},
      {"a head's scales",
       [](MachineModel& m, const Quantized& q) {
         const GroupEntry& first = m.parts().groups[0];
         HeadConstants& constants = m.parts().constants;
         if (!first.heads || !constants.loaded(first.constants, m.now())) return false;
         const HeadCodes& codes = q.head(0, 0);
         for (std::size_t g = 0; g < codes.to_log2.size(); ++g)
           constants.poke(static_cast<ConstantsRef>(first.constants + g)) = {codes.to_log2[g], codes.to_out[g],
                                                                             codes.out16[g]};
         return true;
       }},
  };
  return all;
}

TEST(Honesty, PlantedPeeksAreCaught) {
  const Bench bench(options("tiny", "dense", 32, true, {"v_scale=token"}));
  const Outcome before = bench.run();
  ASSERT_EQ(first_difference(before), "");
  for (const Peek& peek : peeks()) {
    bool done = false;
    const Cheat cheat = [&](MachineModel& m, const Quantized& q) { done = done || peek.once(m, q); };
    Tally t;
    // With the trace's own codes nobody sees it: that is why the codes are noise here.
    Bench::Run run;
    run.watch = planted(cheat, *bench.prepared().model);
    const Outcome unseen = bench.run(std::move(run));
    EXPECT_TRUE(done) << peek.what;
    EXPECT_EQ(first_difference(unseen), "") << peek.what;
    EXPECT_TRUE(unseen.image == before.image) << peek.what;

    for (const bool bytes : {false, true}) {
      done = false;
      const std::string caught =
          bytes ? with_bytes(bench, 10, 300, cheat, t) : with_noise(bench, before, 300, cheat, t);
      EXPECT_TRUE(done) << peek.what;
      EXPECT_NE(caught.find("step 0 layer 0 head"), std::string::npos) << peek.what << ": " << caught;
      fmt::print("a planted block takes a code of {}: caught: {}\n", peek.what, caught);
    }
  }
}

// Where local pruning leaves V out in a prompt, the last kept V may be multiplied before the rest has been asked for. A
// layer ends when that has arrived too; a fetcher that is slow enough shows it.
TEST(Honesty, ALayerEndsWhenAllOfItsValuesHaveArrived) {
  std::uint64_t runs = 0, values = 0;
  for (int seed = 1; seed <= 24; ++seed) {
    RunOptions o;
    o.machine = "tiny", o.policy = "dense";
    o.trace =
        fmt::format("synthetic:layers=1,heads=1,kv_heads=1,head_dim=128,tokens=4,prompt=4,causal=0,seed={}", seed);
    o.set = {"local_value=0.001",      "hbm2.channels=1",     "fetcher.lanes=1",    "fetcher.data_fifo=2",
             "fetcher.address_fifo=2", "qk.multipliers=2048", "pv.multipliers=2048"};
    const Outcome out = Bench(o).run();
    ++runs;
    EXPECT_EQ(out.broken, "") << command_of(o);
    EXPECT_EQ(out.compared.different(), 0u) << out.compared.first_difference() << "\n" << command_of(o);
    values += out.compared.compared(CompareKind::outputs);
  }
  fmt::print("{} runs, {} outputs equal, and every burst is counted\n", runs, values);
}

}  // namespace
}  // namespace winnow::test
