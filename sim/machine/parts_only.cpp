#include "sim/machine/parts_only.h"

namespace winnow {
namespace {

class NoPlans final : public PlanSource {
 public:
  bool more() const override { return false; }
  bool needs_previous() const override { return false; }
  bool begins_step() const override { return false; }
  bool reloads() const override { return false; }
  void reload() override {}
  std::vector<std::uint32_t> joining() override { return {}; }
  std::vector<Choice> choices(int) override { return {}; }
  LayerPlan plan(const std::vector<std::vector<std::uint32_t>>&) override { return {}; }
};

}  // namespace

std::unique_ptr<Inventory> parts_only(const Machine& m, int head_dim, int tokens, int group) {
  Workpiece piece;
  piece.shape = {1, group, 1, head_dim, tokens, tokens, true, 1.0};
  piece.decisions.score_bits = golden::selection_score_bits(group);
  piece.longest = tokens;
  return std::make_unique<Inventory>(m, std::move(piece),
                                     [](ImportanceMemory&) { return std::make_unique<NoPlans>(); });
}

std::unique_ptr<Inventory> parts_only(const Machine& m) {
  const int head_dim = m.qk.sram.head_dim;
  return parts_only(m, head_dim, token_limits(m, {head_dim}).front().tokens);
}

}  // namespace winnow
