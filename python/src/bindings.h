#pragma once
// The parts of the extension module winnow._core, a file each, and what they share.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

namespace winnow::golden {
class Quantized;
}

namespace winnow::python {

namespace nb = nanobind;

void bind_traces(nb::module_& m);
void bind_policies(nb::module_& m);
void bind_machines(nb::module_& m);
void bind_golden(nb::module_& m);
void bind_sessions(nb::module_& m);
void bind_run(nb::module_& m);

// (q [tokens][group][D], k [tokens][D], v alike) of a KV head, int16 copies. Throws Error at a head that is not there.
nb::tuple codes_of(const golden::Quantized& model, int layer, int kv_head);

// A C array [head][row][D] of a NumPy array without a copy; the rows' D values must be neighbours.
using Values = nb::ndarray<const float, nb::ndim<3>, nb::device::cpu>;

// A read-only NumPy array of numbers that `owner` keeps alive.
template <class T>
nb::ndarray<nb::numpy, const T> view(const T* data, std::initializer_list<std::size_t> shape, nb::handle owner) {
  return nb::ndarray<nb::numpy, const T>(data, shape, owner);
}
template <class T>
nb::ndarray<nb::numpy, const T> view(const std::vector<T>& data, nb::handle owner) {
  return view(data.data(), {data.size()}, owner);
}

}  // namespace winnow::python
