// Shape-only workloads: rows, the closed form of their bytes against awk, and each rule broken once.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/traces/reader/trace_file.h"
#include "traces/workload.h"

namespace winnow {
namespace {

using test::error_of;
using test::TempFile;

const std::string kFile = WINNOW_SOURCE_DIR "/tests/traces/reader/workload.csv";
const std::string kHeader =
    "iteration_id,layer_id,head_id,embedding_length_D,sentence_length_L,key_fetch_num,quant_key_bit,quant_query_bit,"
    "auto_requant_thres,if_requant,auto_requant_incre,value_fetch_num,quant_value_bit,if_accumulate_importance,"
    "if_rescale_previous_importance,if_topk,topk\n";
const std::string kRow = "0,0,0,64.0,100,90,6,16,0.05,True,4,20,6,True,False,True,80\n";

TEST(Workload, BytesMatchAwk) {
  const Workload workload = read_workload(kFile);
  const WorkloadBytes got = total_bytes(workload);
  const std::string program =
      "awk -F, 'NR>1 && $17!=\"\" {b=$7<0?32:$7; v=$13<0?32:$13; q=$8<0?32:$8; k+=$6*$4*b/8; if($10==\"True\") "
      "r+=$6*$4*$11/8; "
      "w+=$12*$4*v/8; s+=$4*q/8; n++} END{printf \"%.0f %.0f %.0f %.0f %d\", k, r, w, s, n}' " +
      kFile;
  FILE* pipe = ::popen(program.c_str(), "r");
  unsigned long long k = 0, r = 0, v = 0, q = 0, rows = 0;
  ASSERT_EQ(std::fscanf(pipe, "%llu %llu %llu %llu %llu", &k, &r, &v, &q, &rows), 5);
  ::pclose(pipe);
  EXPECT_EQ(got.key, k);
  EXPECT_EQ(got.key_refetch, r);
  EXPECT_EQ(got.value, v);
  EXPECT_EQ(got.query, q);
  EXPECT_EQ(workload.rows.size(), rows);
  EXPECT_GT(got.key_refetch, 0u);
  EXPECT_EQ(got.keys_and_values(), k + r + v);
  std::printf("compared 4 sums over %llu rows: K %llu, refetch %llu, V %llu, Q %llu bytes\n", rows, k, r, v, q);
}

TEST(Workload, ReadsARow) {
  const Workload workload = parse_workload("w.csv", kHeader + kRow + "configs/a.yml,,,,,,,,,,,,,,,,\n\n");
  ASSERT_EQ(workload.rows.size(), 1u);
  const WorkloadRow& row = workload.rows[0];
  EXPECT_EQ(row.line, 2);
  EXPECT_EQ(row.head_dim, 64);
  EXPECT_EQ(row.length, 100);
  EXPECT_EQ(row.keys, 90);
  EXPECT_EQ(row.key_bits, 6);
  EXPECT_EQ(row.query_bits, 16);
  EXPECT_EQ(row.threshold, 0.05);
  EXPECT_TRUE(row.refetch);
  EXPECT_EQ(row.refetch_bits, 4);
  EXPECT_EQ(row.values, 20);
  EXPECT_EQ(row.value_bits, 6);
  EXPECT_TRUE(row.accumulate_importance);
  EXPECT_FALSE(row.rescale_importance);
  EXPECT_TRUE(row.topk);
  EXPECT_EQ(row.topk_tokens, 80);
  EXPECT_EQ(workload.note, "configs/a.yml");
  EXPECT_EQ(row_bytes(row).key, 90u * 64 * 6 / 8);
  EXPECT_EQ(row_bytes(row).key_refetch, 90u * 64 * 4 / 8);
  EXPECT_EQ(row_bytes(row).value, 20u * 64 * 6 / 8);
  EXPECT_EQ(dense_bytes(workload, 32), 2u * 100 * 64 * 4);
  // Float widths, columns in another order, one column more, line ends of another system.
  const Workload other = parse_workload(
      "w.csv",
      "extra,topk,if_topk,if_rescale_previous_importance,if_accumulate_importance,quant_value_bit,value_fetch_num,"
      "auto_requant_incre,if_requant,auto_requant_thres,quant_query_bit,quant_key_bit,key_fetch_num,"
      "sentence_length_L,embedding_length_D,head_id,layer_id,iteration_id\r\n"
      "x,-1,False,False,False,-1,7,-1,False,-1,-1,-1,9,10,8,2,1,3\r\n");
  EXPECT_EQ(row_bytes(other.rows[0]).key, 9u * 8 * 4);
  EXPECT_EQ(row_bytes(other.rows[0]).key_refetch, 0u);
  EXPECT_EQ(row_bytes(other.rows[0]).value, 7u * 8 * 4);
  EXPECT_EQ(other.steps, 4);
  EXPECT_EQ(other.layers, 2);
  EXPECT_EQ(other.heads, 3);
  EXPECT_EQ(dense_bytes(other, 12), 2u * 10 * 8 * 12 / 8 * 2 * 3);
}

TEST(Workload, BadOnesAreRefused) {
  const auto bent = [](int column, const std::string& value) {
    std::string row = kRow;
    std::size_t at = 0;
    for (int i = 0; i < column; ++i) at = row.find(',', at) + 1;
    return kHeader + row.replace(at, row.find_first_of(",\n", at) - at, value);
  };
  std::string missing = kHeader, twice = kHeader;
  missing.replace(missing.find("if_requant"), 10, "other");
  twice.replace(twice.find("topk\n"), 4, "layer_id,topk");
  struct Bad {
    std::string text;
    std::vector<std::string> words;
  };
  const std::vector<Bad> bad = {
      {"", {"line 1", "empty"}},
      {"\n\n", {"line 1", "empty"}},
      {kHeader, {"line 2", "no row"}},
      {kHeader + "name.yml,,,,,,,,,,,,,,,,\n", {"line 2", "no row"}},
      {missing + kRow, {"line 1", "if_requant", "missing"}},
      {twice + kRow, {"line 1", "layer_id", "twice"}},
      {kHeader + "name.yml,,,,,,,,,,,,,,,,\n" + kRow, {"line 2", "iteration_id", "name.yml", "number"}},
      {kHeader + kRow.substr(2), {"line 2", "17 cells, not 16"}},
      {bent(5, "many"), {"line 2", "key_fetch_num", "many", "number"}},
      {bent(5, "-3"), {"line 2", "key_fetch_num", "-3", "0..100"}},
      {bent(5, "101"), {"line 2", "key_fetch_num", "101", "0..100"}},
      {bent(5, "1.5"), {"line 2", "key_fetch_num", "1.5", "integer"}},
      {bent(5, "nan"), {"line 2", "key_fetch_num", "nan"}},
      {bent(5, ""), {"line 2", "key_fetch_num", "''"}},
      {bent(5, "1e300"), {"line 2", "key_fetch_num", "1e300"}},
      {bent(11, "91"), {"line 2", "value_fetch_num", "0..90"}},
      {bent(3, "60"), {"line 2", "embedding_length_D", "multiple of 8"}},
      {bent(4, "0"), {"line 2", "sentence_length_L"}},
      {bent(6, "0"), {"line 2", "quant_key_bit", "-1 for float"}},
      {bent(6, "33"), {"line 2", "quant_key_bit", "33"}},
      {bent(9, "true"), {"line 2", "if_requant", "True or False"}},
      {bent(10, "-1"), {"line 2", "auto_requant_incre", "-1"}},
      {bent(16, "-1"), {"line 2", "topk", "-1"}},
      {kHeader + kRow + kRow, {"line 3", "head_id", "after the row before"}},
      {kHeader + kRow + "0,0,1,32.0,100,90,6,16,0.05,True,4,20,6,True,False,True,80\n",
       {"line 3", "embedding_length_D", "first row's 64"}},
  };
  for (const Bad& one : bad) {
    const TempFile file(one.text, ".csv");
    const std::string line = error_of([&] { read_workload(file.path()); });
    EXPECT_TRUE(line.starts_with(file.path() + ": line ")) << line << " for " << one.words.back();
    for (const std::string& word : one.words)
      EXPECT_NE(line.find(word), std::string::npos) << word << " not in: " << line;
  }
  std::printf("refused %zu files\n", bad.size());
}

}  // namespace
}  // namespace winnow
