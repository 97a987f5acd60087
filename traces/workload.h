#pragma once
// Shape-only workloads in the formats of SpAtten's authors (CSV, RFC 4180; traces/README.md lists the columns): how
// many keys and values are fetched at which width. No values, and not which tokens.
//   decode form   17 columns, a row a head, layer and step: one query, keys fetched, whether their LSBs follow, values.
//   encoder form  15 columns, a row a head and layer: sentence_length_L queries; key_value_query_fetch_num stands for
//   the
//                 keys and for the values fetched. K and V are resident: fetched once for all queries, K at the width
//                 that the widest query needs, with its LSBs if any query asked for them (auto_requant_num).
#include <cstdint>
#include <string>
#include <vector>

namespace winnow {

// One row of the file: one head of one layer of one step (encoder: of step 0). A pruned head has no row.
struct WorkloadRow {
  int line = 0;  // in the file, from 1
  int step = 0, layer = 0, head = 0;
  int head_dim = 0;  // embedding_length_D
  int length = 0;    // sentence_length_L, the current token included
  int queries = 1;   // decode: the current token's; encoder: sentence_length_L
  int keys = 0;      // key_fetch_num
  int key_bits = 0;  // the first pass's; 32 for float; encoder: all that is fetched
  int query_bits = 0;
  double threshold = 0;  // auto_requant_thres, as written; the decision stands in `refetch`
  bool refetch = false;  // if_requant: all keys are read again, refetch_bits each; never in the encoder form
  int refetch_bits = 0;  // auto_requant_incre; 0 without refetch
  int values = 0;        // value_fetch_num, of the keys
  int value_bits = 0;
  bool accumulate_importance = false, rescale_importance = false;
  bool topk = false;    // the layer ends with a token top-k
  int topk_tokens = 0;  // what it keeps; 0 without topk
};

struct Workload {
  std::string name;
  std::string note;                      // the file name in the last row, if there is one
  bool encoder = false;                  // the form
  int head_dim = 0;                      // the same in every row
  int steps = 0, layers = 0, heads = 0;  // largest index + 1
  int longest = 0;                       // largest length
  std::vector<WorkloadRow> rows;         // in order of (step, layer, head)

  // What the form calls the columns that count keys and values.
  const char* keys_column() const { return encoder ? "key_value_query_fetch_num" : "key_fetch_num"; }
  const char* values_column() const { return encoder ? "key_value_query_fetch_num" : "value_fetch_num"; }
};

// Throws Error `file: line N: column: value: rule`. The columns may stand in any order; others are ignored. Which form
// a file has is told by its columns. Where semicolons separate, a number may have a decimal comma.
Workload read_workload(const std::string& path);
// The same from text; `name` begins the errors.
Workload parse_workload(const std::string& name, const std::string& text);
bool is_workload(const std::string& path);  // ends in .csv

// Useful bytes, by the closed form (bursts may carry more).
struct WorkloadBytes {
  std::uint64_t key = 0, key_refetch = 0;  // keys * D * bits / 8
  std::uint64_t value = 0;                 // values * D * bits / 8
  std::uint64_t query = 0;                 // queries * D * bits / 8
  std::uint64_t keys_and_values() const { return key + key_refetch + value; }
};
WorkloadBytes row_bytes(const WorkloadRow& row);
WorkloadBytes total_bytes(const Workload& workload);
// What K and V of all tokens of every head would take at `bits`: length * D * bits / 8, twice, for each
// of `heads` heads in every layer of every step, those without a row included.
std::uint64_t dense_bytes(const Workload& workload, int bits);

}  // namespace winnow
