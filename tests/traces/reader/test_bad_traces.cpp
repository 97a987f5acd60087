// Each rule of the format, broken once: the file is refused with one line that names file, place, value and rule.
#include <gtest/gtest.h>

#include "golden/basis.h"
#include "tests/traces/reader/trace_file.h"

namespace winnow {
namespace {

using test::error_of;
using test::TempFile;
using test::TraceFile;
using Json = nlohmann::ordered_json;

// Expects `bytes` to be refused with a line that holds every one of `words`.
void expect_refused(const std::string& bytes, const std::vector<std::string>& words) {
  const TempFile file(bytes);
  const std::string line = error_of([&] { Trace::open(file.path()); });
  ASSERT_NE(line, "") << "accepted; expected " << words[0];
  EXPECT_TRUE(line.starts_with(file.path() + ": ")) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  for (const std::string& word : words) EXPECT_NE(line.find(word), std::string::npos) << word << " not in: " << line;
}

TEST(BadTrace, Container) {
  const TraceFile good = TraceFile::make();
  const std::string bytes = good.bytes();
  expect_refused("", {"header length", "at least 8 bytes"});
  expect_refused(bytes.substr(0, 7), {"header length", "7 bytes"});
  expect_refused(bytes.substr(0, 100), {"header length", "at most 92"});
  expect_refused(bytes.substr(0, bytes.size() - 1), {"layers.1.v", "data_offsets", "must end within"});
  expect_refused(bytes + "x", {"data", "cover"});
  std::string lying = bytes;
  lying[7] = '\x7f';
  expect_refused(lying, {"header length", "must be at most"});
  lying = bytes;
  ++lying[0];
  expect_refused(lying, {"header"});
  expect_refused(good.with_header("[1, 2]"), {"header", "JSON object"});
  expect_refused(good.with_header("{\"a\": "), {"header", "valid JSON"});
  expect_refused(good.with_header(std::string(100000, '[')), {"header", "valid JSON"});
  std::string text = good.header.dump();
  expect_refused(
      good.with_header(text.substr(0, text.size() - 1) + ",\"token_ids\":" + good.header["token_ids"].dump() + "}"),
      {"token_ids", "twice"});
  expect_refused(good.with_header("{\"__metadata__\":{\"model\":\"a\",\"model\":\"b\"}}"), {"model", "twice"});
}

// What a file may say of its heads: two layers of four heads over two KV heads, two tokens of prompt and one behind.
TEST(BadTrace, HeadTensors) {
  const auto floats = [](std::size_t n, float last) {
    std::vector<float> values(n, 0.5f);
    values.back() = last;
    return std::string(reinterpret_cast<const char*>(values.data()), 4 * n);
  };
  const auto ints = [](std::size_t n, std::int32_t last) {
    std::vector<std::int32_t> values(n, 2);
    values.back() = last;
    return std::string(reinterpret_cast<const char*>(values.data()), 4 * n);
  };
  TraceFile all = TraceFile::make();
  all.add("head_scores", "F32", {2, 2}, floats(4, -3)), all.add("head_distances", "F32", {2, 2}, floats(4, 1));
  all.add("head_weights", "F32", {2, 4, 3}, floats(24, 0)), all.add("mask", "U8", {2, 2, 1, 3}, std::string(12, '\1'));
  all.add("clusters", "I32", {2, 2, 3}, ints(12, 7));
  const TempFile file(all.bytes());
  const auto heads = Trace::open(file.path()).head_tensors();
  EXPECT_EQ(heads->scores, (std::vector<float>{0.5f, 0.5f, 0.5f, -3}));
  EXPECT_EQ(heads->distances.size(), 4u);
  EXPECT_EQ(heads->weights.back(), 0);
  EXPECT_EQ(heads->mask, std::vector<std::uint8_t>(12, 1));
  EXPECT_EQ(heads->clusters.back(), 7);
  struct Bad {
    const char *name, *dtype;
    std::vector<int> shape;
    std::string bytes;
    std::vector<std::string> words;
  };
  const Bad bads[] = {
      {"head_scores", "F32", {2, 2}, floats(4, NAN), {"'head_scores'[1, 1]", "nan", "must be finite"}},
      {"head_scores", "F32", {4}, floats(4, 1), {"'head_scores'", "[4]", "metadata says [2, 2]"}},
      {"head_scores", "I32", {2, 2}, ints(4, 1), {"'head_scores'", "I32", "must be F32"}},
      {"head_distances", "F32", {2, 2}, floats(4, INFINITY), {"'head_distances'[1, 1]", "inf", "must be finite"}},
      {"head_weights", "F32", {2, 4, 3}, floats(24, 1.5f), {"'head_weights'[1, 3, 2]", "1.5", "must be 0..1"}},
      {"head_weights", "F32", {2, 4, 3}, floats(24, NAN), {"'head_weights'[1, 3, 2]", "nan", "must be 0..1"}},
      {"head_weights", "F32", {2, 2, 3}, floats(12, 1), {"'head_weights'", "metadata says [2, 4, 3]"}},
      {"mask", "U8", {2, 2, 1, 3}, std::string(11, '\0') + '\2', {"'mask'[1, 1, 0, 2]", "2", "must be 0 or 1"}},
      {"mask", "U8", {2, 2, 3}, std::string(12, '\0'), {"'mask'", "metadata says [2, 2, 1, 3]"}},
      {"mask", "I32", {2, 2, 1, 3}, ints(12, 1), {"'mask'", "I32", "must be U8"}},
      {"clusters", "I32", {2, 2, 3}, ints(12, -1), {"'clusters'[1, 1, 2]", "-1", "must be 0 or above"}},
      {"clusters", "F32", {2, 2, 3}, floats(12, 1), {"'clusters'", "F32", "must be I32"}},
  };
  for (const Bad& bad : bads) {
    TraceFile bent = TraceFile::make();
    bent.add(bad.name, bad.dtype, bad.shape, bad.bytes);
    expect_refused(bent.bytes(), bad.words);
  }
  std::printf("refused %zu tensors\n", std::size(bads));
}

// The basis of keys: all three tensors in both layers, or none.
TEST(BadTrace, KeyBasis) {
  const auto floats = [](const std::vector<float>& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), 4 * values.size());
  };
  const TraceFile plain = TraceFile::make();
  const TempFile without(plain.bytes());
  EXPECT_EQ(Trace::open(without.path()).head_tensors()->key_basis, nullptr);
  const auto heads = static_cast<std::size_t>(Trace::open(without.path()).meta().kv_heads);
  const auto D = static_cast<std::size_t>(Trace::open(without.path()).meta().head_dim);
  std::vector<float> identity(heads * D * D, 0.0f), mean(heads * D, 0.25f), range(heads * D, 2.0f);
  for (std::size_t i = 0; i < heads * D; ++i) identity[i * D + i % D] = 1;
  const int H = static_cast<int>(heads), d = static_cast<int>(D);
  // Tensors of both layers; `bend` changes the second's.
  const auto file = [&](auto bend) {
    TraceFile made = TraceFile::make();
    for (int layer = 0; layer < 2; ++layer) {
      std::vector<float> parts[] = {identity, mean, range};
      std::vector<int> shapes[] = {{H, d, d}, {H, d}, {H, d}};
      if (layer == 1) bend(parts, shapes);
      const char* names[] = {"key_basis", "key_mean", "key_range"};
      for (int i = 0; i < 3; ++i)
        if (!shapes[i].empty())
          made.add("layers." + std::to_string(layer) + "." + names[i], "F32", shapes[i], floats(parts[i]));
    }
    return made.bytes();
  };
  const TempFile good(file([](auto&, auto&) {}));
  const auto basis = Trace::open(good.path()).head_tensors()->key_basis;
  ASSERT_NE(basis, nullptr);
  EXPECT_EQ(basis->heads(), 2 * heads);
  EXPECT_EQ(basis->row(heads, 1)[1], 1);
  EXPECT_EQ(basis->range.back(), 2);
  expect_refused(file([](auto&, auto& shapes) { shapes[1].clear(); }), {"'layers.1.key_mean'", "missing"});
  expect_refused(file([&](auto& parts, auto& shapes) { shapes[2] = {H * d}, parts[2].resize(heads * D); }),
                 {"'layers.1.key_range'", "metadata says"});
  expect_refused(file([](auto& parts, auto&) { parts[0][3] = NAN; }),
                 {"key basis", "layer 1, KV head 0", "transform[0, 3]", "nan", "must be finite"});
  expect_refused(file([](auto& parts, auto&) { parts[2].back() = -1; }),
                 {"key basis", "layer 1", "range of channel", "must be finite, at least 0"});
  expect_refused(file([](auto& parts, auto&) { parts[0][0] = 0; }), {"key basis", "layer 1", "must have an inverse"});
  std::printf("refused 5 bases\n");
}

// Each case bends the header of a good file.
struct Bend {
  std::function<void(Json&)> change;
  std::vector<std::string> words;
};

TEST(BadTrace, Tensors) {
  const std::vector<Bend> bends = {
      {[](Json& h) { h["layers.0.k"]["data_offsets"][1] = 1u << 30; }, {"layers.0.k", "must end within"}},
      {[](Json& h) { h["layers.0.k"]["data_offsets"][1] = 18446744073709551615u; }, {"layers.0.k", "must end within"}},
      {[](Json& h) { h["layers.0.k"]["data_offsets"][0] = -4; }, {"layers.0.k", "-4", "integers >= 0"}},
      {[](Json& h) { h["layers.0.k"]["data_offsets"][0] = 1.5; }, {"layers.0.k", "1.5", "integers >= 0"}},
      {[](Json& h) { h["layers.0.k"]["data_offsets"] = {4, 5, 6}; }, {"layers.0.k", "[begin, end]"}},
      {[](Json& h) { std::swap(h["layers.0.k"]["data_offsets"][0], h["layers.0.k"]["data_offsets"][1]); },
       {"layers.0.k", "begin must not be after end"}},
      {[](Json& h) {
         for (Json& offset : h["layers.0.k"]["data_offsets"]) offset = offset.get<int>() - 4;
       },
       {"layers.0.k", "overlaps bytes 200..204"}},
      {[](Json& h) {
         h.erase("layers.0.k");
         h["__metadata__"]["layers"] = "1";
       },
       {"leaves out", "gap"}},
      {[](Json& h) { h["layers.0.k"]["shape"] = {2, 3, 9}; }, {"layers.0.k", "need 108 bytes"}},
      {[](Json& h) { h["layers.0.k"]["shape"] = {4294967296u, 4294967296u, 4294967296u}; }, {"layers.0.k", "2^64"}},
      {[](Json& h) { h["layers.0.k"]["shape"] = {2, 24}; }, {"layers.0.k", "[2, 24]", "metadata says [2, 3, 8]"}},
      {[](Json& h) { h["layers.0.k"]["shape"] = "x"; }, {"'layers.0.k'.shape", "integers"}},
      {[](Json& h) { h["layers.0.k"].erase("shape"); }, {"layers.0.k", "shape", "missing"}},
      {[](Json& h) { h["layers.0.k"] = 3; }, {"layers.0.k", "not an object"}},
      {[](Json& h) { h["layers.0.k"]["dtype"] = "F99"; }, {"layers.0.k", "F99"}},
      {[](Json& h) { h["layers.0.k"]["dtype"] = 16; }, {"layers.0.k", "dtype"}},
      {[](Json& h) { h["layers.0.k"]["dtype"] = "BF16"; }, {"layers.0.k", "BF16", "dtype of layers.0.q"}},
      {[](Json& h) { h["layers.0.q"]["dtype"] = "I16"; }, {"layers.0.q", "I16", "F16, BF16 or F32"}},
      {[](Json& h) { h["token_ids"]["dtype"] = "U32"; }, {"token_ids", "I32"}},
      {[](Json& h) { h["token_ids"]["shape"] = {3, 1}; }, {"token_ids", "[3, 1]"}},
      {[](Json& h) {
         h["a"] = h["layers.1.q"];
         h.erase("layers.1.q");
       },
       {"layers.1.q", "missing"}},
  };
  for (const Bend& bend : bends) {
    TraceFile file = TraceFile::make();
    bend.change(file.header);
    expect_refused(file.bytes(), bend.words);
  }
  TraceFile mixed = TraceFile::make();
  const std::string floats(2 * 3 * 8 * 4, '\0');
  mixed.header["old"] = mixed.header["layers.1.v"];
  mixed.header.erase("layers.1.v");
  mixed.add("layers.1.v", "F32", {2, 3, 8}, floats);
  expect_refused(mixed.bytes(), {"layers.1.v", "F32", "dtype of layers.0.q"});
  std::printf("refused %zu files\n", bends.size() + 1);
}

TEST(BadTrace, Metadata) {
  const auto set = [](const char* key, const char* value) { return [=](Json& h) { h["__metadata__"][key] = value; }; };
  std::vector<Bend> bends = {
      {set("format", "winnow-trace-9"), {"format", "winnow-trace-9"}},
      {set("tokens", "0"), {"tokens", "'0'", "integer >= 1"}},
      {set("tokens", "3x"), {"tokens", "'3x'"}},
      {set("tokens", "99999999999999"), {"tokens", "integer >= 1"}},
      {set("tokens", "4"), {"token_ids", "[3]", "[4]"}},
      {set("layers", "-2"), {"layers", "'-2'"}},
      {set("layers", "1"), {"layers.1", "metadata says 1 layers"}},
      {set("layers", "3"), {"layers.2.q", "missing"}},
      {set("head_dim", "12"), {"head_dim", "12", "multiple of 8"}},
      {set("heads", "3"), {"heads", "3", "multiple of kv_heads (2)"}},
      {set("kv_heads", "1"), {"layers.0.k", "[2, 3, 8]", "[1, 3, 8]"}},
      {set("prompt", "4"), {"prompt", "4", "at most tokens (3)"}},
      {set("causal", "false"), {"prompt", "2", "must equal tokens (3)"}},
      {set("causal", "yes"), {"causal", "'yes'", "true or false"}},
      {set("attention_scale", "nan"), {"attention_scale", "'nan'"}},
      {set("attention_scale", "-1"), {"attention_scale", "'-1'"}},
      {[](Json& h) { h["__metadata__"]["model"] = 7; }, {"model", "must be a string"}},
      {[](Json& h) { h["__metadata__"] = 7; }, {"__metadata__", "strings"}},
      {[](Json& h) {
         h["__metadata__"]["layers\n"] = "2";
         h["__metadata__"].erase("layers");
       },
       {"layers", "missing"}},
  };
  const TraceFile good = TraceFile::make();
  for (const auto& [key, value] : good.header["__metadata__"].items())
    bends.push_back({[key = key](Json& h) { h["__metadata__"].erase(key); }, {"__metadata__." + key, "missing"}});
  for (const Bend& bend : bends) {
    TraceFile file = TraceFile::make();
    bend.change(file.header);
    expect_refused(file.bytes(), bend.words);
  }
  std::printf("refused %zu files\n", bends.size());
}

TEST(BadTrace, ValuesThatAreNotFinite) {
  int refused = 0;
  for (const TraceDtype dtype : {TraceDtype::f16, TraceDtype::bf16, TraceDtype::f32})
    for (const std::uint32_t pattern : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0xff800001u}) {
      TraceFile file = TraceFile::make(dtype);
      const std::size_t size = static_cast<std::size_t>(bytes_of(dtype));
      const std::size_t begin = file.header["layers.1.k"]["data_offsets"][0];
      const std::uint32_t exponent = dtype == TraceDtype::f16 ? 0x7c00u : 0x7f80u;
      const auto pattern16 =
          static_cast<std::uint16_t>((pattern >> 16 & 0x8000u) | exponent | (pattern & 0x7fffff ? 1 : 0));
      // Head 1, token 2, channel 5.
      std::memcpy(file.body.data() + begin + ((1 * 3 + 2) * 8 + 5) * size,
                  size == 2 ? static_cast<const void*>(&pattern16) : static_cast<const void*>(&pattern), size);
      const char* shown = (pattern & 0x7fffff) != 0 ? ": nan: " : (pattern >> 31) != 0 ? ": -inf: " : ": inf: ";
      expect_refused(file.bytes(), {"'layers.1.k'[1, 2, 5]", shown, "must be finite"});
      ++refused;
    }
  std::printf("refused %d files\n", refused);
  ASSERT_EQ(refused, 12);
}

TEST(BadTrace, Paths) {
  EXPECT_NE(error_of([] { Trace::open("/no/such/file"); }).find("No such file"), std::string::npos);
  EXPECT_NE(error_of([] { Trace::open("/"); }).find("regular file"), std::string::npos);
}

}  // namespace
}  // namespace winnow
