#pragma once
// Tables of text, one record a row, as spreadsheets and programs write them (RFC 4180).
//
// Fields end at a comma, a semicolon or a tab: whichever stands most often in the first record, outside quotes. A field
// may stand in double quotes; then it may hold separators and line ends, and "" is one quote. Lines end with LF, CRLF
// or CR; empty lines at the end, a byte order mark, and spaces around a field are left out.
#include <string>
#include <vector>

namespace winnow {

struct CsvRecord {
  int line = 0;  // that it begins in, from 1
  std::vector<std::string> cells;
};

struct Csv {
  char separator = ',';
  std::vector<CsvRecord> records;
};

// `name` begins the errors. Throws Error `file: line N: place: value: rule` for a quote that is not closed, or that
// stands inside a field, and for text that is not UTF-8.
Csv parse_csv(const std::string& name, const std::string& text);

}  // namespace winnow
