#include "models/hbm2/stream.h"

#include <fmt/format.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>

#include "golden/error.h"
#include "models/hbm2/address.h"
#include "models/prim/limits.h"

namespace winnow::hbm2 {
namespace {

constexpr std::uint64_t kMaxRequestBytes = 1 << 20;

std::string_view next_word(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return line = {};
  const std::size_t end = line.find_first_of(" \t", begin);
  const std::string_view word = line.substr(begin, end == std::string_view::npos ? end : end - begin);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end);
  return word;
}

// -1: not a number of that base, or more than 16 digits.
std::int64_t number(std::string_view word, int base) {
  if (base == 16 && word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) word.remove_prefix(2);
  if (word.empty() || word.size() > 15) return -1;
  std::int64_t v = 0;
  for (const char c : word) {
    int digit = -1;
    if (c >= '0' && c <= '9')
      digit = c - '0';
    else if (c >= 'a' && c <= 'f')
      digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
      digit = c - 'A' + 10;
    if (digit < 0 || digit >= base) return -1;
    v = v * base + digit;
  }
  return v;
}

}  // namespace

void RequestStream::add(bool write, std::uint64_t address, std::uint64_t bytes) {
  ++requests;
  const std::uint64_t mask = ~std::uint64_t{kBurstBytes - 1};
  for (std::uint64_t a = address & mask; a < address + bytes; a += kBurstBytes) {
    bursts.push_back({a, write});
    ++(write ? writes : reads);
  }
}

RequestStream parse_stream(const std::string& text, const std::string& file_name, std::uint64_t channel_bytes) {
  RequestStream stream;
  stream.bursts.reserve(text.size() / 10);
  std::string_view rest = text;
  for (std::size_t line_number = 1; !rest.empty(); ++line_number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::string_view whole = line;
    const auto fail = [&](std::string_view value, const std::string& rule) {
      throw Error(fmt::format("{}:{}: '{}': {}", file_name, line_number, value.substr(0, 60), rule));
    };
    const std::string_view op = next_word(line);
    if (op.empty() || op[0] == '#') continue;
    const std::string_view address_word = next_word(line), bytes_word = next_word(line), more = next_word(line);
    if (op != "R" && op != "W") fail(op, "a request must begin with R or W");
    if (bytes_word.empty() || !more.empty())
      fail(whole, "a request must be R|W, a hexadecimal address, a number of bytes");
    const std::int64_t address = number(address_word, 16), bytes = number(bytes_word, 10);
    if (address < 0) fail(address_word, "the address must be hexadecimal, at most 15 digits");
    if (bytes < 1 || static_cast<std::uint64_t>(bytes) > kMaxRequestBytes)
      fail(bytes_word, fmt::format("the size must be a decimal number of bytes in 1..{}", kMaxRequestBytes));
    if (static_cast<std::uint64_t>(address + bytes) > channel_bytes)
      fail(address_word, fmt::format("the request must end inside the channel of {} bytes", channel_bytes));
    stream.add(op == "W", static_cast<std::uint64_t>(address), static_cast<std::uint64_t>(bytes));
  }
  if (stream.requests == 0)
    throw Error(fmt::format("{}: holds no request; a stream must have at least one", file_name));
  return stream;
}

RequestStream read_stream(const std::string& path, std::uint64_t channel_bytes) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in && !std::filesystem::is_directory(path))
    text << in.rdbuf();
  else
    in.setstate(std::ios::failbit);
  if (!in) throw Error(fmt::format("{}: cannot be read as a request stream", path));
  return parse_stream(text.str(), path, channel_bytes);
}

void write_ramulator_trace(const std::string& path, const RequestStream& stream, const Spec& spec,
                           const std::string& mapping, int pseudo_channels) {
  const AddressMap map(spec, mapping, pseudo_channels);
  const auto bits = [](int n) { return static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(n))); };
  const unsigned bank_bits = bits(spec.banks), group_bits = bits(spec.bank_groups), pseudo_bits = bits(pseudo_channels);
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  if (!file) throw Error(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  bool failed = false;
  for (const StreamBurst& b : stream.bursts) {
    const Place p = map(b.address);
    const std::uint64_t bank = p.bank & (spec.banks - 1), group = p.bank >> bank_bits & (spec.bank_groups - 1),
                        pseudo = p.bank >> (bank_bits + group_bits);
    std::uint64_t a = p.row;
    a = a << bank_bits | bank;
    a = a << group_bits | group;
    a = a << pseudo_bits | pseudo;
    a = a << bits(spec.columns) | p.column;
    a <<= bits(spec.burst_bytes);
    failed |= std::fprintf(file.get(), "%s 0x%llx\n", b.write ? "ST" : "LD", static_cast<unsigned long long>(a)) < 0;
  }
  failed |= std::fflush(file.get()) != 0;
  if (failed) throw Error(fmt::format("{}: could not be written whole: {}", path, std::strerror(errno)));
}

}  // namespace winnow::hbm2
