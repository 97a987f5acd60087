#include "cuda_ref/baseline/cudnn.h"

#include <dlfcn.h>

#include <cstdlib>
#include <sstream>
#include <unordered_map>
#include <vector>

#include "golden/error.h"

// The front end finds cuDNN's functions through this handle: nothing is linked.
#include <cudnn_frontend.h>
namespace cudnn_frontend {
void* cudnn_dlhandle = nullptr;
}

namespace winnow::cuda_ref {
namespace {

namespace fe = cudnn_frontend;
namespace graph = cudnn_frontend::graph;

enum Uid : std::int64_t { kQ = 1, kK, kV, kOut, kRowCounts, kKeyCounts };

// Where the library lies: folders of WINNOW_CUDNN_DIR, then where the loader looks, then the toolkit's.
void* load_library(std::string& why_not) {
  std::vector<std::string> folders;
  if (const char* given = std::getenv("WINNOW_CUDNN_DIR")) {
    std::stringstream list(given);
    for (std::string folder; std::getline(list, folder, ':');)
      if (!folder.empty()) folders.push_back(folder + "/");
  }
  for (const char* folder : {"", "/usr/local/cuda/lib64/"}) folders.push_back(folder);
  for (const std::string& folder : folders) {
    void* found = dlopen((folder + "libcudnn.so.9").c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (found == nullptr) {
      const char* reason = dlerror();
      if (why_not.empty() || folder.empty()) why_not = reason ? reason : "libcudnn.so.9 is not there";
      continue;
    }
    // The front end opens the CUDA runtime by name: loaded from beside cuDNN, that name is known to the loader.
    if (dlopen("libcudart.so.13", RTLD_NOW | RTLD_GLOBAL) == nullptr)
      for (const char* beside : {"", "../../cu13/lib/", "../../cuda_runtime/lib/", "/usr/local/cuda/lib64/"})
        if (dlopen(((*beside == '/' ? "" : folder) + beside + "libcudart.so.13").c_str(), RTLD_NOW | RTLD_GLOBAL))
          break;
    return found;
  }
  return nullptr;
}

bool load_once(std::string& why_not) {
  static std::string reason;
  static const bool loaded = [] { return (fe::cudnn_dlhandle = load_library(reason)) != nullptr; }();
  if (!loaded) why_not = reason;
  return loaded;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void check(fe::error_t status, const char* what) {
  if (status.is_bad()) throw Error(std::string("cuDNN: ") + what + ": " + first_line(status.get_message()));
}

graph::Tensor_attributes tensor(const char* name, Uid uid, std::vector<std::int64_t> size) {
  std::vector<std::int64_t> stride(size.size(), 1);
  for (std::size_t i = size.size() - 1; i-- > 0;) stride[i] = stride[i + 1] * size[i + 1];
  graph::Tensor_attributes t;
  t.set_name(name).set_uid(uid).set_dim(size).set_stride(stride);
  return t;
}

// `compute` 0: the front end asks the GPU.
std::shared_ptr<graph::Graph> describe(const FusedShape& s, fe::AttentionImplementation_t implementation, int compute) {
  auto g = std::make_shared<graph::Graph>();
  if (compute > 0) g->set_sm_version(compute);
  g->set_io_data_type(s.bf16 ? fe::DataType_t::BFLOAT16 : fe::DataType_t::HALF)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  const auto q = g->tensor(tensor("q", kQ, {s.batch, s.heads, s.rows, s.head_dim}));
  const auto k = g->tensor(tensor("k", kK, {s.batch, s.kv_heads, s.keys, s.head_dim}));
  const auto v = g->tensor(tensor("v", kV, {s.batch, s.kv_heads, s.keys, s.head_dim}));
  graph::SDPA_attributes options;
  options.set_name("attention").set_generate_stats(false).set_attn_scale(static_cast<float>(s.scale));
  options.set_implementation(implementation);
  if (s.causal) options.set_diagonal_alignment(fe::DiagonalAlignment_t::TOP_LEFT).set_diagonal_band_right_bound(0);
  if (s.padded) {
    const auto counts = [&](const char* name, Uid uid) {
      return g->tensor(tensor(name, uid, {s.batch, 1, 1, 1}).set_data_type(fe::DataType_t::INT32));
    };
    options.set_padding_mask(true)
        .set_seq_len_q(counts("row_counts", kRowCounts))
        .set_seq_len_kv(counts("key_counts", kKeyCounts));
  }
  const auto out = g->sdpa(q, k, v, options)[0];
  const graph::Tensor_attributes packed = tensor("out", kOut, {s.batch, s.heads, s.rows, s.head_dim});
  out->set_output(true).set_uid(kOut).set_dim(packed.get_dim()).set_stride(packed.get_stride());
  return g;
}

// The front end's own choice first; where that has no engine, each implementation by name. Throws the first reason.
template <class Use>
void with_some_implementation(const FusedShape& shape, int compute, Use use) {
  std::string reason;
  for (const auto one : {fe::AttentionImplementation_t::AUTO, fe::AttentionImplementation_t::COMPOSITE,
                         fe::AttentionImplementation_t::UNIFIED})
    try {
      return use(describe(shape, one, compute));
    } catch (const std::exception& e) {
      if (reason.empty()) reason = e.what();
    }
  throw Error(first_line(reason));
}

const std::vector<fe::HeurMode_t> kHeuristics = {fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK};

cudnnHandle_t handle() {
  static const cudnnHandle_t one = [] {
    cudnnHandle_t made = nullptr;
    if (fe::detail::create_handle(&made) != CUDNN_STATUS_SUCCESS) throw Error("cuDNN: no handle: the GPU refuses it");
    return made;
  }();
  return one;
}

class CudnnAttention final : public FusedAttention {
 public:
  explicit CudnnAttention(const FusedShape& shape) : padded_(shape.padded) {
    with_some_implementation(shape, 0, [&](const std::shared_ptr<graph::Graph>& g) {
      check(g->validate(), "graph");
      check(g->build_operation_graph(handle()), "operations");
      check(g->create_execution_plans(kHeuristics), "no engine");
      check(g->check_support(), "not supported");
      check(g->build_plans(), "plan");
      check(g->get_workspace_size(workspace_), "workspace");
      check(g->get_plan_name(plan_), "plan");
      graph_ = g;
    });
  }
  std::size_t workspace_bytes() const override { return static_cast<std::size_t>(workspace_); }
  std::string plan() const override { return plan_; }
  void run(const void* q, const void* k, const void* v, void* out, const void* row_counts, const void* key_counts,
           void* workspace, CUstream_st* stream) override {
    const auto at = [](const void* p) { return const_cast<void*>(p); };
    std::unordered_map<std::int64_t, void*> places = {{kQ, at(q)}, {kK, at(k)}, {kV, at(v)}, {kOut, out}};
    if (padded_) places[kRowCounts] = at(row_counts), places[kKeyCounts] = at(key_counts);
    if (fe::detail::set_stream(handle(), stream) != CUDNN_STATUS_SUCCESS) throw Error("cuDNN: stream: refused");
    check(graph_->execute(handle(), places, workspace), "execute");
  }

 private:
  bool padded_;
  std::int64_t workspace_ = 0;
  std::string plan_;
  std::shared_ptr<graph::Graph> graph_;
};

}  // namespace

std::string cudnn_version(std::string& why_not) {
  if (!load_once(why_not)) return {};
  try {
    const std::size_t v = fe::detail::get_backend_version();
    return std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
  } catch (const std::exception& e) {
    why_not = e.what();
    return {};
  }
}

std::unique_ptr<FusedAttention> fused_attention(const FusedShape& shape) {
  std::string why;
  if (!load_once(why)) throw Error("cuDNN: " + why);
  return std::make_unique<CudnnAttention>(shape);
}

std::string cudnn_refusal(const FusedShape& shape, const std::string& device_json, int compute) {
  std::string why;
  if (!load_once(why)) return why;
  try {
    const auto device = std::make_shared<fe::DeviceProperties>();
    check(device->deserialize({device_json.begin(), device_json.end()}), "described device");
    with_some_implementation(shape, compute, [&](const std::shared_ptr<graph::Graph>& g) {
      g->set_device_properties(device);
      check(g->validate(), "graph");
      check(g->build_operation_graph(), "operations");
      check(g->create_execution_plans(kHeuristics), "no engine");
      check(g->check_support(), "not supported");
    });
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace winnow::cuda_ref
