// golden/session.h for Python: prompts of NumPy arrays, then steps of a batch of sequences, a thread each.
#include "golden/session.h"

#include <fmt/format.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "golden/basis.h"
#include "golden/error.h"
#include "golden/policies/decisions.h"
#include "python/src/bindings.h"
#include "python/src/policies.h"

namespace winnow::python {
namespace {

using golden::Session, golden::SessionTotals, golden::Shape;

void require(bool holds, const char* what, const std::string& value, const std::string& rule) {
  if (!holds) throw Error(fmt::format("session: {}: {}: {}", what, value, rule));
}

std::string shape_of(const Values& a) { return fmt::format("[{}, {}, {}]", a.shape(0), a.shape(1), a.shape(2)); }

// A layer each, [heads][at least `tokens`][D].
void check_layers(const char* name, const std::vector<Values>& layers, std::size_t count, std::size_t heads,
                  std::size_t tokens, std::size_t D) {
  require(layers.size() == count, name, fmt::format("{} layers", layers.size()), fmt::format("must be {}", count));
  for (const Values& a : layers) {
    require(a.shape(0) == heads && a.shape(1) >= tokens && a.shape(2) == D, name, shape_of(a),
            fmt::format("must be [{}, {} or more, {}]", heads, tokens, D));
    require(a.stride(2) == 1, name, "strides", "the D values of a row must be neighbours");
  }
}

const float* row(const Values& a, std::size_t head, std::size_t token) {
  return a.data() + static_cast<std::int64_t>(head) * a.stride(0) + static_cast<std::int64_t>(token) * a.stride(1);
}

void make_session(Session* self, const PolicyObject& policy, const std::vector<Values>& q, const std::vector<Values>& k,
                  const std::vector<Values>& v, int prompt, int steps, double attention_scale, bool causal,
                  std::uint64_t align, std::vector<float> head_scores, std::vector<float> head_distances,
                  std::shared_ptr<golden::KeyBasis> key_basis) {
  require(!q.empty() && !k.empty(), "q", "no layers", "must have one at least");
  require(prompt > 0, "prompt", std::to_string(prompt), "must be at least 1");
  require(steps >= 0 && (causal || steps == 0), "steps", std::to_string(steps),
          causal ? "must be at least 0" : "must be 0: an encoder generates nothing");
  Shape s;
  s.layers = static_cast<int>(q.size()), s.heads = static_cast<int>(q[0].shape(0));
  s.kv_heads = static_cast<int>(k[0].shape(0)), s.head_dim = static_cast<int>(q[0].shape(2));
  s.tokens = prompt + steps, s.prompt = prompt, s.causal = causal, s.attention_scale = attention_scale;
  if (key_basis) golden::check_basis("session: key_basis", *key_basis, s.layers, s.kv_heads, s.head_dim);
  golden::HeadTensors of_heads;
  of_heads.scores = std::move(head_scores), of_heads.distances = std::move(head_distances);
  of_heads.key_basis = std::move(key_basis);
  s.tensors = std::make_shared<const golden::HeadTensors>(std::move(of_heads));
  require(s.kv_heads > 0 && s.heads % s.kv_heads == 0, "heads", std::to_string(s.heads),
          fmt::format("must be a multiple of the {} KV heads", s.kv_heads));
  const auto P = static_cast<std::size_t>(prompt), D = static_cast<std::size_t>(s.head_dim);
  check_layers("q", q, q.size(), static_cast<std::size_t>(s.heads), P, D);
  check_layers("k", k, q.size(), static_cast<std::size_t>(s.kv_heads), P, D);
  check_layers("v", v, q.size(), static_cast<std::size_t>(s.kv_heads), P, D);
  // What comes behind the prompt is not known yet: zeros.
  const auto reader = [P, D, n = static_cast<std::size_t>(s.tokens)](const std::vector<Values>& layers) {
    return [&layers, P, D, n](int layer, int head, float* dst) {
      const Values& a = layers[static_cast<std::size_t>(layer)];
      for (std::size_t t = 0; t < P; ++t) std::copy_n(row(a, static_cast<std::size_t>(head), t), D, dst + t * D);
      std::fill_n(dst + P * D, (n - P) * D, 0.0f);
    };
  };
  golden::require_effect(policy.value, s);
  const nb::gil_scoped_release release;
  new (self) Session({s, reader(q), reader(k), reader(v)}, policy.value, align);
}

using Table = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Batch = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using BatchOut = nb::ndarray<float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void require_batch(const char* name, std::size_t have[3], std::size_t batch, int heads, int D) {
  require(have[0] == batch && have[1] == static_cast<std::size_t>(heads) && have[2] == static_cast<std::size_t>(D),
          name, fmt::format("[{}, {}, {}]", have[0], have[1], have[2]),
          fmt::format("must be [{}, {}, {}]", batch, heads, D));
}

// Calls work(i) for 0..n-1 on `threads` threads; rethrows the first exception.
template <class Work>
void in_parallel(std::size_t n, int threads, Work&& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex guard;
  const auto run = [&] {
    for (std::size_t i; (i = next++) < n;) try {
        work(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(guard);
        if (!failure) failure = std::current_exception();
      }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < std::min(threads, static_cast<int>(n)); ++t) others.emplace_back(run);
  run();
  for (std::thread& t : others) t.join();
  if (failure) std::rethrow_exception(failure);
}

void step(const std::vector<Session*>& sessions, const Batch& q, const Batch& k, const Batch& v, const BatchOut& out,
          int threads) {
  require(!sessions.empty(), "sessions", "none", "must be one at least");
  const Shape& s = sessions[0]->model().shape();
  const std::size_t B = sessions.size();
  std::size_t shapes[4][3];
  for (int i = 0; i < 3; ++i) {
    const auto at = static_cast<std::size_t>(i);
    shapes[0][i] = q.shape(at), shapes[1][i] = k.shape(at), shapes[2][i] = v.shape(at), shapes[3][i] = out.shape(at);
  }
  require_batch("q", shapes[0], B, s.heads, s.head_dim), require_batch("k", shapes[1], B, s.kv_heads, s.head_dim);
  require_batch("v", shapes[2], B, s.kv_heads, s.head_dim), require_batch("out", shapes[3], B, s.heads, s.head_dim);
  for (std::size_t i = 0; i < B; ++i) {
    const Shape& other = sessions[i]->model().shape();
    require(other.heads == s.heads && other.kv_heads == s.kv_heads && other.head_dim == s.head_dim, "sessions",
            fmt::format("number {}", i), "must be of one model");
    require(std::find(sessions.begin(), sessions.begin() + static_cast<std::ptrdiff_t>(i), sessions[i]) ==
                sessions.begin() + static_cast<std::ptrdiff_t>(i),
            "sessions", fmt::format("number {}", i), "stands twice");
  }
  const auto qs = static_cast<std::size_t>(s.heads * s.head_dim),
             ks = static_cast<std::size_t>(s.kv_heads * s.head_dim);
  const float *qd = q.data(), *kd = k.data(), *vd = v.data();
  float* od = out.data();
  const nb::gil_scoped_release release;
  in_parallel(B, threads,
              [&](std::size_t i) { sessions[i]->step_layer(qd + i * qs, kd + i * ks, vd + i * ks, od + i * qs); });
}

golden::LayerResult step_layer(Session& self, const Batch& q, const Batch& k, const Batch& v, const BatchOut& out) {
  const Shape& s = self.model().shape();
  std::size_t shapes[4][3];
  for (std::size_t i = 0; i < 3; ++i)
    shapes[0][i] = q.shape(i), shapes[1][i] = k.shape(i), shapes[2][i] = v.shape(i), shapes[3][i] = out.shape(i);
  require_batch("q", shapes[0], 1, s.heads, s.head_dim), require_batch("k", shapes[1], 1, s.kv_heads, s.head_dim);
  require_batch("v", shapes[2], 1, s.kv_heads, s.head_dim), require_batch("out", shapes[3], 1, s.heads, s.head_dim);
  const nb::gil_scoped_release release;
  return self.step_layer(q.data(), k.data(), v.data(), out.data());
}

golden::LayerResult prompt_layer(Session& self, const Batch& q, const Batch& k, const Batch& v, const BatchOut& out) {
  const Shape& s = self.model().shape();
  const auto P = static_cast<std::size_t>(s.prompt), D = static_cast<std::size_t>(s.head_dim);
  const auto check = [&](const char* name, const auto& a, int heads) {
    require(a.shape(0) == static_cast<std::size_t>(heads) && a.shape(1) == P && a.shape(2) == D, name,
            fmt::format("[{}, {}, {}]", a.shape(0), a.shape(1), a.shape(2)),
            fmt::format("must be [{}, {}, {}]", heads, P, D));
  };
  check("q", q, s.heads), check("k", k, s.kv_heads), check("v", v, s.kv_heads), check("out", out, s.heads);
  const nb::gil_scoped_release release;
  return self.prompt_layer(q.data(), k.data(), v.data(), out.data());
}

}  // namespace

void bind_sessions(nb::module_& m) {
  nb::class_<golden::KeyBasis>(m, "KeyBasis", "A basis of every KV head's keys, as it was measured on other text.")
      .def(
          "__init__",
          [](golden::KeyBasis* self, const Table& transform, const Table& mean, const Table& range) {
            const auto copy = [](const Table& t) { return std::vector<float>(t.data(), t.data() + t.size()); };
            new (self)
                golden::KeyBasis{transform.shape(transform.ndim() - 1), copy(transform), copy(mean), copy(range)};
          },
          nb::arg("transform").noconvert(), nb::arg("mean").noconvert(), nb::arg("range").noconvert(),
          "float32: transform [layers, kv_heads, D, D], whose rows make the basis' channels of a key less its mean; "
          "mean "
          "[layers, kv_heads, D]; range [layers, kv_heads, D], the largest size of each channel.");
  nb::class_<SessionTotals>(m, "Totals", "Sums over the layers that a session has run.")
      .def_ro("accesses", &SessionTotals::accesses)
      .def_ro("layers", &SessionTotals::layers)
      .def_ro("dense_elements", &SessionTotals::dense_elements, "Of K and V, were nothing pruned.")
      .def_ro("tokens", &SessionTotals::tokens, "That there are, summed over (query, KV head) pairs.")
      .def_ro("keys", &SessionTotals::keys, "Of them offered to the query.")
      .def_ro("survivors", &SessionTotals::survivors, "Of them left by a selection.")
      .def_ro("values", &SessionTotals::values, "Of them with V.");
  nb::class_<Session>(m, "Session",
                      "Golden's attention inside a model: a prompt, then one token at a time, layer by layer. What it "
                      "computes and decides is what a walk over the trace of such a run gives.")
      .def("__init__", &make_session, nb::arg("policy"), nb::arg("q").noconvert(), nb::arg("k").noconvert(),
           nb::arg("v").noconvert(), nb::arg("prompt"), nb::arg("steps"), nb::arg("attention_scale"),
           nb::arg("causal") = true, nb::arg("align") = 4096, nb::arg("head_scores") = std::vector<float>(),
           nb::arg("head_distances") = std::vector<float>(), nb::arg("key_basis").none() = nb::none(),
           "q: a float32 array [heads, prompt or more, D] a layer; k, v: [kv_heads, ...]. They are read in place; "
           "scales come from their first `prompt` rows. head_scores, head_distances: of each KV head, layer by "
           "layer, for policies that tell heads apart. key_basis: of policies whose keys have a basis of their own.")
      .def("replay_prompt", &Session::replay_prompt, nb::call_guard<nb::gil_scoped_release>(),
           "Golden walks the prompt, so that tokens and heads earn their importance. Before the first step.")
      .def("prompt_layer", &prompt_layer, nb::arg("q").noconvert(), nb::arg("k").noconvert(), nb::arg("v").noconvert(),
           nb::arg("out").noconvert(),
           "The prompt's next layer under the policy: q and out [heads, prompt, D], k and v [kv_heads, prompt, D]; "
           "what is pruned is 0. Returns the Layer.")
      .def(
          "step_layer", &step_layer, nb::arg("q").noconvert(), nb::arg("k").noconvert(), nb::arg("v").noconvert(),
          nb::arg("out").noconvert(),
          "The next layer of the step at hand, as `step` does it, of this session alone: arrays [1, heads or kv_heads, "
          "D]. Returns the Layer.")
      .def(
          "codes", [](const Session& self, int layer, int kv_head) { return codes_of(self.model(), layer, kv_head); },
          nb::arg("layer"), nb::arg("kv_head"), "As Walk.codes; 0 where no token has been yet.")
      .def_prop_ro("largest_output", &Session::largest_of_all,
                   "Of all heads, by the values that the session was made with: what a head's |out| is weighed beside.")
      .def_prop_ro("step", &Session::step, "The step that comes next, 1 is the first token behind the prompt.")
      .def_prop_ro("layer", &Session::layer, "The layer that comes next.")
      .def_prop_ro("prompt_totals", &Session::prompt_totals, nb::rv_policy::reference_internal)
      .def_prop_ro("step_totals", &Session::step_totals, nb::rv_policy::reference_internal);
  m.def("step", &step, nb::arg("sessions"), nb::arg("q").noconvert(), nb::arg("k").noconvert(),
        nb::arg("v").noconvert(), nb::arg("out").noconvert(), nb::arg("threads") = 1,
        "One layer of the step at hand of several sessions of one model: q and out [sessions, heads, D], k and v "
        "[sessions, kv_heads, D], float32, read and written in place. The GIL is released; a thread takes a session.");
}

}  // namespace winnow::python
