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

std::unique_ptr<Inventory> parts_under(const Machine& m, const golden::Decisions& plan, int head_dim, int tokens,
                                       int group) {
  Workpiece piece;
  piece.shape = {1, group, 1, head_dim, tokens, tokens, true, 1.0};
  piece.decisions = plan;
  piece.longest = tokens;
  return std::make_unique<Inventory>(m, std::move(piece),
                                     [](ImportanceMemory&) { return std::make_unique<NoPlans>(); });
}

int most_tokens(const Machine& m) { return token_limits(m, {m.qk.sram.head_dim}).front().tokens; }

}  // namespace

std::unique_ptr<Inventory> parts_only(const Machine& m, int head_dim, int tokens, int group) {
  golden::Decisions plan;
  plan.score_bits = golden::selection_score_bits(group);
  return parts_under(m, plan, head_dim, tokens, group);
}

std::unique_ptr<Inventory> parts_only(const Machine& m) { return parts_only(m, m.qk.sram.head_dim, most_tokens(m)); }

std::unique_ptr<Inventory> parts_only(const Machine& m, const golden::Decisions& plan, int group) {
  // As many tokens as the machine holds for one query head: what a plan adds is a share of what is there.
  return parts_under(m, plan, m.qk.sram.head_dim, most_tokens(m), group);
}

}  // namespace winnow
