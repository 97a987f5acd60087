#include "traces/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "golden/error.h"
#include "traces/text.h"

namespace winnow {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool ends_line(char c) { return c == '\n' || c == '\r'; }

struct Reader {
  const std::string& file;
  std::string_view text;
  std::size_t at = 0;
  int line = 1;

  [[noreturn]] void fail(int where, std::string_view value, const char* rule) const {
    throw Error(fmt::format("{}: line {}: field: {}: {}", file, where, in_quotes(std::string(value)), rule));
  }
  bool more() const { return at < text.size(); }
  char next() const { return text[at]; }
  // Past a line end of either kind.
  void take_line_end() {
    at += text.substr(at).starts_with("\r\n") ? 2 : 1;
    ++line;
  }

  // What separates: looked for in the first record only, where the names of columns hold none of them.
  char separator() const {
    constexpr std::string_view kMarks = ",;\t";
    std::size_t counts[kMarks.size()] = {};
    bool quoted = false;
    for (const char c : text) {
      if (c == '"') quoted = !quoted;
      if (quoted) continue;
      if (ends_line(c)) break;
      if (const std::size_t mark = kMarks.find(c); mark != kMarks.npos) ++counts[mark];
    }
    return kMarks[static_cast<std::size_t>(std::max_element(std::begin(counts), std::end(counts)) - counts)];
  }

  std::string quoted_field(char separator) {
    const int opened = line;
    const std::size_t from = at++;
    std::string field;
    for (;; ++at) {
      if (!more()) fail(opened, text.substr(from, 40), "a quote that opens a field must be closed");
      if (next() == '"') {
        if (text.substr(at).starts_with("\"\"")) {
          ++at;
        } else {
          break;
        }
      } else if (ends_line(next())) {
        if (text.substr(at).starts_with("\r\n")) ++at;
        ++line;
        field += '\n';
        continue;
      }
      field += next();
    }
    ++at;
    while (more() && next() == ' ') ++at;
    if (more() && next() != separator && !ends_line(next()))
      fail(opened, text.substr(from, std::min<std::size_t>(at + 1 - from, 40)),
           "nothing may stand between a closing quote and the next separator; a quote inside is written twice");
    return field;
  }

  std::string plain_field(char separator) {
    const std::size_t from = at;
    while (more() && next() != separator && !ends_line(next())) ++at;
    std::string_view field = text.substr(from, at - from);
    if (field.find('"') != field.npos)
      fail(line, field, "a field that holds a quote must stand in quotes, with the quote written twice");
    while (!field.empty() && field.back() == ' ') field.remove_suffix(1);
    return std::string(field);
  }

  CsvRecord record(char separator) {
    CsvRecord r;
    r.line = line;
    while (true) {
      while (more() && next() == ' ') ++at;
      r.cells.push_back(more() && next() == '"' ? quoted_field(separator) : plain_field(separator));
      if (!more()) return r;
      if (ends_line(next())) {
        take_line_end();
        return r;
      }
      ++at;  // the separator
    }
  }
};

}  // namespace

Csv parse_csv(const std::string& name, const std::string& text) {
  Reader reader{name, text};
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") || text.find('\0') != text.npos)
    throw Error(fmt::format("{}: line 1: text: UTF-16 or binary: must be UTF-8", name));
  if (text.starts_with(kByteOrderMark)) reader.text.remove_prefix(kByteOrderMark.size());
  Csv csv;
  csv.separator = reader.separator();
  while (reader.more()) csv.records.push_back(reader.record(csv.separator));
  const auto empty = [](const CsvRecord& r) { return r.cells.size() == 1 && r.cells[0].empty(); };
  while (!csv.records.empty() && empty(csv.records.back())) csv.records.pop_back();
  return csv;
}

}  // namespace winnow
