// A trace of bfloat16 values against its float32 widening: the same values give the same codes, outputs and cycles.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/sim/machine/harness.h"
#include "tests/traces/reader/trace_file.h"

namespace winnow::test {
namespace {

// The trace's values cut to bfloat16, in a file of either type.
std::string file_of(const Trace& trace, TraceDtype dtype) {
  const TraceMeta& m = trace.meta();
  TraceFile file;
  file.header["__metadata__"] = {{"format", "winnow-trace-1"},
                                 {"model", m.model},
                                 {"licence", m.licence},
                                 {"source", m.source},
                                 {"tool", m.tool},
                                 {"layers", std::to_string(m.layers)},
                                 {"heads", std::to_string(m.heads)},
                                 {"kv_heads", std::to_string(m.kv_heads)},
                                 {"head_dim", std::to_string(m.head_dim)},
                                 {"tokens", std::to_string(m.tokens)},
                                 {"prompt", std::to_string(m.prompt)},
                                 {"causal", m.causal ? "true" : "false"},
                                 {"attention_scale", fmt::format("{:.17g}", m.attention_scale)}};
  file.add("token_ids", "I32", {m.tokens},
           std::string(reinterpret_cast<const char*>(trace.token_ids().data()), trace.token_ids().size_bytes()));
  std::vector<float> rows(static_cast<std::size_t>(m.tokens) * static_cast<std::size_t>(m.head_dim));
  for (int layer = 0; layer < m.layers; ++layer)
    for (int which = 0; which < 3; ++which) {
      const auto tensor = static_cast<TraceTensor>(which);
      std::string bytes;
      for (int head = 0; head < trace.head_count(tensor); ++head) {
        trace.read(tensor, layer, head, rows.data());
        for (const float value : rows)
          bytes += TraceFile::stored(std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xffff0000u), dtype);
      }
      file.add(fmt::format("layers.{}.{}", layer, "qkv"[which]), TraceFile::code_of(dtype),
               {trace.head_count(tensor), m.tokens, m.head_dim}, bytes);
    }
  return file.bytes();
}

TEST(Dtypes, BfloatIsItsWidening) {
  const Trace source =
      Trace::open("synthetic:layers=2,heads=4,kv_heads=2,head_dim=80,tokens=60,prompt=56,causal=1,seed=9");
  const TempFile bfloat(file_of(source, TraceDtype::bf16)), widened(file_of(source, TraceDtype::f32));
  EXPECT_EQ(Trace::open(bfloat.path()).dtype(), TraceDtype::bf16);
  EXPECT_LT(Trace::open(bfloat.path()).bytes() * 19, Trace::open(widened.path()).bytes() * 10);
  std::uint64_t values = 0;
  for (const char* policy : {"dense", "spatten", "spatten-protected", "select"}) {
    RunOptions o;
    o.machine = "spatten", o.policy = policy, o.trace = bfloat.path();
    const Outcome a = Bench(o).run();
    o.trace = widened.path();
    const Outcome b = Bench(o).run();
    EXPECT_EQ(a.broken + b.broken, "");
    EXPECT_EQ(a.compared.different() + b.compared.different(), 0u)
        << a.compared.first_difference() << b.compared.first_difference();
    EXPECT_EQ(a.image, b.image) << policy;
    EXPECT_EQ(a.cycles, b.cycles) << policy;
    EXPECT_EQ(a.stats, b.stats) << policy;
    values += a.compared.compared() + a.image.size();
  }
  fmt::print("{} values and bytes equal\n", values);
}

}  // namespace
}  // namespace winnow::test
