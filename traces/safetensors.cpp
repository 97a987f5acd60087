#include "traces/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "golden/error.h"
#include "traces/text.h"

namespace winnow {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "traces are mapped, so the host must be little-endian");

// The format's own limit; it also bounds what a lying length can make the parser do.
constexpr std::uint64_t kMaxHeader = 100'000'000;

constexpr struct {
  const char* name;
  std::uint64_t bytes;
} kDtypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"U16", 2}, {"I16", 2}, {"F16", 2},
               {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},     {"U64", 8},     {"I64", 8}, {"F64", 8}};

struct Reader {
  const std::string& file;

  [[noreturn]] void fail(const std::string& place, const std::string& value, const std::string& rule) const {
    throw Error(fmt::format("{}: {}: {}: {}", file, place, value, rule));
  }

  // JSON parsing that refuses duplicate keys, which nlohmann's parser would silently overwrite.
  Json parse_header(const char* begin, const char* end) const {
    std::vector<std::set<std::string>> open;
    auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
      if (event == Json::parse_event_t::object_start) open.emplace_back();
      if (event == Json::parse_event_t::object_end) open.pop_back();
      if (event == Json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second)
        fail("header", in_quotes(parsed.get<std::string>()), "key stands twice");
      return true;
    };
    try {
      return Json::parse(begin, end, watch);
    } catch (const Json::exception& e) {
      std::string what = e.what();
      if (const auto at = what.find("] "); at != std::string::npos) what = what.substr(at + 2);
      fail("header", in_quotes(what), "must be valid JSON");
    }
  }

  std::vector<std::uint64_t> unsigned_list(const std::string& place, const Json& value) const {
    std::vector<std::uint64_t> list;
    const auto require = [&](bool good, const Json& seen) {
      if (!good)
        fail(place, in_quotes(seen.dump(-1, ' ', true, Json::error_handler_t::replace)),
             "must be a list of integers >= 0");
    };
    require(value.is_array(), value);
    for (const Json& item : value) {
      require(item.is_number_unsigned(), item);
      list.push_back(item.get<std::uint64_t>());
    }
    return list;
  }

  SafeTensor tensor(const std::string& place, const Json& entry, std::span<const std::byte> body, std::uint64_t& begin,
                    std::uint64_t& end) const {
    if (!entry.is_object()) fail(place, "not an object", "a tensor needs dtype, shape and data_offsets");
    for (const char* key : {"dtype", "shape", "data_offsets"})
      if (!entry.contains(key)) fail(place, key, "is missing");
    SafeTensor tensor;
    if (!entry["dtype"].is_string()) fail(place + ".dtype", "not a string", "must name a type such as F16");
    tensor.dtype = entry["dtype"].get<std::string>();
    const auto* type = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                    [&](const auto& known) { return tensor.dtype == known.name; });
    if (type == std::end(kDtypes)) fail(place + ".dtype", in_quotes(tensor.dtype), "is no safetensors type");
    tensor.shape = unsigned_list(place + ".shape", entry["shape"]);
    const auto offsets = unsigned_list(place + ".data_offsets", entry["data_offsets"]);
    if (offsets.size() != 2)
      fail(place + ".data_offsets", fmt::format("{} numbers", offsets.size()), "must be [begin, end]");
    begin = offsets[0], end = offsets[1];
    const std::string range = fmt::format("[{}, {}]", begin, end);
    if (begin > end) fail(place + ".data_offsets", range, "begin must not be after end");
    if (end > body.size())
      fail(place + ".data_offsets", range, fmt::format("must end within the {} bytes after the header", body.size()));
    std::uint64_t need = type->bytes;
    for (const std::uint64_t extent : tensor.shape)
      if (__builtin_mul_overflow(need, extent, &need)) fail(place + ".shape", "product over 2^64", "does not fit");
    if (need != end - begin)
      fail(place + ".data_offsets", range, fmt::format("shape and dtype need {} bytes, not {}", need, end - begin));
    tensor.data = body.subspan(begin, end - begin);
    return tensor;
  }
};

}  // namespace

SafeTensors parse_safetensors(const std::string& name, std::span<const std::byte> file) {
  const Reader reader{name};
  if (file.size() < 8)
    reader.fail("header length", fmt::format("{} bytes in all", file.size()), "file must hold at least 8 bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  if (const std::uint64_t most = std::min<std::uint64_t>(kMaxHeader, file.size() - 8); length > most)
    reader.fail("header length", std::to_string(length), fmt::format("must be at most {}", most));
  const char* text = reinterpret_cast<const char*>(file.data()) + 8;
  const Json header = reader.parse_header(text, text + length);
  if (!header.is_object()) reader.fail("header", "not an object", "must be a JSON object");
  const auto body = file.subspan(8 + length);

  SafeTensors result;
  struct Range {
    std::uint64_t begin, end;
    std::string name;
  };
  std::vector<Range> ranges;
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") {
      if (!entry.is_object()) reader.fail("__metadata__", "not an object", "must map strings to strings");
      for (const auto& [field, value] : entry.items()) {
        if (!value.is_string()) reader.fail("__metadata__." + in_quotes(field), "not a string", "must be a string");
        result.metadata[field] = value.get<std::string>();
      }
      continue;
    }
    Range range{0, 0, in_quotes(key)};
    result.tensors[key] = reader.tensor("tensor " + range.name, entry, body, range.begin, range.end);
    ranges.push_back(range);
  }
  // In order of their place; an empty tensor sorts before the one that begins where it stands.
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t at = 0;
  for (const Range& range : ranges) {
    if (range.begin != at)
      reader.fail("tensor " + range.name + ".data_offsets", fmt::format("[{}, {}]", range.begin, range.end),
                  fmt::format("{} bytes {}..{}: tensors must follow each other without {}",
                              range.begin < at ? "overlaps" : "leaves out", std::min(at, range.begin),
                              std::max(at, range.begin), range.begin < at ? "overlap" : "gap"));
    at = range.end;
  }
  if (at != body.size())
    reader.fail("data", fmt::format("{} bytes", body.size()), fmt::format("the header's tensors cover {}", at));
  return result;
}

}  // namespace winnow
