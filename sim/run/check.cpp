#include "sim/run/check.h"

#include <fmt/format.h>

namespace winnow {
namespace {

class Comparison {
 public:
  Comparison(Compared& c, const LayerPlan& plan) : c_(c), plan_(plan) {}

  template <class T, class U>
  void same(std::uint64_t& counter, const T& machine, const U& golden, auto&& place) {
    ++counter;
    if (machine == golden) return;
    if (c_.differences++ == 0)
      c_.first =
          fmt::format("step {} layer {} {}: machine {}, golden {}", plan_.step, plan_.layer, place(), machine, golden);
  }
  void lists(std::uint64_t& counter, const std::vector<std::uint32_t>& machine,
             const std::vector<std::uint32_t>& golden, const std::string& what) {
    same(counter, machine.size(), golden.size(), [&] { return what + ": how many"; });
    for (std::size_t i = 0; i < std::min(machine.size(), golden.size()); ++i)
      same(counter, machine[i], golden[i], [&] { return fmt::format("{}: entry {}", what, i); });
  }

 private:
  Compared& c_;
  const LayerPlan& plan_;
};

}  // namespace

void compare_layer(const golden::Shape& s, const LayerPlan& plan, const std::vector<GroupRecord>& records,
                   const LayerCounts& counts, const ImportanceMemory& importance,
                   const std::vector<std::uint8_t>& image, const golden::LayerResult& expected, Compared& c) {
  Comparison compare(c, plan);
  compare.same(c.decisions, plan.step, expected.step, [] { return std::string("step"); });
  compare.same(c.decisions, plan.layer, expected.layer, [] { return std::string("layer"); });
  compare.lists(c.decisions, plan.positions, expected.positions, "query positions");
  for (const HeadPlan& h : plan.heads) {
    const auto kv = static_cast<std::size_t>(h.kv_head);
    compare.same(c.decisions, h.heads, expected.heads[kv],
                 [&] { return fmt::format("KV head {}: live query heads", kv); });
    compare.lists(c.decisions, h.live, expected.live[kv], fmt::format("KV head {}: live tokens", kv));
  }

  const auto H = static_cast<std::size_t>(s.heads), D = static_cast<std::size_t>(s.head_dim),
             G = static_cast<std::size_t>(s.group());
  if (plan.positions == expected.positions)
    for (std::size_t i = 0; i < plan.positions.size(); ++i)
      for (std::size_t head = 0; head < H; ++head) {
        // A pruned head writes nothing; golden's output is 0 by definition.
        if (!((plan.heads[head / G].heads >> (head % G)) & 1)) continue;
        const std::uint8_t* at = &image[plan.out.at(plan.positions[i] * H + head)];
        for (std::size_t d = 0; d < D; ++d)
          compare.same(c.outputs, golden::get_word(at, d, golden::kWordBits, true),
                       static_cast<std::int32_t>(expected.out[(i * H + head) * D + d]), [&] {
                         return fmt::format("head {} position {} dimension {}: output", head, plan.positions[i], d);
                       });
      }

  if (plan.step > 0) {
    compare.same(c.decisions, records.size(), expected.rows.size(), [] { return std::string("queries run"); });
    for (std::size_t i = 0; i < std::min(records.size(), expected.rows.size()); ++i) {
      const golden::GroupRow& row = expected.rows[i].row;
      const std::string where = fmt::format("KV head {} position {}", records[i].head, expected.rows[i].position);
      compare.same(c.decisions, records[i].head, expected.rows[i].kv_head, [&] { return where + ": order of heads"; });
      compare.same(c.decisions, records[i].refetched, row.refetched, [&] { return where + ": refetch"; });
      for (int stage = 0; stage < 3; ++stage)
        compare.lists(c.decisions, records[i].survivors[stage], row.survivors[stage],
                      fmt::format("{}: survivors of stage {}", where, stage));
      compare.lists(c.decisions, records[i].values, row.values, where + ": values used");
      compare.same(c.probabilities, records[i].p.size(), row.p.size(), [&] { return where + ": probabilities"; });
      for (std::size_t j = 0; j < std::min(records[i].p.size(), row.p.size()); ++j)
        compare.same(c.probabilities, records[i].p[j], row.p[j], [&] {
          return fmt::format("{} query head {} slot {}: probability", where, j / static_cast<std::size_t>(row.keys),
                             j % static_cast<std::size_t>(row.keys));
        });
    }
  }

  for (std::size_t t = 0; t < expected.importance.size(); ++t)
    compare.same(c.importances, importance.tokens()[t], expected.importance[t],
                 [&] { return fmt::format("token {}: importance", t); });
  for (std::size_t h = 0; h < expected.head_importance.size(); ++h)
    compare.same(c.importances, importance.heads()[h], expected.head_importance[h],
                 [&] { return fmt::format("head {}: importance", h); });

  for (int k = 0; k < golden::kKinds; ++k)
    compare.same(c.counts, counts.accesses.useful[static_cast<std::size_t>(k)],
                 expected.accesses.useful[static_cast<std::size_t>(k)],
                 [&] { return fmt::format("bytes of {}", golden::kKindNames[k]); });
  for (std::size_t k = 0; k < counts.accesses.stream_bursts.size(); ++k)
    compare.same(c.counts, counts.accesses.stream_bursts[k], expected.accesses.stream_bursts[k],
                 [&] { return fmt::format("bursts of stream {}", k); });
  compare.same(c.counts, counts.accesses.write_bursts, expected.accesses.write_bursts,
               [] { return std::string("bursts written"); });
}

}  // namespace winnow
