#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>

#include "golden/error.h"
#include "python/src/bindings.h"
#include "traces/trace.h"

namespace winnow::python {
namespace {

// Values of a layer, [heads, tokens, D]: a view of the file where NumPy has its type, else a float32 copy.
nb::object tensor(nb::handle self, TraceTensor which, int layer) {
  const Trace& t = nb::cast<const Trace&>(self);
  const TraceMeta& m = t.meta();
  if (layer < 0 || layer >= m.layers)
    throw Error(t.name() + ": layer: " + std::to_string(layer) + ": must be 0.." + std::to_string(m.layers - 1));
  const auto heads = static_cast<std::size_t>(t.head_count(which)), n = static_cast<std::size_t>(m.tokens),
             D = static_cast<std::size_t>(m.head_dim);
  if (t.dtype() == TraceDtype::bf16) {
    auto* copy = new std::vector<float>(heads * n * D);
    const nb::capsule owner(copy, [](void* p) noexcept { delete static_cast<std::vector<float>*>(p); });
    for (std::size_t h = 0; h < heads; ++h) t.read(which, layer, static_cast<int>(h), &(*copy)[h * n * D]);
    return nb::cast(view(copy->data(), {heads, n, D}, owner));
  }
  const auto bits = static_cast<std::uint8_t>(8 * bytes_of(t.dtype()));
  const nb::dlpack::dtype dtype{static_cast<std::uint8_t>(nb::dlpack::dtype_code::Float), bits, 1};
  return nb::cast(
      nb::ndarray<nb::numpy, nb::ro>(static_cast<const void*>(t.data(which, layer)), {heads, n, D}, self, {}, dtype));
}

}  // namespace

void bind_traces(nb::module_& m) {
  const auto meta = [](auto member) { return [member](const Trace& t) { return t.meta().*member; }; };
  nb::class_<Trace>(m, "Trace", "Queries, keys and values of one run of a model.")
      .def_static("open", &Trace::open, nb::arg("path"),
                  "A .safetensors file, or 'synthetic:layers=2,heads=12,...'. Raises Error.",
                  nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("name", &Trace::name, "What it was opened by.")
      .def_prop_ro("model", meta(&TraceMeta::model))
      .def_prop_ro("licence", meta(&TraceMeta::licence))
      .def_prop_ro("source", meta(&TraceMeta::source))
      .def_prop_ro("tool", meta(&TraceMeta::tool))
      .def_prop_ro("layers", meta(&TraceMeta::layers))
      .def_prop_ro("heads", meta(&TraceMeta::heads), "Query heads.")
      .def_prop_ro("kv_heads", meta(&TraceMeta::kv_heads),
                   "KV heads; query head h reads KV head h * kv_heads // heads.")
      .def_prop_ro("head_dim", meta(&TraceMeta::head_dim), "D.")
      .def_prop_ro("tokens", meta(&TraceMeta::tokens), "Prompt and generated.")
      .def_prop_ro("prompt", meta(&TraceMeta::prompt), "Tokens of the prompt.")
      .def_prop_ro("causal", meta(&TraceMeta::causal))
      .def_prop_ro("attention_scale", meta(&TraceMeta::attention_scale), "Multiplies q . k.")
      .def_prop_ro("bytes", &Trace::bytes)
      .def_prop_ro(
          "dtype", [](const Trace& t) { return std::string(name_of(t.dtype())); }, "Of the file's values.")
      .def_prop_ro("metadata", &Trace::metadata, "Every string of the file's metadata.")
      .def_prop_ro(
          "token_ids",
          [](nb::handle self) {
            const auto ids = nb::cast<const Trace&>(self).token_ids();
            return view(ids.data(), {ids.size()}, self);
          },
          "int32 [tokens], a view.")
      .def_prop_ro(
          "head_scores", [](const Trace& t) { return t.head_tensors()->scores; },
          "How much each KV head looks far back, layer by layer; empty where the file does not say.")
      .def_prop_ro(
          "head_distances", [](const Trace& t) { return t.head_tensors()->distances; },
          "How far each KV head's output lies from its layer's mean at the prompt's last token; as head_scores.")
      .def(
          "q", [](nb::handle self, int layer) { return tensor(self, TraceTensor::q, layer); }, nb::arg("layer"),
          nb::sig("def q(self, layer: int) -> numpy.typing.NDArray"),
          "Queries [heads, tokens, D]: a read-only view of the file, float32 or float16; a float32 copy of bfloat16.")
      .def(
          "k", [](nb::handle self, int layer) { return tensor(self, TraceTensor::k, layer); }, nb::arg("layer"),
          nb::sig("def k(self, layer: int) -> numpy.typing.NDArray"), "Keys [kv_heads, tokens, D], as q.")
      .def(
          "v", [](nb::handle self, int layer) { return tensor(self, TraceTensor::v, layer); }, nb::arg("layer"),
          nb::sig("def v(self, layer: int) -> numpy.typing.NDArray"), "Values [kv_heads, tokens, D], as q.")
      .def("sha256", &Trace::sha256, "Of the file's bytes; computed on each call.",
           nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace winnow::python
