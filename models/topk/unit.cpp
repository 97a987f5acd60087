#include "models/topk/unit.h"

#include <algorithm>

namespace winnow {

void TopkUnit::tick(Cycle now) {
  const bool idles = !loading() && queue_.drained() && !engine_->busy() && !jobs_.can_pop(now);
  if (idles && !twin_) {  // the engine would stand still
    stats_.idle();
    return;
  }
  const topk::Outputs out = twin_ ? twin_->comb(*engine_, engine_->comb()) : engine_->comb();
  const bool holds_row = twin_ && twin_->holds_row(), holds_output = twin_ && twin_->holds_output();
  topk::Inputs in;
  if (!loading())
    offer(out, in, now);
  else if (!holds_row)
    load(out, in, now);
  in.out_ready = !holds_output && (!out.last || done_.can_push(now));
  if (out.out_valid && in.out_ready) keep(out, now);
  engine_->tick(in);
  if (twin_) twin_->tick(in);
  claim(now);
  idles ? stats_.idle() : stats_.busy();
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
    if (job.from_store) *m_.kept.write(job.store, 0, index, 1) = 1;
    if (job.kept != kEveryItem)
      m_.lists.append(job.kept, job.names == kEveryItem ? index : *m_.lists.read(job.names, index, 1));
  }
  kept_ += out.count;
  if (!out.last) return;
  done_.push(now, {job.store, kept_});
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

std::string TopkUnit::doing() const {
  if (queue_.drained()) return "no job";
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
