#include <fmt/format.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "golden/error.h"
#include "golden/reference.h"
#include "python/src/bindings.h"
#include "python/src/policies.h"
#include "sim/engines/prepare.h"
#include "traces/trace.h"

namespace winnow::python {
namespace {

// A walk and all that it walks over.
class OwnedWalk {
 public:
  OwnedWalk(const Trace& trace, const golden::Policy& policy, std::uint64_t align, bool errors)
      : source_(float_source(trace)),
        reference_(source_),
        model_(source_, reference_, policy),
        layout_(source_.shape, policy, align),
        walk_(model_, layout_, errors ? &reference_ : nullptr) {}
  std::optional<golden::LayerResult> next() {
    golden::LayerResult r;
    if (!walk_.next(r)) return std::nullopt;
    return r;
  }
  const golden::Quantized& model() const { return model_; }

 private:
  golden::FloatSource source_;
  golden::Reference reference_;
  golden::Quantized model_;
  golden::Layout layout_;
  golden::Walk walk_;
};

// What was decided for one query of one KV head, with tokens for slots.
struct Row {
  std::uint32_t position = 0;
  int kv_head = 0;
  bool refetched = false;
  std::vector<std::uint32_t> survivors, values;
  std::vector<std::uint16_t> weights;
};

std::vector<Row> rows_of(const golden::LayerResult& r) {
  std::vector<Row> rows;
  for (const golden::RowRecord& record : r.rows) {
    const golden::GroupRow& row = record.row;
    const std::vector<std::uint32_t>& live = r.live[record.kv_head];
    const auto tokens = [&](const std::vector<std::uint32_t>& slots) {
      std::vector<std::uint32_t> list(slots.size());
      std::transform(slots.begin(), slots.end(), list.begin(), [&](std::uint32_t slot) { return live[slot]; });
      return list;
    };
    std::vector<std::uint32_t> survivors(live.begin(), live.begin() + row.keys);
    if (row.stages) survivors = tokens(row.survivors[row.stages - 1]);
    rows.push_back({record.position, record.kv_head, row.refetched, std::move(survivors), tokens(row.values), row.p});
  }
  return rows;
}

template <class T>
nb::object owned_copy(const std::vector<T>& data, std::initializer_list<std::size_t> shape) {
  auto* copy = new std::vector<T>(data);
  const nb::capsule owner(copy, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, const T>(copy->data(), shape, owner));
}

}  // namespace

nb::tuple codes_of(const golden::Quantized& model, int layer, int kv_head) {
  const golden::Shape& s = model.shape();
  if (layer < 0 || layer >= s.layers || kv_head < 0 || kv_head >= s.kv_heads)
    throw Error(fmt::format("codes: layer {}, KV head {}: there are {} layers, {} KV heads", layer, kv_head, s.layers,
                            s.kv_heads));
  const golden::HeadCodes& c = model.head(layer, kv_head);
  const auto n = static_cast<std::size_t>(s.tokens), G = static_cast<std::size_t>(s.group()),
             D = static_cast<std::size_t>(s.head_dim);
  return nb::make_tuple(owned_copy(c.q, {n, G, D}), owned_copy(c.k, {n, D}), owned_copy(c.v, {n, D}));
}

void bind_golden(nb::module_& m) {
  using golden::Accesses, golden::LayerResult;
  nb::class_<Accesses>(m, "Accesses", "Bytes by kind, and bursts of 32 bytes.")
      .def_prop_ro("kv_bytes", &Accesses::kv_useful, "Of K and V with their scales, as far as they were asked for.")
      .def_prop_ro(
          "kv_burst_bytes", [](const Accesses& a) { return a.kv_bursts() * golden::kBurstBytes; },
          "Of the bursts that bring them.")
      .def_prop_ro("read_bursts", &Accesses::read_bursts)
      .def_ro("write_bursts", &Accesses::write_bursts)
      .def_ro("basis_bytes", &Accesses::basis_useful,
              "Of the tables of keys in a basis of their own, beside all others.")
      .def_prop_ro(
          "basis_burst_bytes", [](const Accesses& a) { return a.basis_bursts * golden::kBurstBytes; },
          "Of the bursts that bring them.")
      .def_prop_ro(
          "useful",
          [](const Accesses& a) {
            nb::dict by_kind;
            for (int i = 0; i < golden::kKinds; ++i)
              by_kind[golden::kKindNames[i]] = a.useful[static_cast<std::size_t>(i)];
            return by_kind;
          },
          nb::sig("def useful(self) -> dict[str, int]"), "Bytes by kind.");

  nb::class_<Row>(m, "Row", "What was decided for one query of one KV head. Lists are of tokens, ascending, uint32.")
      .def_ro("position", &Row::position, "Of the query.")
      .def_ro("kv_head", &Row::kv_head)
      .def_ro("refetched", &Row::refetched, "The LSBs of all keys were fetched.")
      .def_prop_ro(
          "survivors", [](nb::handle self) { return view(nb::cast<Row&>(self).survivors, self); },
          "Left by a selection; all that the query saw without one.")
      .def_prop_ro(
          "values", [](nb::handle self) { return view(nb::cast<Row&>(self).values, self); }, "Whose V entered the sum.")
      .def_prop_ro(
          "weights", [](nb::handle self) { return view(nb::cast<Row&>(self).weights, self); },
          "Of V, 65536 = 1, uint16: query heads of the group one after the other.");

  nb::class_<LayerResult>(m, "Layer", "What golden decided and computed in one layer of one step.")
      .def_ro("step", &LayerResult::step, "0 is the prompt, then one a generated token.")
      .def_ro("layer", &LayerResult::layer)
      .def_ro("tokens", &LayerResult::tokens, "Tokens so far.")
      .def_ro("accesses", &LayerResult::accesses)
      .def_ro("row_heads", &LayerResult::row_heads, "(query, head) pairs.")
      .def_ro("flat", &LayerResult::flat, "Of them flat on the MSBs.")
      .def_ro("row_groups", &LayerResult::row_groups, "(query, KV head) pairs.")
      .def_ro("refetched", &LayerResult::refetched, "Of them refetched.")
      .def_ro("keys_seen", &LayerResult::keys_seen, "Tokens offered, summed over pairs.")
      .def_ro("survivors", &LayerResult::survivors, "Tokens that selection left.")
      .def_ro("values", &LayerResult::values, "Tokens whose V was read.")
      .def_prop_ro(
          "positions", [](nb::handle self) { return view(nb::cast<LayerResult&>(self).positions, self); },
          "Query positions that ran, uint32.")
      .def(
          "live",
          [](nb::handle self, int kv_head) {
            return view(nb::cast<LayerResult&>(self).live.at(static_cast<std::size_t>(kv_head)), self);
          },
          nb::arg("kv_head"), "Tokens that live for a KV head, ascending, uint32.")
      .def(
          "value_uses",
          [](const LayerResult& r, int kv_head) {
            const auto& live = r.live.at(static_cast<std::size_t>(kv_head));
            std::vector<std::uint32_t> uses(static_cast<std::size_t>(r.tokens), 0);
            for (const golden::RowRecord& row : r.rows)
              if (row.kv_head == kv_head)
                for (const std::uint32_t slot : row.row.values) ++uses[live[slot]];
            return uses;
          },
          nb::arg("kv_head"),
          "Of each token, how many queries' sums its V entered. All 0 in a step that neither selects nor prunes.")
      .def_prop_ro("rows", &rows_of,
                   "A Row a query and KV head, KV heads in order; none in a step that reads K and V at full width.")
      .def_ro("heads", &LayerResult::heads, "Live query heads of each KV head, a bit each.")
      .def_prop_ro(
          "out",
          [](nb::handle self) {
            const auto& r = nb::cast<LayerResult&>(self);
            const std::size_t rows = r.positions.size();
            return view(r.out.data(), {rows, rows ? r.out.size() / rows : 0}, self);
          },
          "Output codes, int16 [position][heads * D].")
      .def_prop_ro(
          "importance", [](nb::handle self) { return view(nb::cast<LayerResult&>(self).importance, self); },
          "Of tokens, after the layer, uint64.")
      .def_prop_ro(
          "head_importance", [](nb::handle self) { return view(nb::cast<LayerResult&>(self).head_importance, self); },
          "Of query heads, after the layer, uint64.")
      .def_prop_ro(
          "error", [](const LayerResult& r) { return std::pair(r.error.difference, r.error.reference); },
          nb::sig("def error(self) -> tuple[float, float]"),
          "Squared difference from float attention, and its square; (0, 0) without errors=True.");

  nb::class_<OwnedWalk>(m, "Walk", "Golden over a trace, a Layer a time, in the machine's order.")
      .def(
          "__init__",
          [](OwnedWalk* self, const Trace& trace, const PolicyObject& policy, std::uint64_t align, bool errors) {
            const nb::gil_scoped_release release;
            new (self) OwnedWalk(trace, policy.value, align, errors);
          },
          nb::arg("trace"), nb::arg("policy"), nb::arg("align"), nb::arg("errors") = false)
      .def(
          "codes", [](const OwnedWalk& self, int layer, int kv_head) { return codes_of(self.model(), layer, kv_head); },
          nb::arg("layer"), nb::arg("kv_head"), "Codes of a KV head, int16: q [tokens, group, D], k and v [tokens, D].")
      .def(
          "__iter__", [](nb::handle self) { return nb::borrow(self); }, nb::sig("def __iter__(self) -> Walk"))
      .def("__next__", [](OwnedWalk& self) {
        std::optional<golden::LayerResult> r;
        {
          const nb::gil_scoped_release release;
          r = self.next();
        }
        if (!r) throw nb::stop_iteration();
        return std::move(*r);
      });
}

}  // namespace winnow::python
