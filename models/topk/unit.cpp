#include "models/topk/unit.h"

#include <algorithm>

#include "models/topk/bracket_engine.h"
#include "models/topk/lfsr.h"

namespace winnow {

void TopkUnit::tick(Cycle now) {
  const bool idles = !loading() && queue_.drained() && !engine_->busy() && !jobs_.can_pop(now);
  if (idles) {  // the engine would stand still
    stats_.idle();
    return;
  }
  const topk::Outputs out = engine_->comb();
  topk::Inputs in;
  loading() ? load(out, in, now) : offer(out, in, now);
  in.out_ready = !out.last || done_.can_push(now);
  if (out.out_valid && in.out_ready) keep(out, now);
  engine_->tick(in);
  claim(now);
  stats_.busy();
}

// Only with the engine's ready: what a link offers may be taken back (Fifo::hold_consumer), an engine's job may not.
void TopkUnit::offer(const topk::Outputs& out, topk::Inputs& in, Cycle now) {
  if (!out.job_ready || !queue_.can_push(now) || !jobs_.can_pop(now)) return;
  job_ = jobs_.peek(), next_ = have_ = 0;
  jobs_.pop(now);
  queue_.push(now, job_);
  in.job_valid = true, in.job = job_.job;
  if (job_.from_store) m_.kept.clear(job_.store);
  if (job_.kept != kEveryItem) m_.lists.clear(job_.kept);
}

void TopkUnit::load(const topk::Outputs& out, topk::Inputs& in, Cycle now) {
  const unsigned count = row_items();
  fetch(count, now);
  if (have_ < count) return;
  in.row = &row_;
  if (out.row_ready) next_ += count, have_ = 0;
}

void TopkUnit::fetch(unsigned count, Cycle now) {
  if (have_ == count) return;
  if (job_.from_store) {
    const unsigned n = std::min(load_width_, count - have_);
    const std::uint32_t* items = m_.selection_scores.read(job_.store, 0, next_ + have_, n, now);
    std::copy_n(items, n, row_.begin() + have_);
    have_ += n;
  } else if (m_.ranking_items.there(job_.items, next_ + count, now)) {
    const std::uint64_t* items = m_.ranking_items.read(job_.items, next_, count);
    std::copy_n(items, count, row_.begin());
    have_ = count;
  }
}

void TopkUnit::claim(Cycle now) const {
  if (!loading() || !job_.from_store || have_ == row_items()) return;
  m_.selection_scores.claim(job_.store, next_ + have_, std::min(load_width_, row_items() - have_), now + 1);
}

void TopkUnit::keep(const topk::Outputs& out, Cycle now) {
  const TopkJob& job = queue_.peek();
  for (unsigned i = 0; i < out.count; ++i) {
    const auto index = static_cast<std::uint32_t>((*out.indices)[i]);
    if (job.from_store) m_.kept.set(job.store, index);
    if (job.kept != kEveryItem)
      m_.lists.append(job.kept, job.names == kEveryItem ? index : *m_.lists.read(job.names, index, 1));
  }
  kept_ += out.count;
  if (!out.last) return;
  done_.push(now, {job.store, kept_});
  last_ = job;
  queue_.pop(now);
  kept_ = 0;
}

void TopkUnit::report(StatSink& sink) const {
  const topk::Stats& k = engine_->stats();
  sink.count("jobs", "jobs", k.jobs);
  sink.count("items", "items", k.items);
  sink.count("passes", "passes", k.passes);
  sink.cycles("load", "load", k.load_cycles);
  sink.cycles("select", "select", k.select_cycles);
  sink.cycles("filter", "filter", k.filter_cycles);
}

void TopkUnit::parameters(const VisitParameter& visit) const {
  const topk::Config& c = engine_->config();
  visit("Parallelism", c.parallelism), visit("FifoDepth", c.fifo_depth);
  const bool bracket = c.prefilter == topk::Prefilter::bracket;
  // The paper's engine: one RTL for groups of up to 16 query heads. The other scans from an item's highest octave on.
  visit("ItemBits", bracket ? c.item_bits : std::max(topk::kItemBitsDefault, c.item_bits));
  visit("LoadWidth", std::min(load_width_, c.parallelism));
  visit("Bracket", bracket);
}

void TopkUnit::settings(const VisitSetting& visit) {
  topk::Config c = engine_->config();
  const std::uint32_t seed_was = topk::Lfsr::fold(c.seed), sampled_was = c.pivot == topk::PivotRule::sampled;
  std::uint32_t seed = seed_was, sampled = sampled_was;
  visit("seed", seed), visit("sampled", sampled);
  if (seed == seed_was && sampled == sampled_was) return;
  c.seed = seed, c.pivot = sampled ? topk::PivotRule::sampled : topk::PivotRule::random;
  engine_ = topk::make_engine(c);
}

namespace {

struct See {
  const Block::VisitProbe& visit;

  void one(const char* name, std::uint64_t value) const { visit(name, -1, value); }
  void lane(const char* name, unsigned i, std::uint64_t value) const { visit(name, static_cast<int>(i), value); }
  void lanes(const char* name, const topk::Row& row, unsigned count) const {
    for (unsigned i = 0; i < count; ++i) lane(name, i, row[i]);
  }
};

void show(const topk::Engine& e, const See& see) {
  const topk::QuickSelect& s = e.select();
  see.one("state", static_cast<std::uint64_t>(e.state())), see.one("store_level", e.store_level());
  // An idle engine is not ticked here.
  if (e.busy()) see.one("rows_left", e.rows_left()), see.one("target", s.target()), see.one("stride", s.stride_log2());
  const topk::CompareStage& c = e.compared();
  see.one("compared_valid", c.valid);
  if (c.valid) {
    see.one("compared_above", c.masks.above), see.one("compared_below", c.masks.below);
    see.lanes("compared_row", c.row, c.count);
  }
  const topk::Partitioned& p = e.partitioned();
  see.one("part_valid", p.valid);
  if (p.valid) {
    see.one("part_above", p.above), see.one("part_sum_above", p.sum_above);
  }
  if (p.valid && e.state() != topk::Engine::State::filter) {
    see.lanes("zero_eliminator_r", p.right, p.above), see.lanes("zero_eliminator_l", p.left, p.below);
    see.one("part_below", p.below), see.one("part_equal", p.equal);
  }
  see.one("pivot", s.pivot()), see.one("items", s.items()), see.one("known_above", s.above()),
      see.one("equals", s.equals());
  see.one("equal_count", s.equal_count()), see.one("sum_above", s.sum_above()), see.one("sum_equal", s.sum_equal());
  see.one("in_right", s.in_right()), see.one("level_l", s.left().fifo().level()),
      see.one("level_r", s.right().fifo().level());
  see.one("pack_l", s.left().pack_count()), see.one("pack_r", s.right().pack_count());
  see.one("items_l", s.left().items()), see.one("items_r", s.right().items());
}

void show(const topk::BracketEngine& e, const See& see) {
  using State = topk::List::State;
  see.one("load", static_cast<std::uint64_t>(e.load())), see.one("loading", e.loaded()), see.one("oldest", e.oldest());
  if (e.load() == topk::BracketEngine::Load::rows) see.one("rows_left", e.rows_left());
  for (unsigned i = 0; i < e.table().size(); ++i) {
    const topk::List& list = e.table()[i];
    const bool passed = list.state == State::pass, found = list.state == State::found;
    see.lane("list_state", i, static_cast<std::uint64_t>(list.state));
    if (list.state == State::free) continue;
    see.lane("list_n", i, list.n), see.lane("list_mass", i, list.mass), see.lane("list_target", i, list.target);
    if (passed || found) see.lane("list_low", i, list.low), see.lane("list_limit", i, list.limit);
    if (passed) see.lane("list_least", i, list.least), see.lane("list_shift", i, list.shift);
    if (found) see.lane("list_equals", i, list.equals), see.lane("list_kept", i, list.kept);
  }
  see.one("bins_total", e.bins().total()), see.one("bins_nonzero", e.bins().nonzero());
  const topk::BinScan& scan = e.scan();
  see.one("scan", static_cast<std::uint64_t>(scan.state()));
  if (!scan.idle())
    see.one("scan_list", scan.list()), see.one("scan_octave", scan.octave()), see.one("scan_below", scan.below());
  const topk::WindowPass& pass = e.pass();
  see.one("pass", static_cast<std::uint64_t>(pass.state())), see.one("pass_compared", pass.compared() != 0);
  if (!pass.idle()) {
    see.one("pass_list", pass.list()), see.one("pass_rows_left", pass.rows_left()), see.one("pass_above", pass.above());
    see.one("pass_sum_above", pass.sum_above()), see.one("pass_sum_inside", pass.sum_inside());
  }
  if (pass.compared() != 0)
    see.one("pass_compared_above", pass.compared_above()), see.one("pass_compared_inside", pass.compared_inside());
  const topk::WindowSearch& search = e.search();
  see.one("search", static_cast<std::uint64_t>(search.state()));
  if (!search.idle())
    see.one("search_list", search.list()), see.one("search_bin", search.bin()), see.one("search_over", search.over());
  if (search.state() == topk::WindowSearch::State::divide) see.one("search_quotient", search.quotient());
  const topk::ListFilter& filter = e.filter();
  see.one("filter_idle", filter.idle()), see.one("filter_compared", filter.compared_valid());
  if (!filter.idle())
    see.one("filter_rows_left", filter.rows_left()), see.one("filter_equals_left", filter.equals_left());
  if (filter.compared_valid()) {
    see.one("filter_stays", filter.stays()), see.one("filter_takes", filter.takes());
    for (unsigned i = 0; i < e.config().parallelism; ++i)
      if (filter.stays() >> i & 1) see.lane("filter_row", i, filter.compared()[i]);
  }
}

}  // namespace

void TopkUnit::probes(const VisitProbe& visit) const {
  const See see{visit};
  see.one("next", next_), see.one("have", have_), see.one("kept", kept_);
  if (const auto* paper = dynamic_cast<const topk::Engine*>(engine_.get())) show(*paper, see);
  if (const auto* bracket = dynamic_cast<const topk::BracketEngine*>(engine_.get())) show(*bracket, see);
}

std::string TopkUnit::doing() const {
  if (queue_.drained() && last_.job.n == 0) return "no job";
  if (queue_.drained()) return "no job; the last was " + work_of(last_) + "; all given out";
  const TopkJob& oldest = queue_.peek();
  const auto name = [&](const TopkJob& job, std::uint32_t item) {
    return std::to_string(job.names == kEveryItem ? item : m_.lists.peek(job.names)[item]);
  };
  std::string text = work_of(oldest);
  const bool alone = queue_.pushed() - queue_.popped() == 1;
  if (!alone || !loading())
    text += "; all loaded (" + name(oldest, 0) + " to " + name(oldest, oldest.job.n - 1) + "), " +
            std::to_string(kept_) + " given out";
  if (!loading()) return text;
  if (!alone) text += "; loading " + work_of(job_);
  if (next_ == 0) return text + "; nothing loaded yet";
  const unsigned from = (next_ - 1) / engine_->config().parallelism * engine_->config().parallelism;
  return text + "; just loaded " + name_of(job_.what) + " " + name(job_, from) + " to " + name(job_, next_ - 1);
}

// Whose job, and what it asks for.
std::string TopkUnit::work_of(const TopkJob& job) const {
  const topk::Job& j = job.job;
  std::string text = "step " + std::to_string(job.tag.step) + ", layer " + std::to_string(job.tag.layer) + ", ";
  if (job.tag.head != kAllHeads) text += "KV head " + std::to_string(job.tag.head) + ", ";
  if (job.from_store)
    text += "query " + std::to_string(job.tag.query) + " of the step, pass " + std::to_string(job.tag.pass) + ", ";
  return text + "which " + name_of(job.what) + " stay: n " + std::to_string(j.n) +
         (j.rule == topk::Rule::count ? ", k " : ", mu16 ") + std::to_string(j.amount);
}

}  // namespace winnow
