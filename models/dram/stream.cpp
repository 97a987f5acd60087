#include "models/dram/stream.h"

#include <fmt/format.h>

#include <array>
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
#include "models/dram/address.h"
#include "models/prim/limits.h"

namespace winnow::dram {
namespace {

constexpr std::uint64_t kMaxRequestBytes = 1 << 20;
constexpr std::uint64_t kMaxCycle = 1'000'000'000'000;  // refreshes up to there are a minute's work

// What a line of a stream looks like.
struct Form {
  const char* shape;
  std::size_t words, operation, address;  // how many, and where
  std::string_view read, write;
  bool bare_is_hexadecimal;  // an address without 0x
  enum Last { nothing, bytes, cycle } last;
};
constexpr Form kForms[] = {
    {"R|W HEX BYTES", 3, 0, 1, "R", "W", true, Form::bytes},
    {"0xADDRESS R|W", 2, 1, 0, "R", "W", false, Form::nothing},
    {"LD|ST 0xADDRESS", 2, 0, 1, "LD", "ST", false, Form::nothing},
    {"0xADDRESS READ|WRITE CYCLE", 3, 1, 0, "READ", "WRITE", true, Form::cycle},
};

constexpr std::size_t kMostWords = 3;
struct Words {
  std::array<std::string_view, kMostWords + 1> word;  // one more than any form has
  std::size_t count = 0;
};

// By its operation and where that stands; nullptr if there is none.
const Form* form_of(const Words& words) {
  for (const Form& form : kForms)
    if (words.count > form.operation &&
        (words.word[form.operation] == form.read || words.word[form.operation] == form.write))
      return &form;
  return nullptr;
}

std::string known_forms() {
  std::string all;
  for (const Form& form : kForms) all += fmt::format("{}'{}'", all.empty() ? "" : " or ", form.shape);
  return all;
}

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
  const Form* form = nullptr;
  std::size_t form_line = 0;
  std::string_view rest = text;
  for (std::size_t line_number = 1; !rest.empty(); ++line_number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    line = line.substr(0, line.find('#'));
    const std::string_view whole = line;
    const auto fail = [&](std::string_view value, const std::string& rule) {
      throw Error(fmt::format("{}:{}: '{}': {}", file_name, line_number, value.substr(0, 60), rule));
    };
    Words words;
    for (std::string_view word; words.count <= kMostWords && !(word = next_word(line)).empty();)
      words.word[words.count++] = word;
    if (words.count == 0) continue;
    const Form* is = form_of(words);
    if (!is) fail(whole, fmt::format("a request must have the form {}", known_forms()));
    if (!form) form = is, form_line = line_number;
    if (is != form)
      fail(whole, fmt::format("is of the form '{}': all lines must have the form of line {}, '{}'", is->shape,
                              form_line, form->shape));
    if (words.count != form->words) fail(whole, fmt::format("a request must have the form {}", form->shape));

    const std::string_view address_word = words.word[form->address], op = words.word[form->operation];
    const bool hexadecimal =
        form->bare_is_hexadecimal || address_word.starts_with("0x") || address_word.starts_with("0X");
    const std::int64_t address = number(address_word, hexadecimal ? 16 : 10);
    if (address < 0)
      fail(address_word, hexadecimal ? "the address must be hexadecimal, at most 15 digits"
                                     : "the address must be decimal, or hexadecimal with 0x; at most 15 digits");
    std::int64_t bytes = 1;
    if (form->last == Form::bytes) {
      bytes = number(words.word[2], 10);
      if (bytes < 1 || static_cast<std::uint64_t>(bytes) > kMaxRequestBytes)
        fail(words.word[2], fmt::format("the size must be a decimal number of bytes in 1..{}", kMaxRequestBytes));
    }
    if (static_cast<std::uint64_t>(address + bytes) > channel_bytes)
      fail(address_word, fmt::format("the request must end inside the channel of {} bytes", channel_bytes));
    stream.add(op == form->write, static_cast<std::uint64_t>(address), static_cast<std::uint64_t>(bytes));
    if (form->last == Form::cycle) {
      const std::int64_t cycle = number(words.word[2], 10);
      if (cycle < 0 || static_cast<std::uint64_t>(cycle) > kMaxCycle)
        fail(words.word[2], fmt::format("the cycle must be a decimal number in 0..{}", kMaxCycle));
      stream.earliest.resize(stream.bursts.size(), static_cast<std::uint64_t>(cycle));
    }
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

}  // namespace winnow::dram
