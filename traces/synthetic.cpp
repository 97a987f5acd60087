#include "traces/synthetic.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "golden/basis.h"
#include "golden/error.h"
#include "traces/build.h"
#include "traces/text.h"

namespace winnow {
namespace {

constexpr std::string_view kPrefix = "synthetic:";
constexpr std::int64_t kMostMaskEntries = std::int64_t{1} << 26;

std::uint64_t mix(std::uint64_t x) {  // splitmix64's finalizer
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

class Generator {  // xorshift64*
 public:
  explicit Generator(std::uint64_t seed) : state_(mix(seed) | 1) {}
  std::uint32_t bits() {
    state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>((state_ * 0x2545f4914f6cdd1du) >> 32);
  }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((std::uint64_t{bits()} * n) >> 32); }
  // Close to N(0, 1): eight uniform 16-bit integers, summed exactly, then scaled once.
  float normal() {
    std::int32_t sum = 0;
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t two = bits();
      sum += static_cast<std::int32_t>(two & 0xffffu) + static_cast<std::int32_t>(two >> 16);
    }
    return static_cast<float>(sum - 262140) * (1.2247449f / 65536.0f);  // variance of the sum: 8/12 * 65536^2
  }

 private:
  std::uint64_t state_;
};

// One KV head and its group's queries. Rows of [tokens][D] at k, v and at q[0..group-1].
void fill_head(Generator gen, const TraceMeta& meta, float* k, float* v, float* q) {
  const int tokens = meta.tokens, dim = meta.head_dim, group = meta.group();
  const auto at = [dim](int row, int channel) { return static_cast<std::size_t>(row) * dim + channel; };
  std::vector<float> offset(dim), bulk(dim), common(dim);
  for (int c = 0; c < dim; ++c) {
    const bool outlier = gen.below(16) == 0;
    offset[c] = gen.normal() * (outlier ? 6.0f : 0.3f);
    bulk[c] = outlier ? 2.0f : 1.0f;
    common[c] = gen.normal();
  }
  for (int t = 0; t < tokens; ++t) {
    const float loudness = 0.7f + static_cast<float>(gen.below(1024)) / 1024.0f * 0.6f;
    for (int c = 0; c < dim; ++c) {
      k[at(t, c)] = t == 0 ? 1.6f * common[c] : offset[c] + bulk[c] * gen.normal();
      v[at(t, c)] = gen.normal() * (t == 0 ? 0.1f : loudness);
    }
  }
  for (int h = 0; h < group; ++h) {
    float* rows = q + static_cast<std::size_t>(h) * tokens * dim;
    for (int t = 0; t < tokens; ++t) {
      for (int c = 0; c < dim; ++c) rows[at(t, c)] = 0.8f * gen.normal() + 0.3f * common[c];
      // What this query looks for: up to three tokens that it may attend to, near ones more often.
      const int reach = meta.causal ? t + 1 : tokens;
      for (int n = 0; n < 3; ++n) {
        const int back = static_cast<int>(gen.below(static_cast<std::uint32_t>(gen.below(reach) + 1)));
        const int target = meta.causal ? t - back : back;
        const float pull = 0.25f + static_cast<float>(gen.below(256)) / 1024.0f;
        for (int c = 0; c < dim; ++c) rows[at(t, c)] += pull * (k[at(target, c)] - offset[c]);
      }
    }
  }
}

// What a model trained for it would say of its heads, at random.
golden::HeadTensors random_head_tensors(std::uint64_t seed, const TraceMeta& meta) {
  golden::HeadTensors of;
  const auto generator = [seed](std::uint64_t stream) { return Generator(mix(seed) ^ mix(~stream)); };
  const int lists = meta.layers * meta.kv_heads;
  // Any order of heads will do; equal scores are among them.
  Generator scores = generator(0), distances = generator(1), weights = generator(2), mask = generator(3),
            clusters = generator(4);
  for (int i = 0; i < lists; ++i) of.scores.push_back(static_cast<float>(scores.below(64)) / 64.0f);
  for (int i = 0; i < lists; ++i) of.distances.push_back(static_cast<float>(distances.below(64)) / 64.0f);
  // A router leaves out every fourth head, but for each layer's first.
  for (int layer = 0; layer < meta.layers; ++layer)
    for (int head = 0; head < meta.heads; ++head)
      for (int t = 0; t < meta.tokens; ++t) {
        const bool off = weights.below(4) == 0 && head != 0;
        of.weights.push_back(off ? 0.0f : static_cast<float>(1 + weights.below(256)) / 256.0f);
      }
  // A quarter of the tokens. A sentence whose mask would be larger than its values has none.
  const std::int64_t entries = std::int64_t{lists} * meta.generated() * meta.tokens;
  for (std::int64_t i = entries <= kMostMaskEntries ? entries : 0; i > 0; --i) of.mask.push_back(mask.below(4) == 0);
  for (std::int64_t i = std::int64_t{lists} * meta.tokens; i > 0; --i)
    of.clusters.push_back(static_cast<std::int32_t>(clusters.below(8)));
  return of;
}

// A basis of the keys of one head, k [tokens][D]: two reflections, and rows that fade to an eighth, so that some
// channels need many bits and some none. The mean and the ranges are those of the prompt behind its first token.
void add_basis(Generator gen, const TraceMeta& meta, const float* k, golden::KeyBasis& basis) {
  const auto D = static_cast<std::size_t>(meta.head_dim);
  std::vector<double> axis[2], mean(D), x(D), largest(D);
  for (auto& a : axis) {
    double size = 0;
    for (std::size_t d = 0; d < D; ++d) a.push_back(gen.normal()), size += a[d] * a[d];
    for (double& y : a) y /= std::sqrt(size);
  }
  const auto turn = [&](std::vector<double>& y) {
    for (const auto& a : axis) {
      double along = 0;
      for (std::size_t d = 0; d < D; ++d) along += a[d] * y[d];
      for (std::size_t d = 0; d < D; ++d) y[d] -= 2 * along * a[d];
    }
    for (std::size_t d = 0; d < D; ++d) y[d] /= static_cast<double>(1u << (4 * d / D));
  };
  const std::size_t at = basis.transform.size();
  basis.transform.resize(at + D * D);
  for (std::size_t j = 0; j < D; ++j) {
    std::fill(x.begin(), x.end(), 0.0);
    x[j] = 1;
    turn(x);
    for (std::size_t i = 0; i < D; ++i) basis.transform[at + i * D + j] = static_cast<float>(x[i]);
  }
  const std::size_t first = meta.prompt > 1 ? 1 : 0, end = static_cast<std::size_t>(meta.prompt);
  for (std::size_t t = first; t < end; ++t)
    for (std::size_t d = 0; d < D; ++d) mean[d] += k[t * D + d];
  for (double& y : mean) y /= static_cast<double>(end - first);
  for (std::size_t t = first; t < end; ++t) {
    for (std::size_t d = 0; d < D; ++d) x[d] = k[t * D + d] - mean[d];
    turn(x);
    for (std::size_t d = 0; d < D; ++d) largest[d] = std::max(largest[d], std::fabs(x[d]));
  }
  for (std::size_t d = 0; d < D; ++d) {
    basis.mean.push_back(static_cast<float>(mean[d]));
    basis.range.push_back(static_cast<float>(largest[d]));
  }
}

}  // namespace

Trace TraceBuilder::build() && {
  check_trace_meta(name, meta);
  const std::size_t head = static_cast<std::size_t>(meta.tokens) * meta.head_dim;
  if (token_ids.size() != static_cast<std::size_t>(meta.tokens) || tensors.size() != 3u * meta.layers)
    throw Error(fmt::format("{}: {} token ids, {} tensors: must be {} and {}", name, token_ids.size(), tensors.size(),
                            meta.tokens, 3 * meta.layers));
  auto owned = std::make_shared<std::vector<std::vector<float>>>(std::move(tensors));
  Trace trace;
  trace.meta_ = std::move(meta);
  trace.name_ = std::move(name);
  trace.token_ids_ = std::move(token_ids);
  trace.head_tensors_ = std::make_shared<const golden::HeadTensors>(std::move(head_tensors));
  for (std::size_t i = 0; i < owned->size(); ++i) {
    const std::vector<float>& values = (*owned)[i];
    const std::size_t need = head * trace.head_count(static_cast<TraceTensor>(i % 3));
    if (values.size() != need)
      throw Error(fmt::format("{}: tensor {}: {} values: must be {}", trace.name_, i, values.size(), need));
    trace.bytes_ += 4 * values.size();
    trace.tensors_.push_back(reinterpret_cast<const std::byte*>(values.data()));
  }
  trace.storage_ = std::move(owned);
  return trace;
}

Trace make_synthetic(const SyntheticSpec& spec) {
  TraceBuilder builder;
  TraceMeta& meta = builder.meta;
  meta.model = "synthetic", meta.licence = "none needed", meta.tool = "winnow synthetic-1";
  meta.source = fmt::format("seed {}", spec.seed);
  meta.layers = spec.layers, meta.heads = spec.heads, meta.kv_heads = spec.kv_heads, meta.head_dim = spec.head_dim;
  meta.tokens = spec.tokens, meta.prompt = spec.prompt == 0 ? spec.tokens : spec.prompt, meta.causal = spec.causal;
  builder.name = fmt::format("{}layers={},heads={},kv_heads={},head_dim={},tokens={},prompt={},causal={},seed={}",
                             kPrefix, meta.layers, meta.heads, meta.kv_heads, meta.head_dim, meta.tokens, meta.prompt,
                             meta.causal ? 1 : 0, spec.seed);
  check_trace_meta(builder.name, meta);
  meta.attention_scale = 1.0 / std::sqrt(static_cast<double>(meta.head_dim));

  Generator words(mix(spec.seed));
  for (int t = 0; t < meta.tokens; ++t) builder.token_ids.push_back(static_cast<std::int32_t>(words.below(30000)));
  builder.head_tensors = random_head_tensors(spec.seed, meta);
  const std::size_t head = static_cast<std::size_t>(meta.tokens) * meta.head_dim;
  auto basis = std::make_shared<golden::KeyBasis>();
  basis->head_dim = static_cast<std::size_t>(meta.head_dim);
  for (int layer = 0; layer < meta.layers; ++layer) {
    std::vector<float> q(head * meta.heads), k(head * meta.kv_heads), v(head * meta.kv_heads);
    for (int h = 0; h < meta.kv_heads; ++h) {
      const std::uint64_t place = (static_cast<std::uint64_t>(layer) << 32) | static_cast<std::uint32_t>(h + 1);
      fill_head(Generator(mix(spec.seed) ^ mix(place)), meta, k.data() + h * head, v.data() + h * head,
                q.data() + static_cast<std::size_t>(h) * meta.group() * head);
      add_basis(Generator(mix(spec.seed) ^ mix(place | std::uint64_t{1} << 63)), meta, k.data() + h * head, *basis);
    }
    builder.tensors.push_back(std::move(q));
    builder.tensors.push_back(std::move(k));
    builder.tensors.push_back(std::move(v));
  }
  builder.head_tensors.key_basis = std::move(basis);
  return std::move(builder).build();
}

bool is_synthetic(const std::string& text) { return text.starts_with(kPrefix); }

SyntheticSpec parse_synthetic(const std::string& text) {
  SyntheticSpec spec;
  bool kv_given = false;
  const auto fail = [&](std::string_view key, std::string_view value, const std::string& rule) {
    throw Error(
        fmt::format("synthetic trace: {}: {}: {}", in_quotes(std::string(key)), in_quotes(std::string(value)), rule));
  };
  std::string_view rest = std::string_view(text).substr(kPrefix.size());
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    const std::string_view value = equals == item.npos ? std::string_view{} : item.substr(equals + 1);
    std::uint64_t number = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool whole = ec == std::errc{} && end == value.data() + value.size();
    struct Field {
      std::string_view key;
      int* target;
      std::uint64_t low, high;
    };
    // The upper limits keep a slip of the pen from asking for more memory than there is.
    const Field fields[] = {{"layers", &spec.layers, 1, 1024},     {"heads", &spec.heads, 1, 1024},
                            {"kv_heads", &spec.kv_heads, 1, 1024}, {"head_dim", &spec.head_dim, 8, 1024},
                            {"tokens", &spec.tokens, 1, 1u << 20}, {"prompt", &spec.prompt, 0, 1u << 20}};
    bool known = key == "causal" || key == "seed";
    if (known && (!whole || (key == "causal" && number > 1)))
      fail(key, value, key == "causal" ? "must be 0 or 1" : "must be an integer >= 0");
    if (key == "causal") spec.causal = number == 1;
    if (key == "seed") spec.seed = number;
    for (const Field& field : fields) {
      if (field.key != key) continue;
      if (!whole || number < field.low || number > field.high)
        fail(key, value, fmt::format("must be an integer {}..{}", field.low, field.high));
      *field.target = static_cast<int>(number);
      known = true;
    }
    kv_given |= key == "kv_heads";
    if (!known) fail(key, value, "no such key: layers, heads, kv_heads, head_dim, tokens, prompt, causal, seed");
  }
  if (!kv_given) spec.kv_heads = spec.heads;
  constexpr std::uint64_t kMostValues = std::uint64_t{1} << 30;  // 4 GiB of floats
  std::uint64_t values = static_cast<std::uint64_t>(spec.heads + 2 * spec.kv_heads);
  for (const int extent : {spec.layers, spec.tokens, spec.head_dim}) values *= static_cast<std::uint64_t>(extent);
  if (values > kMostValues)
    fail("layers*(heads+2*kv_heads)*tokens*head_dim", std::to_string(values),
         fmt::format("must be at most {} values", kMostValues));
  return spec;
}

}  // namespace winnow
