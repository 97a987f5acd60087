#include "sim/engines/machine_layer.h"

namespace winnow {

golden::LayerResult layer_of_machine(const golden::Shape& s, const LayerPlan& plan,
                                     const std::vector<GroupRecord>& records, const LayerCounts& counts,
                                     const MachineModel& machine, std::size_t token_importances,
                                     std::size_t head_importances) {
  golden::LayerResult r;
  r.step = plan.step, r.layer = plan.layer, r.tokens = s.tokens_in(plan.step), r.positions = plan.positions;
  r.live.resize(static_cast<std::size_t>(s.kv_heads)), r.heads.resize(static_cast<std::size_t>(s.kv_heads));
  for (const HeadPlan& h : plan.heads) {
    r.live[static_cast<std::size_t>(h.kv_head)] = h.live;
    r.heads[static_cast<std::size_t>(h.kv_head)] = h.heads;
  }

  const auto H = static_cast<std::size_t>(s.heads), D = static_cast<std::size_t>(s.head_dim),
             G = static_cast<std::size_t>(s.group());
  const std::vector<std::uint8_t>& image = machine.parts().hbm2.memory().image();
  r.out.assign(plan.positions.size() * H * D, 0);
  for (std::size_t i = 0; i < plan.positions.size(); ++i)
    for (std::size_t head = 0; head < H; ++head) {
      if (!((r.heads[head / G] >> (head % G)) & 1)) continue;
      const std::uint8_t* at = &image[plan.out.at(plan.positions[i] * H + head)];
      for (std::size_t d = 0; d < D; ++d)
        r.out[(i * H + head) * D + d] = static_cast<std::int16_t>(golden::get_word(at, d, golden::kWordBits, true));
    }

  if (!plan.full_width)
    for (const GroupRecord& record : records) {
      golden::RowRecord& row = r.rows.emplace_back();
      row.position = plan.positions[record.query], row.kv_head = record.head;
      if (!record.tokens.empty()) r.live[record.head] = record.tokens;
      row.row.refetched = record.refetched;
      for (int stage = 0; stage < 3; ++stage) row.row.survivors[stage] = record.survivors[stage];
      row.row.values = record.values, row.row.p = record.p;
      row.row.keys = static_cast<int>(record.p.size() / G);
    }

  const auto part = [](const std::vector<std::uint64_t>& all, std::size_t from, std::size_t n) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
    return std::vector<std::uint64_t>(begin, begin + static_cast<std::ptrdiff_t>(n));
  };
  const ImportanceMemory& importance = machine.parts().importance_memory;
  r.importance = part(importance.tokens(), importance.base(0, 0, plan.sequence), token_importances);
  r.head_importance = part(importance.heads(), importance.heads_base(plan.sequence), head_importances);
  r.accesses = counts.accesses;
  return r;
}

}  // namespace winnow
