#pragma once
// Output that a full disk or a kill leaves readable: rows written one by one, whole files renamed into place.
#include <string>
#include <vector>

namespace winnow {

// The file is there whole, or not at all: written under a temporary name, synced, renamed.
// Throws Error `path: write: reason: rule`.
void write_whole(const std::string& path, const std::string& text);
// Throws Error.
std::string read_whole(const std::string& path);

// CSV whose every row reaches the system before the next begins. After a kill, the last line may lack its end (and its
// newline) where the row crosses a page of memory: readers drop a line without a newline.
class CsvFile {
 public:
  // Replaces what was there. Column names carry their unit: "cycles", "key_msb_bytes".
  CsvFile(const std::string& path, const std::vector<std::string>& columns);
  ~CsvFile();
  CsvFile(const CsvFile&) = delete;
  CsvFile& operator=(const CsvFile&) = delete;

  // One cell a column, else Error. A row that did not fit is cut off again, so the rows before it stay readable.
  void row(const std::vector<std::string>& cells);
  void sync();

 private:
  [[noreturn]] void fail(int reason) const;
  void write(const std::vector<std::string>& cells);

  std::string path_;
  std::size_t columns_;
  int fd_;
  long long good_ = 0;  // bytes of whole rows
};

}  // namespace winnow
