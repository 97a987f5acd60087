// Data are real: a byte of the memory image is changed, and of all outputs those change that depend on it, and no
// other.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/machine/harness.h"

namespace winnow::test {
namespace {

struct Flip {
  const char* what;
  std::uint64_t address;
  int layer, kv_head;
  int group;                                      // query head of the KV head; -1: all of them
  int first_row, last_row;                        // positions that may change
  int first_word, last_word;                      // dimensions that may change
  enum Effect { none, some, any } effect = some;  // any: rounding may hide it
};

class Data {
 public:
  explicit Data(const RunOptions& o) : bench(o), image(bench.image()), before(run(image)) {}

  Outcome run(std::vector<std::uint8_t> bytes) const {
    return bench.run({Drive::construction, false, std::move(bytes), {}});
  }
  // Counts outputs that may change and do not differ, and fails on one that must not and does.
  void expect(const Flip& f, bool same_cycles) {
    std::vector<std::uint8_t> changed = image;
    changed[f.address] ^= 0x55;
    const Outcome after = run(std::move(changed));
    ASSERT_EQ(after.broken, "") << f.what;
    const golden::Shape& s = bench.prepared().shape;
    std::uint64_t moved = 0;
    for (int layer = 0; layer < s.layers; ++layer) {
      const golden::Region& r = bench.prepared().layout->out(layer);
      for (int row = 0; row < s.tokens; ++row)
        for (int head = 0; head < s.heads; ++head)
          for (int d = 0; d < s.head_dim; ++d, ++compared) {
            const auto at = r.at(static_cast<std::uint64_t>(row * s.heads + head));
            const bool same = golden::get_word(&before.image[at], static_cast<std::size_t>(d), 12, true) ==
                              golden::get_word(&after.image[at], static_cast<std::size_t>(d), 12, true);
            const bool may = layer == f.layer && head / s.group() == f.kv_head &&
                             (f.group < 0 || head % s.group() == f.group) && row >= f.first_row && row <= f.last_row &&
                             d >= f.first_word && d <= f.last_word;
            moved += !same;
            ASSERT_TRUE(same || may) << f.what << ": layer " << layer << " position " << row << " head " << head
                                     << " dimension " << d;
          }
    }
    if (f.effect == Flip::any)
      seen_any += moved > 0;
    else
      EXPECT_EQ(moved > 0, f.effect == Flip::some) << f.what;
    if (same_cycles) {
      EXPECT_EQ(after.cycles, before.cycles) << f.what;
      EXPECT_EQ(after.stats, before.stats) << f.what;
    }
    changed_total += moved;
  }

  Bench bench;
  std::vector<std::uint8_t> image;
  Outcome before;
  std::uint64_t compared = 0, changed_total = 0, seen_any = 0;
};

constexpr int kLayers = 2, kTokens = 24, kPrompt = 20, kDim = 32;

RunOptions options(const char* policy, bool causal, std::vector<std::string> set) {
  RunOptions o;
  o.machine = "tiny", o.policy = policy, o.set = std::move(set);
  o.trace = fmt::format("synthetic:layers={},heads=4,kv_heads=2,head_dim={},tokens={},prompt={},causal={},seed=5",
                        kLayers, kDim, kTokens, causal ? kPrompt : kTokens, causal ? 1 : 0);
  return o;
}

// Dense: every query reads every key and value it may see; cycles do not depend on values.
void dense(bool causal) {
  Data data(options("dense", causal, {"v_scale=token"}));
  const golden::Layout& l = *data.bench.prepared().layout;
  for (int token : {0, 7, 19, 23}) {
    const int first = causal ? token : 0;
    for (int layer = 0; layer < kLayers; ++layer)
      for (int kv = 0; kv < 2; ++kv) {
        const auto t = static_cast<std::uint64_t>(token);
        for (int byte : {0, 20, 47})  // 12-bit words: byte b lies in words 8b/12 to (8b+7)/12
          data.expect({"V", l.value(layer, kv).at(t) + static_cast<std::uint64_t>(byte), layer, kv, -1, first,
                       kTokens - 1, byte * 8 / 12, (byte * 8 + 7) / 12, causal ? Flip::any : Flip::some},
                      true);
        data.expect({"K", l.key(layer, kv, 0).at(t) + 10, layer, kv, -1, first, kTokens - 1, 0, kDim - 1, Flip::any},
                    true);
        data.expect({"V's scale", l.value_scale(layer, kv).at(t) + 1, layer, kv, -1, first, kTokens - 1, 0, kDim - 1},
                    true);
        data.expect({"Q", l.query(layer, kv).at(t * 2 + 1) + 11, layer, kv, 1, token, token, 0, kDim - 1, Flip::any},
                    true);
        data.expect({"out, overwritten", l.out(layer).at(t * 4) + 3, layer, kv, -1, 0, -1, 0, -1, Flip::none}, true);
      }
  }
  EXPECT_GT(data.seen_any, causal ? 40u : 16u) << "of the changes of Q, K, and in the decoder V";
  fmt::print("{}: {} outputs compared, {} changed, all where they may\n", causal ? "decoder" : "encoder", data.compared,
             data.changed_total);
}

TEST(Data, DenseEncoder) { dense(false); }
TEST(Data, DenseDecoder) { dense(true); }

// A record of a selection holds K's further digit and V: it matters to the prompt, which reads all, and to the steps in
// which its token survived.
TEST(Data, RecordsOfSurvivors) {
  Data data(options("select", true, {"select=count", "select_keep=0.25"}));
  const golden::Layout& l = *data.bench.prepared().layout;
  int dropped = 0, survived = 0;
  for (const LayerEnd& layer : data.before.layers) {
    if (layer.step == 0) continue;
    for (const GroupRecord& g : layer.records)
      for (std::uint32_t token = kPrompt; token < static_cast<std::uint32_t>(kPrompt + layer.step); ++token) {
        // Tokens of generated steps: no prompt row reads them.
        std::vector<int> users;
        for (const LayerEnd& other : data.before.layers)
          if (other.layer == layer.layer && other.step > 0)
            for (const GroupRecord& o : other.records)
              if (o.head == g.head && std::find(o.values.begin(), o.values.end(), token) != o.values.end())
                users.push_back(kPrompt + other.step - 1);
        Flip f{"record", l.record(layer.layer, g.head, 1).at(token) + 40, layer.layer, g.head, -1, 0, -1, 0,
               kDim - 1, users.empty() ? Flip::none : Flip::some};
        if (!users.empty()) f.first_row = users.front(), f.last_row = users.back();
        (users.empty() ? dropped : survived)++;
        data.expect(f, false);
      }
  }
  EXPECT_GT(dropped, 5);
  EXPECT_GT(survived, 5);
  fmt::print("{} outputs compared, {} changed; {} records of dropped tokens, {} of survivors\n", data.compared,
             data.changed_total, dropped, survived);
}

// V that local pruning left out is never read in decode.
TEST(Data, ValuesLeftOut) {
  Data data(options("dense", true, {"local_value=0.3"}));
  const golden::Layout& l = *data.bench.prepared().layout;
  int left_out = 0, used = 0;
  for (int layer = 0; layer < kLayers; ++layer)
    for (int kv = 0; kv < 2; ++kv)
      for (std::uint32_t token = kPrompt; token < kTokens; ++token) {
        std::vector<int> users;
        for (const LayerEnd& other : data.before.layers)
          if (other.layer == layer)
            for (const GroupRecord& o : other.records)
              if (o.head == kv && std::find(o.values.begin(), o.values.end(), token) != o.values.end())
                users.push_back(kPrompt + other.step - 1);
        Flip f{"V", l.value(layer, kv).at(token) + 1,       layer, kv, -1, 0, -1, 0,
               1,   users.empty() ? Flip::none : Flip::some};
        if (!users.empty()) f.first_row = users.front(), f.last_row = users.back();
        (users.empty() ? left_out : used)++;
        data.expect(f, true);
      }
  EXPECT_GT(left_out, 2);
  EXPECT_GT(used, 2);
  fmt::print("{} outputs compared, {} changed; {} values left out, {} used\n", data.compared, data.changed_total,
             left_out, used);
}

}  // namespace
}  // namespace winnow::test
