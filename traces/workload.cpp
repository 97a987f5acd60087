#include "traces/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <tuple>

#include "golden/error.h"
#include "traces/csv.h"
#include "traces/mapped_file.h"
#include "traces/text.h"

namespace winnow {
namespace {

constexpr int kMostCount = 1 << 24;  // keeps every product below in 64 bits
constexpr int kFloatBits = 32;

// clang-format off
enum Column : std::size_t {
  kStep, kLayer, kHead, kHeadDim, kLength, kKeys, kKeyBits, kQueryBits, kThreshold, kRefetch, kRefetchBits, kValues,
  kValueBits, kAccumulate, kRescale, kTopk, kTopkTokens, kFetched, kAsking, kColumns
};
constexpr std::array<std::string_view, kColumns> kNames = {
    "iteration_id", "layer_id", "head_id", "embedding_length_D", "sentence_length_L", "key_fetch_num", "quant_key_bit",
    "quant_query_bit", "auto_requant_thres", "if_requant", "auto_requant_incre", "value_fetch_num", "quant_value_bit",
    "if_accumulate_importance", "if_rescale_previous_importance", "if_topk", "topk", "key_value_query_fetch_num",
    "auto_requant_num"};
// clang-format on
constexpr bool in_decode_form(Column c) { return c != kFetched && c != kAsking; }
constexpr bool in_encoder_form(Column c) { return c != kStep && c != kKeys && c != kValues && c != kRescale; }

struct Reader {
  const std::string& file;
  bool encoder = false;
  bool decimal_comma = false;
  std::array<std::size_t, kColumns> place{};  // where each column stands in a record
  int line = 0;
  std::vector<std::string> cells{};

  [[noreturn]] void fail(std::string_view column, std::string_view value, std::string_view rule) const {
    throw Error(fmt::format("{}: line {}: {}: {}: {}", file, line, column, in_quotes(std::string(value)), rule));
  }

  void read_header(const std::vector<std::string>& names) {
    const auto stands = [&](Column c) { return std::find(names.begin(), names.end(), kNames[c]) != names.end(); };
    encoder = stands(kFetched);
    if (encoder)
      for (const Column c : {kKeys, kValues})
        if (stands(c)) fail(kNames[kFetched], kNames[kFetched], fmt::format("must not stand beside {}", kNames[c]));
    for (std::size_t i = 0; i < kColumns; ++i) {
      const auto c = static_cast<Column>(i);
      if (!(encoder ? in_encoder_form(c) : in_decode_form(c))) continue;
      const auto at = std::find(names.begin(), names.end(), kNames[c]);
      if (at == names.end()) fail(kNames[c], "", "column is missing");
      if (std::find(at + 1, names.end(), kNames[c]) != names.end()) fail(kNames[c], "", "column stands twice");
      place[c] = static_cast<std::size_t>(at - names.begin());
    }
    cells.resize(names.size());
  }

  std::string_view cell(Column c) const { return cells[place[c]]; }
  // Every number may be written as 64 or 64.0.
  double real(Column c) const {
    std::string text(cell(c));
    if (const std::size_t comma = text.find(','); decimal_comma && comma != text.npos) text[comma] = '.';
    double value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
      fail(kNames[c], cell(c), "must be a number");
    return value;
  }
  int integer(Column c, int low, int high) const {
    const double value = real(c);
    if (value != std::floor(value) || value < low || value > high)
      fail(kNames[c], cell(c), fmt::format("must be an integer {}..{}", low, high));
    return static_cast<int>(value);
  }
  bool boolean(Column c) const {
    const std::string_view text = cell(c);
    if (text != "True" && text != "False") fail(kNames[c], text, "must be True or False");
    return text == "True";
  }
  int bits(Column c) const {
    const int value = integer(c, -1, kFloatBits);
    if (value == 0) fail(kNames[c], cell(c), fmt::format("must be 1..{}, or -1 for float", kFloatBits));
    return value < 0 ? kFloatBits : value;
  }

  WorkloadRow row() const {
    WorkloadRow r;
    r.line = line;
    r.step = encoder ? 0 : integer(kStep, 0, kMostCount);
    r.layer = integer(kLayer, 0, kMostCount);
    r.head = integer(kHead, 0, kMostCount);
    r.head_dim = integer(kHeadDim, 1, 4096);
    if (r.head_dim % 8 != 0) fail(kNames[kHeadDim], cell(kHeadDim), "must be a multiple of 8");
    r.length = integer(kLength, 1, kMostCount);
    r.keys = integer(encoder ? kFetched : kKeys, 0, r.length);
    r.key_bits = bits(kKeyBits);
    r.query_bits = bits(kQueryBits);
    r.threshold = real(kThreshold);
    const bool refetch = boolean(kRefetch);
    const int more_bits = refetch ? integer(kRefetchBits, 1, kFloatBits) : 0;
    r.value_bits = bits(kValueBits);
    r.accumulate_importance = boolean(kAccumulate);
    if (encoder) {
      r.queries = r.length, r.values = r.keys;
      if (refetch && integer(kAsking, 0, r.length) > 0) r.key_bits += more_bits;
      if (r.key_bits > kFloatBits)
        fail(kNames[kRefetchBits], cell(kRefetchBits),
             fmt::format("must be at most {} with quant_key_bit's bits", kFloatBits));
    } else {
      r.refetch = refetch, r.refetch_bits = more_bits;
      r.values = integer(kValues, 0, r.keys);
      r.rescale_importance = boolean(kRescale);
    }
    r.topk = boolean(kTopk);
    r.topk_tokens = r.topk ? integer(kTopkTokens, 1, r.length) : 0;
    return r;
  }
};

bool is_number(std::string_view text) {
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size();
}

// A file name alone: one cell that is no number, the others empty.
bool is_note(const std::vector<std::string>& cells) {
  return !cells[0].empty() && !is_number(cells[0]) &&
         std::all_of(cells.begin() + 1, cells.end(), [](const std::string& c) { return c.empty(); });
}

}  // namespace

bool is_workload(const std::string& path) { return path.ends_with(".csv"); }

Workload read_workload(const std::string& path) {
  const MappedFile file(path);
  return parse_workload(path, std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()));
}

Workload parse_workload(const std::string& name, const std::string& text) {
  Csv csv = parse_csv(name, text);
  if (csv.records.empty())
    throw Error(fmt::format("{}: line 1: empty file: must begin with the names of the columns", name));
  Reader reader{name};
  reader.line = csv.records[0].line;
  reader.decimal_comma = csv.separator == ';';
  reader.read_header(csv.records[0].cells);

  Workload workload;
  workload.name = name, workload.encoder = reader.encoder;
  for (std::size_t i = 1; i < csv.records.size(); ++i) {
    std::vector<std::string>& cells = csv.records[i].cells;
    reader.line = csv.records[i].line;
    if (i + 1 == csv.records.size() && is_note(cells)) {
      workload.note = cells[0];
      break;
    }
    if (cells.size() != reader.cells.size())
      reader.fail("row", cells[0], fmt::format("must have {} cells, not {}", reader.cells.size(), cells.size()));
    reader.cells = std::move(cells);
    const WorkloadRow row = reader.row();
    if (!workload.rows.empty()) {
      const WorkloadRow& before = workload.rows.back();
      if (row.head_dim != workload.head_dim)
        reader.fail(kNames[kHeadDim], reader.cell(kHeadDim),
                    fmt::format("must be the first row's {}", workload.head_dim));
      if (std::tie(row.step, row.layer, row.head) <= std::tie(before.step, before.layer, before.head))
        reader.fail(workload.encoder ? "layer_id, head_id" : "iteration_id, layer_id, head_id",
                    workload.encoder ? fmt::format("{}, {}", row.layer, row.head)
                                     : fmt::format("{}, {}, {}", row.step, row.layer, row.head),
                    "must come after the row before");
    }
    workload.head_dim = row.head_dim;
    workload.steps = std::max(workload.steps, row.step + 1);
    workload.layers = std::max(workload.layers, row.layer + 1);
    workload.heads = std::max(workload.heads, row.head + 1);
    workload.longest = std::max(workload.longest, row.length);
    workload.rows.push_back(row);
  }
  if (workload.rows.empty()) throw Error(fmt::format("{}: line 2: no row: must hold at least one", name));
  return workload;
}

WorkloadBytes row_bytes(const WorkloadRow& row) {
  const auto bytes = [&](int vectors, int bits) {
    return static_cast<std::uint64_t>(vectors) * static_cast<std::uint64_t>(row.head_dim / 8) *
           static_cast<std::uint64_t>(bits);
  };
  return {bytes(row.keys, row.key_bits), bytes(row.keys, row.refetch_bits), bytes(row.values, row.value_bits),
          bytes(row.queries, row.query_bits)};
}

WorkloadBytes total_bytes(const Workload& workload) {
  WorkloadBytes sum;
  for (const WorkloadRow& row : workload.rows) {
    const WorkloadBytes one = row_bytes(row);
    sum.key += one.key, sum.key_refetch += one.key_refetch, sum.value += one.value, sum.query += one.query;
  }
  return sum;
}

std::uint64_t dense_bytes(const Workload& workload, int bits) {
  std::map<int, int> step_length;
  for (const WorkloadRow& row : workload.rows) {
    int& length = step_length[row.step];
    length = std::max(length, row.length);
  }
  std::uint64_t vectors = 0;
  for (const auto& [step, length] : step_length)
    vectors += static_cast<std::uint64_t>(length) * static_cast<std::uint64_t>(workload.layers) *
               static_cast<std::uint64_t>(workload.heads);
  return 2 * vectors * static_cast<std::uint64_t>(workload.head_dim / 8) * static_cast<std::uint64_t>(bits);
}

}  // namespace winnow
