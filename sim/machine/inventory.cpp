#include "sim/machine/inventory.h"

#include <algorithm>
#include <bit>

#include "golden/error.h"
#include "models/memories/score_banks.h"
#include "models/prim/bricks.h"

namespace winnow {
namespace {

dram::MemoryConfig memory_config(const Machine& m) {
  dram::MemoryConfig c;
  c.spec = dram::memory_spec(m.hbm2.type);
  c.channels = m.hbm2.channels, c.interleave_bytes = m.hbm2.interleave_bytes, c.mapping = m.hbm2.mapping;
  c.controller = c.spec.controller("ch");
  c.controller.read_queue = m.hbm2.read_queue, c.controller.write_queue = m.hbm2.write_queue;
  c.return_queue = m.hbm2.return_queue;
  c.refresh_phase = static_cast<Cycle>(m.hbm2.refresh_phase);
  return c;
}

topk::Config topk_config(const TopkParams& p, int item_bits, std::uint64_t seed) {
  topk::Config c;
  c.parallelism = static_cast<unsigned>(p.parallelism), c.fifo_depth = static_cast<unsigned>(p.fifo);
  c.item_bits = static_cast<unsigned>(item_bits);
  c.pivot = p.pivot == "random" ? topk::PivotRule::random : topk::PivotRule::sampled;
  c.seed = seed;
  return c;
}

// The engine on the critical path; the cascade's, which is beside it, is always the paper's.
topk::Config selection_config(const TopkParams& p, int item_bits, std::uint64_t seed) {
  topk::Config c = topk_config(p, item_bits, seed);
  if (p.prefilter == "bracket") c.prefilter = topk::Prefilter::bracket;
  return c;
}

}  // namespace

// Groups in flight, at most: a group's number has four bits.
constexpr int kMostStores = 16;

Sizes sizes_of(const Machine& machine, const Workpiece& piece) {
  Sizes s;
  s.group = piece.shape.group(), s.head_dim = piece.shape.head_dim, s.longest = piece.longest,
  s.heads = piece.shape.heads;
  s.halves = machine.heads_in_flight;
  s.key_banks = key_banks(machine.key_multipliers(), machine.qk.brick_bits, s.head_dim);
  s.value_banks = value_banks(machine.value_multipliers(), machine.pv.brick_bits, s.head_dim);
  if (machine.buffers == "pool") {
    s.column_bits = machine.qk.brick_bits;
    s.pool_rows = machine.pool_rows(s.head_dim), s.pool_columns = machine.pool_columns(s.head_dim);
  }
  s.width = machine.softmax.width;
  s.score_width = machine.softmax.widest();
  s.selection_read = std::min(machine.topk.load_width, machine.topk.parallelism);
  s.score_entries = machine.score_store_entries;
  // Where K and V are resident a query's group needs a store only while it is in the pipeline.
  s.stores = std::clamp(ScoreBanks(s).most_stores(), s.halves, kMostStores);
  s.qk_latency = machine.qk.latency();
  s.sum_latency = machine.softmax.exp_latency + machine.softmax.accumulate_latency;
  s.requantize_latency = machine.softmax.requantize_latency;
  s.greedy_columns = machine.greedy.columns, s.greedy_scan = machine.greedy.scan;
  constexpr int kTokenBits = 17;
  s.group_registers = (piece.decisions.pages.size ? 1 : 0) + (piece.decisions.anchors() ? kTokenBits : 0) +
                      (piece.decisions.sigmoid ? kTokenBits : 0) + (piece.decisions.merges ? kTokenBits : 0) +
                      (piece.decisions.weighs_heads ? golden::kHeadWeightBits * s.group : 0);
  s.key_words = machine.qk.sram.words();
  return s;
}

Inventory::Inventory(const Machine& machine, Workpiece piece, const MakeSource& make_source)
    : sizes(sizes_of(machine, piece)),
      pool(sizes.pool_rows ? std::make_shared<KvBanks>("pool of K and V", 1, sizes.pool_rows, sizes.pool_columns,
                                                       sizes.column_bits, sizes.head_dim)
                           : nullptr),
      keys(all, MemoryInfo{"key_buffer", "key buffer", "converter", "qk"}, sizes.halves, sizes.longest, sizes.head_dim,
           sizes.key_banks, true, pool),
      values(all, MemoryInfo{"value_buffer", "value buffer", "converter", "pv"}, sizes.halves, sizes.longest,
             sizes.head_dim, sizes.value_banks, false, pool),
      value_scales(all, sizes.halves, sizes.longest, machine.pv.scale_banks),
      value_sums(all, sizes.halves, sizes.head_dim),
      queries(all, QueryRegisters::entries_of(sizes), sizes.head_dim, piece.decisions.weighs_heads),
      groups(all, sizes),
      constants(all, sizes.heads, 2 * piece.sequences),
      scores(all, sizes),
      exponentials(all, sizes),
      probabilities(all, sizes),
      selection_scores(all, sizes),
      kept(all, sizes),
      origins(all, sizes),
      // Two layers' lists, one that a choice writes; two of a group in flight, three behind a page stage.
      lists(all, sizes.longest, 3 + (piece.decisions.pages.size ? 3 : 2) * sizes.halves),
      ranking_items(all, sizes.longest),
      importance_memory(all, piece.shape, piece.decisions, sizes.width, machine.importance.tokens, piece.sequences),
      sorted_keys(all, sizes),
      candidate_lists(all, sizes),
      fetch_jobs(all, sizes),
      started_jobs(all),
      data_fifos(all, machine.fetcher.lanes, machine.fetcher.data_fifo),
      array_grant(machine.arrays == "shared"),
      first_passes(all, sizes),
      later_passes(all, sizes),
      greedy_jobs(all, sizes),
      key_released(all, sizes),
      score_rows(all, sizes),
      row_sums(all, sizes),
      verdicts_to_softmax(all, sizes),
      verdicts_to_controller(all, sizes),
      groups_done(all, sizes),
      compactions(all, sizes),
      compactions_done(all, sizes),
      topk_jobs(all, sizes),
      topk_answers(all, sizes),
      cascade_choices(all, sizes),
      cascade_jobs(all, sizes),
      cascade_answers(all, sizes),
      importance_jobs(all, sizes),
      importance_answers(all, sizes),
      magnitudes(all, sizes),
      pv_jobs(all, sizes),
      stores_released(all, sizes),
      pv_answers(all, sizes),
      outputs(all, sizes),
      write_bursts(all, sizes),
      writes_accepted(all, sizes),
      hbm2(all, memory_config(machine), machine.hbm2.energy, std::move(piece.image), writes_accepted),
      fetcher(all, machine.fetcher, MemoryGrid{machine.hbm2.channels, machine.hbm2.interleave_bytes}, fetch_jobs, lists,
              write_bursts, ports_of(hbm2.memory()), started_jobs, data_fifos),
      converter(all,
                ConverterParams{sizes.head_dim,
                                std::min({machine.converter.array_widths * (machine.qk.multipliers / sizes.head_dim),
                                          sizes.key_banks, sizes.value_banks}),
                                machine.converter.scales_per_cycle, piece.shape_only ? 32 : golden::kWordBits,
                                machine.converter.latency, piece.decisions.compensates},
                lists, started_jobs, data_fifos,
                ConverterTargets{keys, values, value_scales, value_sums, queries, constants}),
      greedy(all, Greedy::Params{machine.greedy, sizes.head_dim, sizes.longest, piece.decisions},
             GreedyMemories{keys, queries, sorted_keys, candidate_lists}, greedy_jobs),
      qk(all,
         Qk::Params{sizes.head_dim, machine.key_multipliers(), machine.qk.brick_bits, piece.shape_only,
                    piece.decisions.first_q_bits, piece.decisions.pages.bounds ? piece.decisions.pages.bits : 0},
         first_passes, later_passes, keys, queries, groups, array_grant, candidate_lists, score_rows, key_released),
      softmax(all,
              Softmax::Params{machine.softmax, piece.decisions, piece.shape_only,
                              std::max(machine.softmax.rows, sizes.halves * sizes.group), sizes.halves},
              SoftmaxMemories{groups, constants, scores, exponentials, probabilities, selection_scores, kept, origins},
              score_rows, verdicts_to_softmax, compactions, row_sums, groups_done, compactions_done),
      progressive(all, piece.decisions, groups, row_sums, verdicts_to_softmax, verdicts_to_controller),
      topk(all, "topk", "topk", selection_config(machine.topk, piece.decisions.score_bits, piece.seed),
           static_cast<unsigned>(machine.topk.load_width), TopkMemories{selection_scores, ranking_items, kept, lists},
           topk_jobs, topk_answers),
      pv(all,
         Pv::Params{sizes.head_dim,
                    vectors_a_cycle(machine.value_multipliers(), machine.pv.brick_bits, golden::kWordBits,
                                    std::min(piece.decisions.v_bits, golden::kWordBits), sizes.head_dim),
                    sizes.width, machine.pv.latency(), piece.decisions.token_scales, piece.decisions.renormalise,
                    piece.shape_only, machine.pv.requantizers, machine.pv.divide_latency, piece.decisions.v_bits,
                    piece.decisions.drops_zeros(), piece.decisions.lazy, machine.pv.output_vectors,
                    piece.decisions.weighs_heads},
         PvMemories{groups, constants, probabilities, kept, origins, values, value_scales, value_sums, candidate_lists,
                    array_grant},
         pv_jobs, outputs, magnitudes, stores_released, pv_answers),
      writeback(all, outputs, write_bursts),
      importance(all, sizes.width, machine.importance,
                 ImportanceMemories{groups, selection_scores, origins, lists, importance_memory}, importance_jobs,
                 importance_answers, magnitudes),
      cascade(all, sizes.width, CascadeMemories{lists, importance_memory, ranking_items}, cascade_choices,
              cascade_jobs),
      cascade_topk(all, "cascade_topk", "cascade topk",
                   topk_config(machine.topk, golden::kImportanceBits, piece.seed + 1),
                   static_cast<unsigned>(machine.topk.load_width),
                   TopkMemories{selection_scores, ranking_items, kept, lists}, cascade_jobs, cascade_answers),
      source(make_source(importance_memory)),
      controller(
          all,
          ControllerParams{sizes.group, sizes.head_dim, piece.shape_only, static_cast<std::size_t>(sizes.halves),
                           static_cast<std::size_t>(piece.sequences), static_cast<std::uint32_t>(machine.load_chunk),
                           static_cast<std::size_t>(machine.topk.parallelism), static_cast<std::size_t>(sizes.stores)},
          piece.decisions, *source,
          ControllerPorts{fetch_jobs, first_passes, later_passes, greedy_jobs, key_released, verdicts_to_controller,
                          groups_done, compactions, compactions_done, topk_jobs, cascade_choices, topk_answers,
                          cascade_answers, importance_jobs, importance_answers, pv_jobs, stores_released, pv_answers,
                          writes_accepted},
          ControllerMemories{groups, constants, lists, ranking_items, origins, selection_scores, keys, values,
                             value_scales, value_sums, queries, importance_memory, candidate_lists}) {
  const int most = machine.topk.parallelism * machine.topk.fifo;
  if (piece.decisions.prunes_heads && piece.shape.heads > most)
    throw Error("heads: " + std::to_string(piece.shape.heads) + ": machine " + machine.name +
                " chooses among at most " + std::to_string(most) + " (topk.parallelism * topk.fifo): raise topk.fifo");
}

std::string Inventory::undrained() const {
  for (const LinkBase* link : all.links)
    if (!link->drained()) return std::string("link ") + link->info().name;
  for (const MemoryBase* memory : all.memories)
    if (!memory->drained()) return std::string("memory ") + memory->name();
  for (const Block* block : all.blocks)
    if (!block->idle()) return std::string("block ") + block->name();
  return {};
}

Block* Inventory::find_block(const std::string& name) const {
  const auto at = std::find_if(all.blocks.begin(), all.blocks.end(), [&](const Block* b) { return name == b->name(); });
  return at == all.blocks.end() ? nullptr : *at;
}

}  // namespace winnow
