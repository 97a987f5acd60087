#include "traces/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "golden/basis.h"
#include "golden/error.h"
#include "traces/build.h"
#include "traces/mapped_file.h"
#include "traces/safetensors.h"
#include "traces/synthetic.h"
#include "traces/text.h"

namespace winnow {
namespace {

constexpr const char* kTensorNames[] = {"q", "k", "v"};

// Reads the strings of __metadata__ into numbers; each failure names the key.
struct MetaReader {
  const std::string& file;
  const std::map<std::string, std::string>& fields;

  [[noreturn]] void fail(const std::string& key, const std::string& value, const std::string& rule) const {
    throw Error(fmt::format("{}: __metadata__.{}: {}: {}", file, key, value, rule));
  }
  const std::string& text(const char* key) const {
    const auto at = fields.find(key);
    if (at == fields.end()) fail(key, "missing", "the trace format requires it");
    return at->second;
  }
  int positive(const char* key) const {
    const std::string& value = text(key);
    int number = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (ec != std::errc{} || end != value.data() + value.size() || number < 1)
      fail(key, in_quotes(value), "must be an integer >= 1");
    return number;
  }
  bool boolean(const char* key) const {
    const std::string& value = text(key);
    if (value != "true" && value != "false") fail(key, in_quotes(value), "must be true or false");
    return value == "true";
  }
  double positive_real(const char* key) const {
    const std::string& value = text(key);
    double number = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (ec != std::errc{} || end != value.data() + value.size() || !std::isfinite(number) || number <= 0)
      fail(key, in_quotes(value), "must be a number > 0");
    return number;
  }
};

TraceMeta read_meta(const std::string& file, const std::map<std::string, std::string>& fields) {
  const MetaReader reader{file, fields};
  if (reader.text("format") != "winnow-trace-1")
    reader.fail("format", in_quotes(reader.text("format")), "must be 'winnow-trace-1'");
  TraceMeta meta;
  meta.model = reader.text("model");
  meta.licence = reader.text("licence");
  meta.source = reader.text("source");
  meta.tool = reader.text("tool");
  meta.layers = reader.positive("layers");
  meta.heads = reader.positive("heads");
  meta.kv_heads = reader.positive("kv_heads");
  meta.head_dim = reader.positive("head_dim");
  meta.tokens = reader.positive("tokens");
  meta.prompt = reader.positive("prompt");
  meta.causal = reader.boolean("causal");
  meta.attention_scale = reader.positive_real("attention_scale");
  return meta;
}

// Any exponent of all ones is an infinity or a NaN. The first pass has no branch, so it vectorises.
template <class Word>
std::size_t first_nonfinite(std::span<const std::byte> data, Word exponent) {
  const std::size_t count = data.size() / sizeof(Word);
  constexpr std::size_t kBlock = 4096;
  for (std::size_t base = 0; base < count; base += kBlock) {
    const std::size_t n = std::min(kBlock, count - base);
    Word words[kBlock];
    std::memcpy(words, data.data() + base * sizeof(Word), n * sizeof(Word));
    Word bad = 0;
    for (std::size_t i = 0; i < n; ++i) bad |= static_cast<Word>((words[i] & exponent) == exponent);
    if (bad == 0) continue;
    for (std::size_t i = 0;; ++i)
      if ((words[i] & exponent) == exponent) return base + i;
  }
  return count;
}

constexpr struct {
  const char* code;  // in the file
  TraceDtype dtype;
} kDtypes[] = {{"F16", TraceDtype::f16}, {"BF16", TraceDtype::bf16}, {"F32", TraceDtype::f32}};

// dst[count] from values that need not be aligned.
void widen(TraceDtype dtype, const std::byte* values, std::size_t count, float* dst) {
  if (dtype == TraceDtype::f32) {
    std::memcpy(dst, values, 4 * count);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t word;
    std::memcpy(&word, values + 2 * i, 2);
    dst[i] = dtype == TraceDtype::f16 ? half_to_float(word) : bfloat_to_float(word);
  }
}

void check_finite(const std::string& file, const std::string& tensor, TraceDtype dtype, const TraceMeta& meta,
                  std::span<const std::byte> data) {
  const auto bytes = static_cast<std::size_t>(bytes_of(dtype));
  const std::size_t count = data.size() / bytes;
  const std::size_t at = dtype == TraceDtype::f16    ? first_nonfinite<std::uint16_t>(data, 0x7c00u)
                         : dtype == TraceDtype::bf16 ? first_nonfinite<std::uint16_t>(data, 0x7f80u)
                                                     : first_nonfinite<std::uint32_t>(data, 0x7f800000u);
  if (at == count) return;
  const std::size_t row = static_cast<std::size_t>(meta.head_dim), head = row * static_cast<std::size_t>(meta.tokens);
  float value = 0;
  widen(dtype, data.data() + bytes * at, 1, &value);
  throw Error(fmt::format("{}: tensor '{}'[{}, {}, {}]: {}: must be finite", file, tensor, at / head, at % head / row,
                          at % row, std::isnan(value) ? "nan" : (value > 0 ? "inf" : "-inf")));
}

std::string shape_text(const std::vector<std::uint64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

const SafeTensor& find_tensor(const std::string& file, const SafeTensors& all, const std::string& name) {
  const auto at = all.tensors.find(name);
  if (at == all.tensors.end())
    throw Error(fmt::format("{}: tensor '{}': missing: the trace format requires it", file, name));
  return at->second;
}

void require_shape(const std::string& file, const std::string& name, const SafeTensor& tensor,
                   const std::vector<std::uint64_t>& shape) {
  if (tensor.shape != shape)
    throw Error(fmt::format("{}: tensor '{}': shape {}: metadata says {}", file, name, shape_text(tensor.shape),
                            shape_text(shape)));
}

// A tensor's values, F32, U8 or I32 as Value is, behind those that are there.
template <class Value>
void append_values(const std::string& file, const std::string& name, const SafeTensor& tensor,
                   const std::vector<std::uint64_t>& shape, std::vector<Value>& to) {
  const std::string dtype = std::is_same_v<Value, float> ? "F32" : std::is_same_v<Value, std::uint8_t> ? "U8" : "I32";
  if (tensor.dtype != dtype)
    throw Error(fmt::format("{}: tensor '{}': {}: dtype must be {}", file, name, tensor.dtype, dtype));
  require_shape(file, name, tensor, shape);
  const std::size_t at = to.size();
  to.resize(at + tensor.data.size() / sizeof(Value));
  if (to.size() > at) std::memcpy(&to[at], tensor.data.data(), tensor.data.size());
}

// The basis of keys: all of its tensors in every layer, or none.
std::shared_ptr<const golden::KeyBasis> read_key_basis(const std::string& file, const SafeTensors& all,
                                                       const TraceMeta& meta) {
  auto basis = std::make_shared<golden::KeyBasis>();
  basis->head_dim = static_cast<std::size_t>(meta.head_dim);
  const auto heads = static_cast<std::uint64_t>(meta.kv_heads), D = static_cast<std::uint64_t>(meta.head_dim);
  const struct {
    const char* name;
    std::vector<std::uint64_t> shape;
    std::vector<float>& to;
  } parts[] = {{"key_basis", {heads, D, D}, basis->transform},
               {"key_mean", {heads, D}, basis->mean},
               {"key_range", {heads, D}, basis->range}};
  bool any = false;
  for (int layer = 0; layer < meta.layers; ++layer)
    for (const auto& part : parts) any = any || all.tensors.contains(fmt::format("layers.{}.{}", layer, part.name));
  if (!any) return nullptr;
  for (int layer = 0; layer < meta.layers; ++layer)
    for (const auto& part : parts) {
      const std::string name = fmt::format("layers.{}.{}", layer, part.name);
      append_values(file, name, find_tensor(file, all, name), part.shape, part.to);
    }
  golden::check_basis(file + ": key basis", *basis, meta.layers, meta.kv_heads, meta.head_dim);
  return basis;
}

// A tensor that a file may have: F32, U8 or I32 as Value is, each value within the range. Empty where it has none.
template <class Value>
std::vector<Value> read_optional(const std::string& file, const SafeTensors& all, const std::string& name,
                                 const std::vector<std::uint64_t>& shape, Value least, Value most, const char* rule) {
  const auto at = all.tensors.find(name);
  if (at == all.tensors.end()) return {};
  std::vector<Value> values;
  append_values(file, name, at->second, shape, values);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= least && values[i] <= most)) {
      std::vector<std::uint64_t> place(shape.size());
      std::uint64_t rest = i;
      for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) place[d] = rest % shape[d];
      throw Error(fmt::format("{}: tensor '{}'{}: {}: must be {}", file, name, shape_text(place), values[i], rule));
    }
  return values;
}

std::shared_ptr<const golden::HeadTensors> read_head_tensors(const std::string& file, const SafeTensors& all,
                                                             const TraceMeta& meta) {
  const auto layers = static_cast<std::uint64_t>(meta.layers), kv_heads = static_cast<std::uint64_t>(meta.kv_heads);
  const auto tokens = static_cast<std::uint64_t>(meta.tokens), heads = static_cast<std::uint64_t>(meta.heads);
  const auto generated = static_cast<std::uint64_t>(meta.generated());
  constexpr float kMost = std::numeric_limits<float>::max();
  auto of = std::make_shared<golden::HeadTensors>();
  of->scores = read_optional<float>(file, all, "head_scores", {layers, kv_heads}, -kMost, kMost, "finite");
  of->distances = read_optional<float>(file, all, "head_distances", {layers, kv_heads}, -kMost, kMost, "finite");
  of->weights = read_optional<float>(file, all, "head_weights", {layers, heads, tokens}, 0, 1, "0..1");
  of->mask = read_optional<std::uint8_t>(file, all, "mask", {layers, kv_heads, generated, tokens}, 0, 1, "0 or 1");
  of->clusters = read_optional<std::int32_t>(file, all, "clusters", {layers, kv_heads, tokens}, 0,
                                             std::numeric_limits<std::int32_t>::max(), "0 or above");
  of->key_basis = read_key_basis(file, all, meta);
  return of;
}

// A layer beyond those that the metadata names means that one of the two is wrong.
void refuse_extra_layers(const std::string& file, const SafeTensors& all, int layers) {
  for (const auto& [name, tensor] : all.tensors) {
    int layer = 0;
    if (!name.starts_with("layers.")) continue;
    const auto [end, ec] = std::from_chars(name.data() + 7, name.data() + name.size(), layer);
    if (ec == std::errc{} && *end == '.' && layer >= layers)
      throw Error(
          fmt::format("{}: tensor {}: layer {}: metadata says {} layers", file, in_quotes(name), layer, layers));
  }
}

}  // namespace

float half_to_float(std::uint16_t half) {
  // The half's exponent and fraction, moved to a float's place, read 2^112 too small, subnormals included.
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16, rest = half & 0x7fffu;
  if (rest >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((rest & 0x3ffu) << 13));
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest << 13) * 0x1p112f));
}

void check_trace_meta(const std::string& name, const TraceMeta& meta) {
  const auto fail = [&](const char* key, int value, const std::string& rule) {
    throw Error(fmt::format("{}: {}: {}: {}", name, key, value, rule));
  };
  for (const auto& [key, value] : {std::pair{"layers", meta.layers},
                                   {"heads", meta.heads},
                                   {"kv_heads", meta.kv_heads},
                                   {"head_dim", meta.head_dim},
                                   {"tokens", meta.tokens},
                                   {"prompt", meta.prompt}})
    if (value < 1) fail(key, value, "must be an integer >= 1");
  if (meta.head_dim % 8 != 0) fail("head_dim", meta.head_dim, "must be a multiple of 8");
  if (meta.heads % meta.kv_heads != 0)
    fail("heads", meta.heads, fmt::format("must be a multiple of kv_heads ({})", meta.kv_heads));
  if (meta.prompt > meta.tokens) fail("prompt", meta.prompt, fmt::format("must be at most tokens ({})", meta.tokens));
  if (!meta.causal && meta.prompt != meta.tokens)
    fail("prompt", meta.prompt, fmt::format("must equal tokens ({}) when the model is not causal", meta.tokens));
}

Trace Trace::open(const std::string& path) {
  if (is_synthetic(path)) return make_synthetic(parse_synthetic(path));
  auto mapped = std::make_shared<const MappedFile>(path);
  const SafeTensors all = parse_safetensors(path, mapped->bytes());
  Trace trace;
  trace.name_ = path;
  trace.file_ = mapped->bytes();
  trace.bytes_ = trace.file_.size();
  trace.storage_ = mapped;
  trace.meta_ = read_meta(path, all.metadata);
  const TraceMeta& meta = trace.meta_;
  trace.metadata_ = all.metadata;
  check_trace_meta(path + ": __metadata__", meta);
  refuse_extra_layers(path, all, meta.layers);

  const auto tokens = static_cast<std::uint64_t>(meta.tokens), dim = static_cast<std::uint64_t>(meta.head_dim);
  const SafeTensor& ids = find_tensor(path, all, "token_ids");
  if (ids.dtype != "I32") throw Error(fmt::format("{}: tensor 'token_ids': {}: dtype must be I32", path, ids.dtype));
  require_shape(path, "token_ids", ids, {tokens});
  trace.token_ids_.resize(tokens);
  std::memcpy(trace.token_ids_.data(), ids.data.data(), ids.data.size());

  trace.head_tensors_ = read_head_tensors(path, all, meta);

  std::string first_dtype;
  for (int layer = 0; layer < meta.layers; ++layer) {
    for (int which = 0; which < 3; ++which) {
      const std::string name = fmt::format("layers.{}.{}", layer, kTensorNames[which]);
      const SafeTensor& tensor = find_tensor(path, all, name);
      if (first_dtype.empty()) first_dtype = tensor.dtype;
      const auto* type = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                      [&](const auto& known) { return tensor.dtype == known.code; });
      if (type == std::end(kDtypes))
        throw Error(fmt::format("{}: tensor '{}': {}: dtype must be F16, BF16 or F32", path, name, tensor.dtype));
      if (tensor.dtype != first_dtype)
        throw Error(fmt::format("{}: tensor '{}': {}: all must have the dtype of layers.0.q, {}", path, name,
                                tensor.dtype, first_dtype));
      const auto heads = static_cast<std::uint64_t>(trace.head_count(static_cast<TraceTensor>(which)));
      require_shape(path, name, tensor, {heads, tokens, dim});
      trace.dtype_ = type->dtype;
      check_finite(path, name, trace.dtype_, meta, tensor.data);
      trace.tensors_.push_back(tensor.data.data());
    }
  }
  return trace;
}

void Trace::read(TraceTensor which, int layer, int head, int first, int count, float* dst) const {
  const auto dim = static_cast<std::size_t>(meta_.head_dim), tokens = static_cast<std::size_t>(meta_.tokens);
  if (layer < 0 || layer >= meta_.layers || head < 0 || head >= head_count(which) || first < 0 || count < 0 ||
      first > meta_.tokens - count)
    throw Error(fmt::format("{}: layers.{}.{}[{}, {}..{}]: outside the trace", name_, layer,
                            kTensorNames[static_cast<int>(which)], head, first, first + count));
  const std::byte* tensor = tensors_[3 * static_cast<std::size_t>(layer) + static_cast<std::size_t>(which)];
  const std::size_t at = (static_cast<std::size_t>(head) * tokens + static_cast<std::size_t>(first)) * dim;
  widen(dtype_, tensor + static_cast<std::size_t>(bytes_of(dtype_)) * at, static_cast<std::size_t>(count) * dim, dst);
}

std::string Trace::sha256() const {
  Sha256 digest;
  if (!file_.empty()) {
    digest.add(file_);
    return digest.hex();
  }
  const std::string text =
      fmt::format("{} {} {} {} {} {} {} {} {:.17g}\n", meta_.model, meta_.layers, meta_.heads, meta_.kv_heads,
                  meta_.head_dim, meta_.tokens, meta_.prompt, meta_.causal, meta_.attention_scale);
  digest.add(std::as_bytes(std::span(text)));
  digest.add(std::as_bytes(std::span(token_ids_)));
  const std::size_t row = 4 * static_cast<std::size_t>(meta_.tokens) * static_cast<std::size_t>(meta_.head_dim);
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    digest.add({tensors_[i], row * static_cast<std::size_t>(head_count(static_cast<TraceTensor>(i % 3)))});
  return digest.hex();
}

}  // namespace winnow
