#include "sim/results/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "golden/error.h"

namespace winnow {
namespace {

[[noreturn]] void fail_write(const std::string& path, int reason, const char* rule) {
  throw Error(fmt::format("{}: write: {}: {}", path, std::strerror(reason), rule));
}

// 0, or the reason.
int write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : ENOSPC;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return 0;
}

}  // namespace

void write_whole(const std::string& path, const std::string& text) {
  constexpr const char* kRule = "the file was not written";
  const std::string partial = path + ".partial";
  const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail_write(path, errno, kRule);
  int reason = write_all(fd, text.data(), text.size());
  if (reason == 0 && ::fsync(fd) != 0) reason = errno;
  if (::close(fd) != 0 && reason == 0) reason = errno;
  if (reason == 0 && ::rename(partial.c_str(), path.c_str()) != 0) reason = errno;
  if (reason != 0) {
    ::unlink(partial.c_str());
    fail_write(path, reason, kRule);
  }
  // The rename itself is safe once the folder is synced; where a file system cannot, the file is there all the same.
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (const int dir = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
}

std::string read_whole(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (errno != 0) throw Error(path + ": open: " + std::strerror(errno));
  return text.str();
}

CsvFile::CsvFile(const std::string& path, const std::vector<std::string>& columns)
    : path_(path), columns_(columns.size()), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (fd_ < 0) fail(errno);
  try {
    write(columns);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

CsvFile::~CsvFile() { ::close(fd_); }

void CsvFile::fail(int reason) const { fail_write(path_, reason, "the rows before stay readable"); }

void CsvFile::row(const std::vector<std::string>& cells) {
  if (cells.size() != columns_)
    throw Error(fmt::format("{}: row: {} cells: must be {}", path_, cells.size(), columns_));
  write(cells);
}

void CsvFile::write(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += ',';
    line += cell;
  }
  line += '\n';
  if (const int reason = write_all(fd_, line.data(), line.size()); reason != 0) {
    // A device such as /dev/full cannot be cut; then nothing was written either.
    if (::ftruncate(fd_, good_) == 0) ::lseek(fd_, good_, SEEK_SET);
    fail(reason);
  }
  good_ += static_cast<long long>(line.size());
}

void CsvFile::sync() {
  if (::fsync(fd_) != 0 && errno != EINVAL) fail(errno);
}

}  // namespace winnow
