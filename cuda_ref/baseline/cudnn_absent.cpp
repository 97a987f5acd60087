// Built instead of cudnn.cpp where the front end's headers are not there.
#include "cuda_ref/baseline/cudnn.h"
#include "golden/error.h"

namespace winnow::cuda_ref {

std::string cudnn_version(std::string& why_not) {
  why_not = "built without cuDNN's front end: scripts/setup --gpu, then configure again";
  return {};
}

std::unique_ptr<FusedAttention> fused_attention(const FusedShape&) {
  std::string why;
  cudnn_version(why);
  throw Error("cuDNN: " + why);
}

std::string cudnn_refusal(const FusedShape&, const std::string&, int) {
  std::string why;
  cudnn_version(why);
  return why;
}

}  // namespace winnow::cuda_ref
