#pragma once
// Small workload files of the authors' format, made from a seed: keys fall by layer, some rows refetch, some heads have
// no row, a layer's last row before a drop carries if_topk, a step's first layer rescales.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/temporary.h"

namespace winnow::test {

inline const char* kHeader =
    "iteration_id,layer_id,head_id,embedding_length_D,sentence_length_L,key_fetch_num,quant_key_bit,quant_query_bit,"
    "auto_requant_thres,if_requant,auto_requant_incre,value_fetch_num,quant_value_bit,if_accumulate_importance,"
    "if_rescale_previous_importance,if_topk,topk\n";

struct Generated {
  int steps = 3, layers = 4, heads = 3, head_dim = 32, length = 70;
  int key_bits = 6, refetch_bits = 4, value_bits = 6, query_bits = 16;
  int refetch_percent = 30;  // of the rows
  int missing_percent = 10;  // heads without a row; never a layer's last
  std::uint64_t seed = 1;
};

inline std::string text_of(const Generated& g) {
  std::uint64_t state = g.seed;
  const auto percent = [&] {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int>((state >> 33) % 100);
  };
  std::string text = kHeader;
  for (int step = 0; step < g.steps; ++step) {
    const int length = g.length + step;
    const auto keys_at = [&](int s, int layer) {
      return s == 0 ? g.length : std::max(1, (g.length + s) * (10 - 9 * layer / std::max(1, g.layers)) / 11);
    };
    for (int layer = 0; layer < g.layers; ++layer) {
      const bool ends = layer + 1 == g.layers;
      const bool more = !ends || step + 1 < g.steps;
      const int keys = keys_at(step, layer), next = ends ? keys_at(step + 1, 0) : keys_at(step, layer + 1);
      for (int head = 0; head < g.heads; ++head) {
        const bool last = head + 1 == g.heads;
        if (!last && percent() < g.missing_percent) continue;
        const bool refetch = percent() < g.refetch_percent;
        const bool topk = last && more && (ends || next < keys);
        text += fmt::format("{},{},{},{}.0,{},{},{},{},0.05,{},{},{},{},{},{},{},{}\n", step, layer, head, g.head_dim,
                            length, keys, g.key_bits, g.query_bits, refetch ? "True" : "False", g.refetch_bits,
                            std::max(1, keys / 5), g.value_bits, layer < 3 ? "True" : "False",
                            step > 0 && layer == 0 && head == 0 ? "True" : "False", topk ? "True" : "False",
                            topk ? next : -1);
      }
    }
  }
  return text + "made.yml,,,,,,,,,,,,,,,,\n";
}

inline const char* kEncoderHeader =
    "layer_id,head_id,embedding_length_D,sentence_length_L,key_value_query_fetch_num,quant_key_bit,quant_value_bit,"
    "quant_query_bit,auto_requant_thres,if_requant,auto_requant_incre,auto_requant_num,if_accumulate_importance,if_"
    "topk,"
    "topk\n";

// The encoder form: keys fall by layer, queries stay or fall with them; a third of the heads need their LSBs, some have
// no row.
inline std::string encoder_text_of(const Generated& g, bool queries_fall) {
  std::uint64_t state = g.seed;
  const auto percent = [&] {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int>((state >> 33) % 100);
  };
  const auto keys_at = [&](int layer) { return std::max(1, g.length * (g.layers - layer / 2) / g.layers); };
  std::string text = kEncoderHeader;
  for (int layer = 0; layer < g.layers; ++layer)
    for (int head = 0; head < g.heads; ++head) {
      const bool last = head + 1 == g.heads;
      if (!last && percent() < g.missing_percent) continue;
      const int keys = keys_at(layer), next = layer + 1 < g.layers ? keys_at(layer + 1) : keys;
      const bool asks = percent() < g.refetch_percent;
      text += fmt::format("{},{},{}.0,{},{},{},{},{},0.05,{},{},{},True,{},{}\n", layer, head, g.head_dim,
                          queries_fall ? keys : g.length, keys, g.key_bits, g.value_bits, g.query_bits,
                          percent() < 50 || asks ? "True" : "False", g.refetch_bits, asks ? 1 + percent() % keys : 0,
                          last && next < keys ? "True" : "False", last && next < keys ? next : -1);
    }
  return text + "made.yml" + std::string(14, ',') + "\n";
}

struct WorkloadFile : TempFile {
  explicit WorkloadFile(const std::string& text) : TempFile(text, ".csv") {}
};

}  // namespace winnow::test
