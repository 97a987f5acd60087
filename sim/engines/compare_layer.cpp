#include "sim/engines/compare_layer.h"

namespace winnow {
namespace {

using Kind = CompareKind;

class Layer {
 public:
  Layer(const golden::Shape& shape, LayerDetail detail, const golden::LayerResult& expected,
        const golden::LayerResult& actual, Comparison& c)
      : s_(shape), all_(detail == LayerDetail::everything), a_(expected), b_(actual), c_(c) {}

  void compare() {
    same(Kind::decisions, a_.step, b_.step, "step");
    same(Kind::decisions, a_.layer, b_.layer, "layer");
    living();
    outputs();
    same(Kind::decisions, a_.rows.size(), b_.rows.size(), "queries run");
    for (std::size_t i = 0; i < std::min(a_.rows.size(), b_.rows.size()); ++i) row(a_.rows[i], b_.rows[i]);
    if (all_) sums();
    lists(Kind::importances, a_.importance, b_.importance, "token importances",
          [&](std::size_t t) { return fmt::format("token {}: importance", t); });
    lists(Kind::importances, a_.head_importance, b_.head_importance, "head importances",
          [&](std::size_t h) { return fmt::format("head {}: importance", h); });
    accesses();
  }

 private:
  std::string at(const std::string& what) const { return fmt::format("step {} layer {} {}", a_.step, a_.layer, what); }
  template <class A, class B>
  void same(Kind kind, const A& a, const B& b, const char* what) {
    c_.same(kind, a, b, [&] { return at(what); });
  }
  template <class A, class B, class Name>
  void lists(Kind kind, const A& a, const B& b, const std::string& what, Name&& name) {
    c_.lists(kind, a, b, at(what), [&](std::size_t i) { return at(name(i)); });
  }
  template <class A, class B>
  void lists(Kind kind, const A& a, const B& b, const std::string& what) {
    c_.lists(kind, a, b, at(what));
  }

  void living() {
    lists(Kind::decisions, a_.positions, b_.positions, "query positions");
    same(Kind::decisions, a_.live.size(), b_.live.size(), "KV heads");
    for (std::size_t kv = 0; kv < std::min(a_.live.size(), b_.live.size()); ++kv)
      lists(Kind::decisions, a_.live[kv], b_.live[kv], fmt::format("KV head {}: live tokens", kv));
    lists(Kind::decisions, a_.heads, b_.heads, "live query heads",
          [](std::size_t kv) { return fmt::format("KV head {}: live query heads", kv); });
  }

  void outputs() {
    const auto H = static_cast<std::size_t>(s_.heads), D = static_cast<std::size_t>(s_.head_dim),
               G = static_cast<std::size_t>(s_.group());
    same(Kind::decisions, a_.out.size(), b_.out.size(), "outputs: how many");
    if (a_.out.size() != b_.out.size() || a_.positions != b_.positions) return;
    for (std::size_t i = 0; i < a_.positions.size(); ++i)
      for (std::size_t head = 0; head < H; ++head) {
        if (!all_ && !((a_.heads[head / G] >> (head % G)) & 1)) continue;
        const auto from = static_cast<std::ptrdiff_t>((i * H + head) * D), to = from + static_cast<std::ptrdiff_t>(D);
        rows(Kind::outputs, a_.out.begin() + from, a_.out.begin() + to, b_.out.begin() + from, [&](std::size_t d) {
          return at(fmt::format("head {} position {} dimension {}: output", head, a_.positions[i], d));
        });
      }
  }
  template <class It, class Name>
  void rows(Kind kind, It from, It to, It other, Name&& name) {
    for (std::size_t d = 0; from != to; ++from, ++other, ++d) c_.same(kind, *from, *other, [&] { return name(d); });
  }

  void row(const golden::RowRecord& a, const golden::RowRecord& b) {
    const std::string where = fmt::format("KV head {} position {}", a.kv_head, a.position);
    const auto named = [&](const char* what) { return where + ": " + what; };
    same(Kind::decisions, a.position, b.position, named("position").c_str());
    same(Kind::decisions, a.kv_head, b.kv_head, named("order of heads").c_str());
    same(Kind::decisions, a.row.keys, b.row.keys, named("keys seen").c_str());
    same(Kind::decisions, a.row.refetched, b.row.refetched, named("refetch").c_str());
    for (std::size_t stage = 0; stage < std::size(a.row.survivors); ++stage)
      lists(Kind::decisions, a.row.survivors[stage], b.row.survivors[stage],
            fmt::format("{}: survivors of stage {}", where, stage));
    lists(Kind::decisions, a.row.values, b.row.values, named("values used"));
    const auto keys = static_cast<std::size_t>(std::max(1, a.row.keys));
    lists(Kind::probabilities, a.row.p, b.row.p, named("probabilities"), [&](std::size_t j) {
      return fmt::format("{} query head {} slot {}: probability", where, j / keys, j % keys);
    });
    if (!all_) return;
    same(Kind::decisions, a.row.stages, b.row.stages, named("stages").c_str());
    same(Kind::decisions, a.row.flat, b.row.flat, named("flat heads").c_str());
    lists(Kind::probabilities, a.row.denominator, b.row.denominator, named("denominators"),
          [&](std::size_t h) { return fmt::format("{} query head {}: denominator", where, h); });
    lists(Kind::outputs, a.row.out, b.row.out, named("output of the row"));
  }

  void sums() {
    same(Kind::decisions, a_.tokens, b_.tokens, "tokens so far");
    lists(Kind::decisions, a_.next_live, b_.next_live, "tokens of the next layer");
    lists(Kind::decisions, a_.next_heads, b_.next_heads, "heads of the next layer");
    same(Kind::decisions, a_.row_groups, b_.row_groups, "rows");
    same(Kind::decisions, a_.row_heads, b_.row_heads, "rows of heads");
    same(Kind::decisions, a_.keys_seen, b_.keys_seen, "keys seen");
    same(Kind::decisions, a_.survivors, b_.survivors, "survivors");
    same(Kind::decisions, a_.values, b_.values, "values fetched");
    same(Kind::decisions, a_.flat, b_.flat, "flat rows");
    same(Kind::decisions, a_.refetched, b_.refetched, "refetched rows");
  }

  void accesses() {
    lists(Kind::counts, a_.accesses.useful, b_.accesses.useful, "bytes",
          [](std::size_t k) { return fmt::format("bytes of {}", golden::kKindNames[k]); });
    lists(Kind::counts, a_.accesses.stream_bursts, b_.accesses.stream_bursts, "bursts",
          [](std::size_t k) { return fmt::format("bursts of stream {}", k); });
    same(Kind::counts, a_.accesses.write_bursts, b_.accesses.write_bursts, "bursts written");
  }

  const golden::Shape& s_;
  bool all_;
  const golden::LayerResult &a_, &b_;
  Comparison& c_;
};

}  // namespace

void compare_layer(const golden::Shape& shape, LayerDetail detail, const golden::LayerResult& expected,
                   const golden::LayerResult& actual, Comparison& comparison) {
  Layer(shape, detail, expected, actual, comparison).compare();
}

}  // namespace winnow
