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

// The same rows as other programs write them.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// Every field in quotes.
std::string quoted(const std::string& text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins) out += '"';
    begins = c == ',' || c == '\n';
    out += begins ? std::string("\"") + c : std::string(1, c);
  }
  return out;
}

TEST(Workload, AnyWriterOfCsv) {
  const std::string rows = kRow + "0,0,1,64.0,100,80,6,16,0.05,False,4,20,6,True,False,True,80\n";
  const std::string plain = kHeader + rows + "\n";
  const std::string semicolons = replaced(plain, ",", ";");
  const std::string all_quoted = quoted(kHeader + rows);
  const std::string texts[] = {
      plain,
      all_quoted,
      replaced(all_quoted, "\n", "\r\n"),
      replaced(plain, "\n", "\r\n"),
      replaced(plain, "\n", "\r"),
      "\xef\xbb\xbf" + all_quoted,
      semicolons,
      replaced(semicolons, ".", ","),  // with the decimal comma that goes with it
      "\xef\xbb\xbf" + replaced(replaced(semicolons, ".", ","), "\n", "\r\n"),
      replaced(plain, ",", "\t"),
      replaced(plain, ",", " , "),
      replaced(plain, ",6,", ",\"6\" ,"),
      kHeader + rows.substr(0, rows.size() - 1),
      "\"a;b\nc\"," + kHeader + replaced(kRow, "0,0,0,64", "\"two\r\nlines, \"\"quoted\"\"\",0,0,0,64") +
          "x,0,0,1,64.0,100,80,6,16,0.05,False,4,20,6,True,False,True,80",
  };
  const Workload expected = parse_workload("w.csv", plain);
  ASSERT_EQ(expected.rows.size(), 2u);
  for (const std::string& text : texts) {
    const Workload got = parse_workload("w.csv", text);
    ASSERT_EQ(got.rows.size(), 2u) << text;
    for (std::size_t i = 0; i < 2; ++i) {
      const WorkloadRow &a = expected.rows[i], &b = got.rows[i];
      EXPECT_EQ(std::tie(a.step, a.layer, a.head, a.head_dim, a.length, a.keys, a.key_bits, a.query_bits, a.threshold,
                         a.refetch, a.refetch_bits, a.values, a.value_bits, a.topk, a.topk_tokens),
                std::tie(b.step, b.layer, b.head, b.head_dim, b.length, b.keys, b.key_bits, b.query_bits, b.threshold,
                         b.refetch, b.refetch_bits, b.values, b.value_bits, b.topk, b.topk_tokens))
          << text;
    }
  }
  EXPECT_EQ(parse_workload("w.csv", kHeader + rows + "\"configs/a, \"\"b\"\".yml\"" + std::string(16, ',')).note,
            "configs/a, \"b\".yml");
  // Lines are counted over quoted line ends.
  EXPECT_EQ(error_of([&] { parse_workload("w.csv", texts[std::size(texts) - 1] + "\nx,0,0,1"); }),
            "w.csv: line 6: row: 'x': must have 18 cells, not 4");
  std::printf("compared %zu files\n", std::size(texts));
}

TEST(Workload, EncoderForm) {
  const std::string header =
      "layer_id,head_id,embedding_length_D,sentence_length_L,key_value_query_fetch_num,quant_key_bit,quant_value_bit,"
      "quant_query_bit,auto_requant_thres,if_requant,auto_requant_incre,auto_requant_num,if_accumulate_importance,"
      "if_topk,topk\n";
  const Workload w = parse_workload("w.csv", header +
                                                 "0,0,64.0,100,90,6,8,12,0.05,True,4,7,True,False,-1\n"
                                                 "0,1,64.0,100,90,6,8,12,0.05,True,4,0,True,True,80\n"
                                                 "1,0,64.0,100,80,-1,-1,-1,-1,False,-1,-1,False,False,-1\n"
                                                 "bert.yml,,,,,,,,,,,,,,\n");
  ASSERT_TRUE(w.encoder);
  ASSERT_EQ(w.rows.size(), 3u);
  EXPECT_EQ(w.steps, 1);
  EXPECT_EQ(w.layers, 2);
  EXPECT_EQ(w.heads, 2);
  EXPECT_EQ(w.note, "bert.yml");
  const WorkloadBytes first = row_bytes(w.rows[0]), second = row_bytes(w.rows[1]), third = row_bytes(w.rows[2]);
  EXPECT_EQ(first.key, 90u * 64 * 10 / 8);
  EXPECT_EQ(second.key, 90u * 64 * 6 / 8);  // no query asked for the LSBs
  EXPECT_EQ(first.key_refetch + second.key_refetch, 0u);
  EXPECT_EQ(first.value, 90u * 64);
  EXPECT_EQ(first.query, 100u * 64 * 12 / 8);
  EXPECT_EQ(third.key, 80u * 64 * 4);
  EXPECT_EQ(third.query, 100u * 64 * 4);
  EXPECT_EQ(w.rows[1].topk_tokens, 80);
  EXPECT_EQ(dense_bytes(w, 32), 2u * 100 * 2 * 2 * 64 * 4);

  const std::pair<std::string, std::string> bad[] = {
      {replaced(header, "auto_requant_num", "other"), "line 1: auto_requant_num: '': column is missing"},
      {replaced(header, "topk\n", "topk,key_fetch_num\n"),
       "line 1: key_value_query_fetch_num: 'key_value_query_fetch_num': must not stand beside key_fetch_num"},
      {header + "0,0,64,100,101,6,8,12,0.05,True,4,7,True,False,-1\n",
       "line 2: key_value_query_fetch_num: '101': must be an integer 0..100"},
      {header + "0,0,64,100,90,6,8,12,0.05,True,4,101,True,False,-1\n",
       "line 2: auto_requant_num: '101': must be an integer 0..100"},
      {header + "0,0,64,100,90,30,8,12,0.05,True,4,1,True,False,-1\n",
       "line 2: auto_requant_incre: '4': must be at most 32 with quant_key_bit's bits"},
      {header + "0,0,64,100,90,6,8,12,0.05,True,4,1,True,False,-1\n" +
           "0,0,64,100,90,6,8,12,0.05,True,4,1,True,False,-1\n",
       "line 3: layer_id, head_id: '0, 0': must come after the row before"},
  };
  for (const auto& [text, line] : bad) EXPECT_EQ(error_of([&] { parse_workload("w.csv", text); }), "w.csv: " + line);
  std::printf("compared 3 rows, refused %zu files\n", std::size(bad));
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
      {bent(5, "\"90"), {"line 2", "field", "must be closed"}},
      {bent(5, "9\"0"), {"line 2", "field", "must stand in quotes"}},
      {bent(5, "\"9\"0"), {"line 2", "field", "closing quote"}},
      {bent(8, "0;05"), {"line 2", "auto_requant_thres", "number"}},
      {"\xff\xfei\0t", {"line 1", "UTF-8"}},
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
