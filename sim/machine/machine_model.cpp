#include "sim/machine/machine_model.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "golden/error.h"

namespace winnow {

void require_served(const Machine& machine, const golden::Decisions& d) {
  if (d.searches() && machine.greedy.columns == 0)
    throw Error("policy: candidates: below 1: machine " + machine.name +
                " has no greedy search: take machine a3, or set greedy.columns");
  if (d.coded)
    throw Error("policy: key_basis: trace: no machine has keys in a basis of their own yet: golden alone serves it");
  if (d.crude_query()) {
    // The survivors' digits lie beside the first plane, in a half in the same word; first digits are found by token.
    const bool pool = machine.buffers == "pool";
    const int bits = d.digits.width[0] * 2 + d.digits.width[1];
    const bool fits = d.digits.count == 2 && (pool || bits <= golden::kWordBits);
    if (!fits || d.prunes_tokens || d.pages.size)
      throw Error(std::string("policy: first_q_bits: ") + std::to_string(d.first_q_bits) + ": must be " +
                  std::to_string(golden::kWordBits) + " " +
                  (fits ? std::string("where ") + (d.pages.size ? "there are pages" : "the cascade prunes tokens") +
                              ": the machine finds first digits by token"
                   : pool ? "unless K has two digits"
                          : "unless K has two digits, and the first twice with the second " +
                                std::to_string(golden::kWordBits) + " bits at most: that is a word of the key buffer"));
  }
}

// The piece's image moves into the memory; the rest of it is still read.
MachineModel::MachineModel(const Machine& machine, Workpiece piece, const MakeSource& make_source, OnLayer on_layer)
    : parts_(machine, std::move(piece), make_source),
      group_(piece.shape.group()),
      recorder_(parts_.groups, parts_.probabilities, parts_.kept, parts_.origins, parts_.candidate_lists, parts_.lists,
                group_, !piece.shape_only),
      lazy_controller_(parts_.controller, parts_.queries),
      time_(parts_.qk, parts_.controller),
      blocks_(parts_.all.blocks),
      on_layer_(std::move(on_layer)) {
  require_served(machine, piece.decisions);
  parts_.controller.observe(&recorder_);
  std::replace(blocks_.begin(), blocks_.end(), static_cast<Block*>(&parts_.controller),
               static_cast<Block*>(&lazy_controller_));
  // What the controller does to memories shows in the same cycle.
  std::rotate(blocks_.begin(), blocks_.end() - 1, blocks_.end());
}

void MachineModel::stand_in(Block& block, Block& other) {
  std::replace(blocks_.begin(), blocks_.end(), &block, &other);
}

void MachineModel::without_short_cuts() {
  std::replace(blocks_.begin(), blocks_.end(), static_cast<Block*>(&lazy_controller_),
               static_cast<Block*>(&parts_.controller));
}

void MachineModel::report(StatSink& sink, Cycle cycles) const {
  for (const Block* block : parts_.all.blocks) {
    if (!block->there()) continue;
    StatSink& part = sink.part(block->name(), block->label());
    if (block->stats().cycles()) {
      block->stats().report(part);
      part.ratio("utilisation", "utilisation",
                 cycles ? static_cast<double>(block->stats().busy_cycles()) / static_cast<double>(cycles) : 0);
    }
    block->report(part);
  }
  for (const MemoryBase* memory : parts_.all.memories)
    if (memory->there()) memory->report(sink.part(memory->name(), memory->label()));
}

// What the controller concludes from its counts must be so.
void MachineModel::require_layer_written() const {
  const auto require = [&](bool so, const char* what) {
    if (!so) throw std::logic_error(std::string("machine: a layer was closed while ") + what);
  };
  require(parts_.pv.idle(), "P x V was at work");
  require(parts_.writeback.idle() && parts_.write_bursts.drained(), "outputs were on their way");
  require(parts_.importance.idle(), "importances were on their way");
  require(parts_.hbm2.memory().writes_accepted() == parts_.fetcher.writes(), "writes waited for the memory");
}

// Whom a block waited for most, for the report of a machine that stands.
static std::string waits_of(const Block& block) {
  const BlockStats& stats = block.stats();
  std::string who = "nobody";
  std::uint64_t most = 0;
  for (int i = 0; i < stats.wait_count(); ++i)
    if (stats.wait_at(i).cycles > most) most = stats.wait_at(i).cycles, who = stats.wait_at(i).label;
  return who;
}

bool MachineModel::begin_cycle() {
  time_.look();
  if (parts_.fetcher.writes() != writes_seen_) writes_seen_ = parts_.fetcher.writes(), last_write_ = last_moved_ = now_;
  if (parts_.fetcher.reads() != reads_seen_) {
    if (!requested_) requested_ = true, first_request_ = now_;
    reads_seen_ = parts_.fetcher.reads(), last_moved_ = now_;
    if (reads_seen_ >= record_most_) parts_.hbm2.memory().record(nullptr), record_most_ = ~std::uint64_t{0};
  }
  if (parts_.controller.layer_ended()) {
    // While the others of the round close, the next step of this one may begin with its sweep.
    if (parts_.controller.round_begins_to_end()) require_layer_written();
    const LayerPlan& plan = parts_.controller.layer();
    on_layer_(plan, recorder_.take(plan.sequence), count_layer());
    last_moved_ = now_;
  }
  if (parts_.controller.finished()) return false;
  if (now_ - last_moved_ > stuck_limit_)
    throw std::logic_error("machine: no request for " + std::to_string(stuck_limit_) + " cycles at cycle " +
                           std::to_string(now_) + "; Q x K waits for " + waits_of(parts_.qk) + ", P x V for " +
                           waits_of(parts_.pv) + ", the converter for " + waits_of(parts_.converter));
  ++now_;
  return true;
}

LayerCounts MachineModel::count_layer() {
  using golden::Kind;
  LayerCounts c;
  c.last_write = last_write_;
  const std::uint32_t epoch = parts_.controller.layer_epoch();
  const auto useful = [&](Kind k) -> std::uint64_t& { return c.accesses.useful[static_cast<std::size_t>(k)]; };
  const auto traffic = [&](Stream s) -> const Traffic& { return parts_.fetcher.traffic(s, epoch); };
  for (int i = 0; i < kStreams; ++i)
    c.accesses.stream_bursts[static_cast<std::size_t>(i)] = traffic(static_cast<Stream>(i)).bursts;
  useful(Kind::query) = traffic(Stream::query).useful_bytes;
  useful(Kind::value_scale) = traffic(Stream::value_scale).useful_bytes;
  useful(Kind::descriptor) = traffic(Stream::descriptor).useful_bytes;
  for (Stream s : {Stream::key, Stream::record}) {
    useful(Kind::key_msb) += traffic(s).first_digit_bytes;
    useful(Kind::key_lsb) += traffic(s).key_bytes - traffic(s).first_digit_bytes;
    useful(Kind::value) += traffic(s).value_bytes;
  }
  useful(Kind::value) += traffic(Stream::value).value_bytes;
  const Pv::OfLayer pv = parts_.pv.take_counts(epoch);
  c.qk_products = parts_.qk.take_products(epoch), c.pv_products = pv.products;
  const int words = parts_.sizes.head_dim;
  useful(Kind::out) = pv.outputs * golden::packed_bytes(words, golden::kWordBits);
  c.accesses.write_bursts = pv.outputs * static_cast<std::uint64_t>(output_bursts(words));
  // What P x V has given out is what was written, in layers that have ended and in those that end with this one.
  written_ += c.accesses.write_bursts, out_bytes_ += useful(Kind::out);
  if (parts_.controller.round_ends() &&
      (written_ != parts_.fetcher.writes() || out_bytes_ != parts_.writeback.useful_bytes()))
    throw std::logic_error("machine: " + std::to_string(parts_.fetcher.writes()) + " bursts were written of " +
                           std::to_string(written_) + " that P x V gave out");
  parts_.fetcher.close(epoch);
  return c;
}

}  // namespace winnow
