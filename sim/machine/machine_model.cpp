#include "sim/machine/machine_model.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "golden/error.h"

namespace winnow {
namespace {

hbm2::MemoryConfig memory_config(const Machine& m) {
  hbm2::MemoryConfig c;
  c.channels = m.hbm2.channels, c.interleave_bytes = m.hbm2.interleave_bytes, c.mapping = m.hbm2.mapping;
  c.controller = c.spec.controller("ch");
  c.controller.read_queue = m.hbm2.read_queue, c.controller.write_queue = m.hbm2.write_queue;
  c.return_queue = m.hbm2.return_queue;
  c.refresh_phase = static_cast<Cycle>(m.hbm2.refresh_phase);
  return c;
}

fetcher::Params fetcher_params(const Machine& m) {
  fetcher::Params p;
  p.lanes = m.fetcher.lanes, p.channels = m.hbm2.channels, p.interleave_bytes = m.hbm2.interleave_bytes;
  p.address_fifo = m.fetcher.address_fifo, p.data_fifo = m.fetcher.data_fifo;
  return p;
}

topk::Config topk_config(const Machine& m, int item_bits, std::uint64_t seed) {
  topk::Config c;
  c.parallelism = static_cast<unsigned>(m.topk.parallelism), c.fifo_depth = static_cast<unsigned>(m.topk.fifo);
  c.item_bits = static_cast<unsigned>(item_bits);
  c.pivot = m.topk.pivot == "random" ? topk::PivotRule::kRandom : topk::PivotRule::kSampled;
  c.seed = seed;
  return c;
}

std::vector<GroupStore> make_stores(std::size_t count, int group, int longest) {
  std::vector<GroupStore> stores(count);
  for (GroupStore& s : stores) s.resize(group, static_cast<std::uint32_t>(longest));
  return stores;
}

}  // namespace

MachineModel::MachineModel(const Machine& machine, Workpiece piece, const MakeSource& make_source, OnLayer on_layer)
    : m_(machine),
      shape_(piece.shape),
      decisions_(piece.decisions),
      group_(piece.shape.group()),
      longest_(piece.longest),
      qk_banks_(machine.qk.multipliers / piece.shape.head_dim),
      pv_banks_(machine.pv.multipliers / piece.shape.head_dim),
      shape_only_(piece.shape_only),
      // Where K and V are resident a query's group needs a store only while it is in the pipeline.
      prompt_stores_(static_cast<std::size_t>(std::clamp(
          machine.heads_in_flight * machine.score_store_entries / std::max(1, piece.shape.group() * piece.longest),
          machine.heads_in_flight, 16))),
      stores_(
          make_stores(std::max(prompt_stores_, static_cast<std::size_t>(machine.heads_in_flight)), group_, longest_)),
      keys_("key buffer", machine.heads_in_flight, longest_, shape_.head_dim, qk_banks_),
      values_("value buffer", machine.heads_in_flight, longest_, shape_.head_dim, pv_banks_),
      scales_(machine.heads_in_flight, longest_),
      queries_(std::max(2 * machine.heads_in_flight, 4 * golden::kQueryChunk) * group_, shape_.head_dim),
      fetch_jobs_(2),
      write_bursts_(8),
      qk_first_(static_cast<std::size_t>(4 * group_ + 16)),
      qk_later_(static_cast<std::size_t>(4 * group_ + 16)),
      key_released_(4),
      scores_(static_cast<Cycle>(machine.qk.latency()), static_cast<std::size_t>(machine.qk.latency() + 4)),
      verdicts_to_softmax_(4),
      verdicts_to_controller_(4),
      row_sums_(static_cast<Cycle>(machine.softmax.exp_latency + machine.softmax.accumulate_latency), 64),
      groups_done_(static_cast<Cycle>(machine.softmax.requantize_latency), 32),
      compact_jobs_(4),
      compacted_(4),
      topk_jobs_(8),
      cascade_jobs_(4),
      topk_done_(4),
      cascade_done_(4),
      importance_jobs_(32),
      importance_done_(8),
      magnitudes_(8),
      pv_jobs_(32),
      stores_released_(8),
      pv_done_(8),
      outputs_(4),
      memory_(memory_config(machine), std::move(piece.image)),
      fetcher_(fetcher_params(machine), fetch_jobs_, write_bursts_, fetcher::ports_of(memory_)),
      converter_({shape_.head_dim, std::max(qk_banks_, pv_banks_), 32, shape_only_ ? 32 : golden::kWordBits},
                 fetcher_.started(), fetcher_.data(), {keys_, values_, scales_, queries_}),
      qk_({shape_.head_dim, qk_banks_, machine.qk.latency(), shape_only_}, qk_first_, qk_later_, keys_, queries_,
          scores_, key_released_),
      softmax_({machine.softmax.width, machine.softmax.row_fifo, machine.softmax.dequantize_latency,
                machine.softmax.exp_latency, machine.softmax.accumulate_latency, machine.softmax.divide_latency,
                machine.softmax.requantize_latency, decisions_.digits, decisions_.msb, decisions_.rest,
                decisions_.largest, shape_only_},
               stores_, scores_, verdicts_to_softmax_, compact_jobs_, row_sums_, groups_done_, compacted_),
      progressive_(decisions_.theta16, stores_, row_sums_, verdicts_to_softmax_, verdicts_to_controller_),
      importance_(shape_, decisions_, machine.softmax.width, stores_, importance_jobs_, importance_done_, magnitudes_),
      topk_("topk", topk_config(machine, decisions_.score_bits, piece.seed), stores_, topk_jobs_, topk_done_),
      cascade_topk_("cascade topk", topk_config(machine, golden::kImportanceBits, piece.seed + 1), stores_,
                    cascade_jobs_, cascade_done_),
      pv_({shape_.head_dim, pv_banks_, machine.softmax.width, machine.pv.latency(), decisions_.token_scales,
           decisions_.renormalise, shape_only_},
          stores_, pv_jobs_, values_, scales_, outputs_, magnitudes_, stores_released_, pv_done_),
      writeback_(outputs_, write_bursts_),
      source_(make_source(importance_)),
      controller_(
          {group_, shape_.head_dim, shape_only_, static_cast<std::size_t>(machine.heads_in_flight), prompt_stores_},
          decisions_, *source_,
          {fetch_jobs_, qk_first_, qk_later_, key_released_, verdicts_to_controller_, groups_done_, compact_jobs_,
           compacted_, topk_jobs_, cascade_jobs_, topk_done_, cascade_done_, importance_jobs_, importance_done_,
           pv_jobs_, stores_released_, pv_done_},
          {stores_, keys_, values_, scales_, queries_, importance_}),
      on_layer_(std::move(on_layer)) {
  const int most = machine.topk.parallelism * machine.topk.fifo;
  if (decisions_.prunes_heads && shape_.heads > most)
    throw Error("heads: " + std::to_string(shape_.heads) + ": machine " + machine.name + " chooses among at most " +
                std::to_string(most) + " (topk.parallelism * topk.fifo): raise topk.fifo");
}

// The last output has left the fetcher and is in a controller's queue, where every later read finds it.
bool MachineModel::layer_written() const {
  if (!controller_.layer_computed() || !pv_.idle() || !writeback_.idle() || !importance_.idle()) return false;
  const std::uint64_t expected = (vectors_closed_ + controller_.layer_vectors()) *
                                 static_cast<std::uint64_t>(writeback::bursts_of(shape_.head_dim));
  if (fetcher_.writes() != expected) return false;
  auto& memory = const_cast<hbm2::Memory&>(memory_);
  for (int c = 0; c < memory.channels(); ++c)
    if (!memory.requests(c).drained()) return false;
  return true;
}

bool MachineModel::begin_cycle() {
  if (fetcher_.writes() != writes_seen_) writes_seen_ = fetcher_.writes(), last_write_ = last_moved_ = now_;
  if (fetcher_.reads() != reads_seen_) {
    if (!requested_) requested_ = true, first_request_ = now_;
    reads_seen_ = fetcher_.reads(), last_moved_ = now_;
    if (reads_seen_ >= record_most_) memory_.record(nullptr), record_most_ = ~std::uint64_t{0};
  }
  if (controller_.layer_computed() && layer_written()) {
    on_layer_(controller_.layer(), controller_.layer_records(), count_layer());
    vectors_closed_ += controller_.layer_vectors();
    controller_.close_layer(now_);
    last_moved_ = now_;
  }
  if (controller_.finished()) return false;
  if (now_ - last_moved_ > stuck_limit_)
    throw std::logic_error("machine: no request for " + std::to_string(stuck_limit_) + " cycles at cycle " +
                           std::to_string(now_));
  ++now_;
  return true;
}

void MachineModel::tick() {
  for_each_block([&](const char*, auto& block) { block.tick(now_); });
}

LayerCounts MachineModel::count_layer() {
  using golden::Kind;
  LayerCounts c;
  c.last_write = last_write_;
  const std::uint32_t epoch = controller_.layer_epoch();
  const auto useful = [&](Kind k) -> std::uint64_t& { return c.accesses.useful[static_cast<std::size_t>(k)]; };
  const auto traffic = [&](Stream s) -> const fetcher::Traffic& { return fetcher_.traffic(s, epoch); };
  for (int i = 0; i < kStreams; ++i)
    c.accesses.stream_bursts[static_cast<std::size_t>(i)] = traffic(static_cast<Stream>(i)).bursts;
  useful(Kind::query) = traffic(Stream::query).useful_bytes;
  useful(Kind::value_scale) = traffic(Stream::value_scale).useful_bytes;
  for (Stream s : {Stream::key, Stream::record}) {
    useful(Kind::key_msb) += traffic(s).first_digit_bytes;
    useful(Kind::key_lsb) += traffic(s).key_bytes - traffic(s).first_digit_bytes;
    useful(Kind::value) += traffic(s).value_bytes;
  }
  useful(Kind::value) += traffic(Stream::value).value_bytes;
  // Writes, products: nothing of the next layer can have happened yet.
  const auto since = [](std::uint64_t now, std::uint64_t& seen) {
    const std::uint64_t d = now - seen;
    seen = now;
    return d;
  };
  useful(Kind::out) = since(writeback_.useful_bytes(), out_bytes_seen_);
  c.accesses.write_bursts = since(fetcher_.writes(), bursts_written_seen_);
  c.qk_products = since(qk_.multiplications(), qk_products_seen_);
  c.pv_products = since(pv_.multiplications(), pv_products_seen_);
  fetcher_.close(epoch);
  return c;
}

std::string MachineModel::undrained() const {
  const std::pair<const char*, bool> held[] = {{"fetch jobs", fetch_jobs_.drained()},
                                               {"write bursts", write_bursts_.drained()},
                                               {"first passes", qk_first_.drained()},
                                               {"later passes", qk_later_.drained()},
                                               {"released halves", key_released_.drained()},
                                               {"scores", scores_.drained()},
                                               {"verdicts to softmax", verdicts_to_softmax_.drained()},
                                               {"verdicts to controller", verdicts_to_controller_.drained()},
                                               {"row sums", row_sums_.drained()},
                                               {"groups done", groups_done_.drained()},
                                               {"compactions", compact_jobs_.drained()},
                                               {"compactions done", compacted_.drained()},
                                               {"top-k jobs", topk_jobs_.drained()},
                                               {"cascade jobs", cascade_jobs_.drained()},
                                               {"top-k answers", topk_done_.drained()},
                                               {"cascade answers", cascade_done_.drained()},
                                               {"importance jobs", importance_jobs_.drained()},
                                               {"importance answers", importance_done_.drained()},
                                               {"magnitudes", magnitudes_.drained()},
                                               {"P x V jobs", pv_jobs_.drained()},
                                               {"released stores", stores_released_.drained()},
                                               {"P x V answers", pv_done_.drained()},
                                               {"outputs", outputs_.drained()},
                                               {"queries", queries_.pushed() == queries_.released()},
                                               {"qk", qk_.idle()},
                                               {"softmax", softmax_.idle()},
                                               {"top-k", topk_.idle()},
                                               {"importance", importance_.idle()},
                                               {"cascade top-k", cascade_topk_.idle()},
                                               {"pv", pv_.idle()},
                                               {"write-back", writeback_.idle()}};
  for (const auto& [name, drained] : held)
    if (!drained) return name;
  for (int c = 0; c < memory_.channels(); ++c)
    if (!memory_.requests(c).drained() || !memory_.returns(c).drained()) return "channel " + std::to_string(c);
  return {};
}

std::vector<const BlockStats*> MachineModel::block_stats() const {
  return {&fetcher_.stats(),     &converter_.stats(),    &qk_.stats(),        &softmax_.stats(),
          &progressive_.stats(), &topk_.stats(),         &pv_.stats(),        &writeback_.stats(),
          &importance_.stats(),  &cascade_topk_.stats(), &controller_.stats()};
}

}  // namespace winnow
