#include "sim/config/machine.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <bit>
#include <filesystem>

#include "golden/error.h"
#include "models/dram/spec.h"
#include "models/memories/score_banks.h"
#include "models/prim/bricks.h"
#include "models/prim/limits.h"
#include "sim/config/machine_folder.h"
#include "sim/config/yaml.h"
#include "traces/text.h"

namespace winnow {
namespace {

namespace fs = std::filesystem;

fs::path& folder_of_machines() {
  static fs::path folder = fs::path(WINNOW_SOURCE_DIR) / "sim" / "machines";
  return folder;
}
constexpr int kNarrowestHead = 8;  // the trace format's smallest head_dim

// Which memory type a machine file has a section for. What else is wrong with the file, load_yaml says.
std::optional<std::string> section_of_memory(const std::string& path) {
  try {
    const YAML::Node file = YAML::LoadFile(path);
    for (const std::string& type : dram::memory_types())
      if (file.IsMap() && file[type]) return type;
  } catch (const YAML::Exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Schema machine_schema(Machine& m) {
  using namespace param;
  Schema schema = {
      {"name", "", &m.name, any_text(), "what results call this machine"},
      {"clock_ghz", "GHz", &m.clock_ghz, range(0.01, 10), "cycles to seconds; HBM2 timing counts the same cycles"},
      {"heads_in_flight", "", &m.heads_in_flight, range(1, 8),
       "KV heads whose work may overlap; each holds a part of K, V and the score memories: double buffers are two"},
      {"arrays", "", &m.arrays, one_of({"separate", "shared"}),
       "separate: an array for Q x K and one for P x V; shared: each job has both, in turn"},
      {"buffers", "", &m.buffers, one_of({"halves", "pool"}),
       "halves: each head in flight owns a half of K's SRAM and of V's; pool: all draw rows of the same banks, as many "
       "bits as two halves each, and a narrow word takes fewer columns of a row"},
      {"load_chunk", "tokens", &m.load_chunk, range(0, 1 << 16),
       "that a job of the fetcher brings of a head's K or V, a multiple of 32, so that gathers may go between; 0: all"},
      {"score_store_entries", "", &m.score_store_entries, range(8, 1 << 20),
       "scores and e a head in flight: group * tokens, in four banks of words as wide as softmax"},
  };
  // A section a block, in its own words.
  Machine::sections(m, [&schema](const std::string& name, auto& params) {
    std::remove_reference_t<decltype(params)>::visit(
        params, [&](const char* key, auto& value, const char* unit, Rule rule, const char* doc) {
          schema.push_back({name + "." + key, unit, &value, std::move(rule), doc});
        });
  });
  return schema;
}

std::optional<Violation> find_violation(const Machine& m) {
  const auto broken = [](const char* key, int value, std::string rule) {
    return Violation{key, std::to_string(value), std::move(rule)};
  };
  if (m.load_chunk % 32) return broken("load_chunk", m.load_chunk, "must be a multiple of 32: whole bursts");
  if (m.fetcher.lanes < m.hbm2.channels)
    return broken("fetcher.lanes", m.fetcher.lanes,
                  fmt::format("must be at least {}.channels ({})", m.hbm2.type, m.hbm2.channels));
  if (m.pv.multipliers != m.qk.multipliers)
    return broken(
        "pv.multipliers", m.pv.multipliers,
        fmt::format("must equal qk.multipliers ({}): the converter feeds both at one width", m.qk.multipliers));
  for (const auto& [key, bits] : {std::pair{"qk.brick_bits", m.qk.brick_bits}, {"pv.brick_bits", m.pv.brick_bits}})
    if (golden::kWordBits % bits)
      return broken(key, bits, fmt::format("must divide {}: a multiplier is made of whole bricks", golden::kWordBits));
  if (const int first = m.softmax.first_width;
      first && (first < m.softmax.width || !std::has_single_bit(static_cast<unsigned>(first))))
    return broken("softmax.first_width", first,
                  fmt::format("must be 0, or a power of two and at least softmax.width ({})", m.softmax.width));
  if (m.buffers == "pool") {
    // One read port a bank is enough where only one of the arrays works at a time.
    if (m.arrays != "shared")
      return Violation{"buffers", m.buffers, "must be halves where arrays is separate: both would read the same banks"};
    if (m.converter.latency < 2)
      return broken("converter.latency", m.converter.latency,
                    "must be at least 2 where buffers is pool: a merge says a cycle ahead which banks it reads");
  }
  struct Array {
    const char* block;
    int multipliers, tokens, head_dim;
  };
  for (const Array& array : {Array{"qk", m.qk.multipliers, m.qk.sram.tokens, m.qk.sram.head_dim},
                             Array{"pv", m.pv.multipliers, m.pv.sram.tokens, m.pv.sram.head_dim}}) {
    const std::string block = array.block;
    if (array.multipliers % array.head_dim != 0)
      return broken((block + ".sram.head_dim").c_str(), array.head_dim,
                    fmt::format("must divide {}.multipliers ({})", block, array.multipliers));
    const int banks = array.multipliers / array.head_dim;
    if (array.tokens % banks != 0)
      return broken(
          (block + ".sram.tokens").c_str(), array.tokens,
          fmt::format("must be a multiple of the {0} banks ({1}.multipliers / {1}.sram.head_dim)", banks, block));
  }
  if (m.softmax.reciprocal_latency > m.softmax.divide_latency)
    return broken(
        "softmax.reciprocal_latency", m.softmax.reciprocal_latency,
        fmt::format("must be at most softmax.divide_latency ({}), of which it is a part", m.softmax.divide_latency));
  if (m.softmax.width > m.qk.multipliers / kNarrowestHead)
    return broken("softmax.width", m.softmax.width,
                  fmt::format("must be at most qk.multipliers / {} ({}), the most scores a cycle", kNarrowestHead,
                              m.qk.multipliers / kNarrowestHead));
  return std::nullopt;
}

int Machine::pool_columns(int head_dim) const {
  return winnow::pool_columns(key_multipliers(), qk.brick_bits, head_dim);
}

int Machine::pool_rows(int head_dim) const {
  const std::int64_t words = 2 * std::int64_t{qk.sram.words() + pv.sram.words()},
                     row = std::int64_t{pool_columns(head_dim)} * head_dim * qk.brick_bits;
  return static_cast<int>(words * golden::kWordBits / row);
}

void require_consistent(const std::string& place, const Machine& machine) {
  if (const auto bad = find_violation(machine))
    throw Error(fmt::format("{}: {}: {}: {}", place, bad->key, bad->value, bad->rule));
}

const fs::path& machine_folder() { return folder_of_machines(); }
void set_machine_folder(const fs::path& folder) { folder_of_machines() = folder; }

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(machine_folder(), ec))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Machine load_machine(const std::string& name_or_path) {
  fs::path path = name_or_path;
  if (path.extension() != ".yaml") {
    const std::vector<std::string> names = machine_names();
    if (std::find(names.begin(), names.end(), name_or_path) == names.end())
      throw Error(fmt::format("--machine: {}: no such machine: must be one of {}, or a .yaml file",
                              in_quotes(name_or_path), fmt::join(names, ", ")));
    path = machine_folder() / (name_or_path + ".yaml");
  }
  Machine machine;
  machine.hbm2.type = section_of_memory(path.string()).value_or(machine.hbm2.type);
  const KeyLines lines = load_yaml(path.string(), machine_schema(machine));
  if (const auto bad = find_violation(machine))
    require_consistent(fmt::format("{}: line {}", path.string(), lines.at(bad->key)), machine);
  return machine;
}

std::vector<TokenLimit> token_limits(const Machine& m, const Sentence& s) {
  const auto up = [](std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; };
  // A row of all banks is `multipliers` words wide and holds whole vectors only.
  const auto vectors = [&](const char* memory, const char* key, const auto& sram, int multipliers) {
    const int banks = keys_a_cycle(multipliers, s.head_dim);
    const std::int64_t need = up(s.tokens, banks) / banks * multipliers;
    return TokenLimit{memory,
                      "words a half",
                      sram.words() / multipliers * banks,
                      sram.words(),
                      need,
                      key,
                      sram.tokens,
                      up(up(need, sram.head_dim) / sram.head_dim, multipliers / sram.head_dim)};
  };
  // `a_row` tokens an entry of a FIFO.
  const auto rows = [&](const char* memory, const char* key, int a_row, int entries, bool power) {
    const std::int64_t need = up(s.tokens, a_row) / a_row;
    const auto least = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(need)));
    return TokenLimit{memory, "rows", a_row * entries, entries, need, key, entries, power ? least : need};
  };
  // K and V of one head, whole: each takes rows of its own.
  const auto pool = [&] {
    const int columns = m.pool_columns(s.head_dim), width = (golden::kWordBits + m.qk.brick_bits - 1) / m.qk.brick_bits,
              across = std::max(1, columns / width);
    const std::int64_t has = m.pool_rows(s.head_dim), need = 2 * (up(s.tokens, across) / across);
    const std::int64_t a_row = std::int64_t{columns} * s.head_dim * m.qk.brick_bits;
    const int banks = m.qk.multipliers / m.qk.sram.head_dim;
    // What K's part must grow by; V's part stays.
    const std::int64_t words = up(need * a_row, 2 * golden::kWordBits) / (2 * golden::kWordBits) - m.pv.sram.words();
    return TokenLimit{"pool of K and V",
                      "rows",
                      static_cast<int>(has / 2 * across),
                      has,
                      need,
                      "qk.sram.tokens",
                      m.qk.sram.tokens,
                      up(up(words, m.qk.sram.head_dim) / m.qk.sram.head_dim, banks)};
  };
  const std::int64_t round = std::int64_t{kScoreBanks} * m.softmax.widest(),
                     scores = score_words(s.group, s.tokens, m.softmax.widest()),
                     importances = std::int64_t{s.importance_lists} * s.tokens;
  std::vector<TokenLimit> limits;
  if (m.buffers == "pool")
    limits = {pool()};
  else
    limits = {vectors("key buffer", "qk.sram.tokens", m.qk.sram, m.qk.multipliers),
              vectors("value buffer", "pv.sram.tokens", m.pv.sram, m.pv.multipliers)};
  limits.insert(
      limits.end(),
      {
          rows("P x V's row FIFO", "pv.row_fifo", keys_a_cycle(m.pv.multipliers, s.head_dim), m.pv.row_fifo, false),
          {"scores", "words a head in flight", static_cast<int>(m.score_store_entries / round / s.group * round),
           m.score_store_entries, scores, "score_store_entries", m.score_store_entries, scores},
          rows("top-k's sides", "topk.fifo", m.topk.parallelism, m.topk.fifo, true),
          rows("softmax's row FIFO", "softmax.row_fifo", m.softmax.width, m.softmax.row_fifo, true),
          {"importance memory", "words", m.importance.tokens / s.importance_lists, m.importance.tokens, importances,
           "importance.tokens", m.importance.tokens, importances},
      });
  if (m.greedy.columns)
    limits.push_back({"sorted keys", "words a half", m.qk.sram.words() / s.head_dim, m.qk.sram.words(),
                      std::int64_t{s.tokens} * s.head_dim, "qk.sram.tokens", m.qk.sram.tokens,
                      up(std::int64_t{s.tokens} * s.head_dim, m.qk.sram.head_dim) / m.qk.sram.head_dim});
  std::stable_sort(limits.begin(), limits.end(),
                   [](const TokenLimit& a, const TokenLimit& b) { return a.tokens < b.tokens; });
  return limits;
}

void require_fits(const std::string& place, const Machine& m, const Sentence& sentence) {
  const auto [head_dim, group, tokens, lists] = sentence;
  const auto refuse = [&](const char* key, int value, const std::string& rule) {
    throw Error(fmt::format("{}: {}: {}: {}", place, key, value, rule));
  };
  if (head_dim < kNarrowestHead || head_dim % kNarrowestHead != 0 || head_dim > kMaxHeadDim)
    refuse("head_dim", head_dim, fmt::format("must be a multiple of {}, at most {}", kNarrowestHead, kMaxHeadDim));
  for (const auto& [key, multipliers] :
       {std::pair{"qk.multipliers", m.qk.multipliers}, {"pv.multipliers", m.pv.multipliers}})
    if (keys_a_cycle(multipliers, head_dim) == 0)
      refuse("head_dim", head_dim,
             fmt::format("must be at most {} of machine {} ({}): an array takes floor({} / head_dim) vectors a cycle",
                         key, m.name, multipliers, key));
  if (m.qk.brick_bits == golden::kWordBits && keys_a_cycle(m.key_multipliers(), head_dim) > kMaxRow)
    refuse("head_dim", head_dim,
           fmt::format("must be at least {}multipliers / {} ({})", m.arrays == "shared" ? "both arrays' " : "qk.",
                       kMaxRow, m.key_multipliers() / kMaxRow));
  if (group > kMaxGroup) refuse("heads / kv_heads", group, fmt::format("must be at most {}", kMaxGroup));
  std::vector<std::string> small;
  for (const TokenLimit& limit : token_limits(m, sentence))
    if (tokens > limit.tokens)
      small.push_back(fmt::format("{} has {} {}, {} are needed: raise {} from {} to {}", limit.memory, limit.has,
                                  limit.unit, limit.need, limit.key, limit.set, limit.raise));
  if (small.empty()) return;
  const std::string importance = lists > 1 ? fmt::format(", {} lists of importance", lists) : std::string();
  throw Error(fmt::format("{}: tokens: {}: do not fit machine {} at head_dim {}, {} query heads a KV head{}: {}", place,
                          tokens, m.name, head_dim, group, importance, fmt::join(small, "; ")));
}

}  // namespace winnow
