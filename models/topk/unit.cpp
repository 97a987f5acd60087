#include "models/topk/unit.h"

#include <algorithm>

namespace winnow {

void TopkUnit::tick(Cycle now) {
  const bool idles = !active_ && !engine_.busy() && !jobs_.can_pop(now);
  if (idles && !twin_) {  // the engine would stand still
    stats_.idle();
    return;
  }
  const topk::Outputs out = twin_ ? twin_->comb(engine_, engine_.comb()) : engine_.comb();
  const bool holds_row = twin_ && twin_->holds_row(), holds_output = twin_ && twin_->holds_output();
  topk::Inputs in;
  if (!active_ && jobs_.can_pop(now))
    job_ = jobs_.peek(), jobs_.pop(now), active_ = true, started_ = false, next_ = have_ = 0, kept_ = 0;
  if (active_ && !started_) {
    in.job_valid = true, in.job = job_.job;
    if (out.job_ready) {
      started_ = true;
      if (job_.from_store) m_.kept.clear(job_.store);
      if (job_.kept != kEveryItem) m_.lists.clear(job_.kept);
    }
  } else if (active_ && next_ < job_.job.n && !holds_row) {
    const unsigned count = std::min(engine_.config().parallelism, job_.job.n - next_);
    load(count, now);
    if (have_ == count) {
      in.row = &row_;
      if (out.row_ready) next_ += count, have_ = 0;
    }
  }
  in.out_ready = !holds_output && (!out.last || done_.can_push(now));
  if (out.out_valid && in.out_ready) {
    keep(out);
    kept_ += out.count;
    if (out.last) {
      done_.push(now, {job_.store, kept_});
      active_ = false;
    }
  }
  engine_.tick(in);
  if (twin_) twin_->tick(in);
  const unsigned row = active_ ? std::min(engine_.config().parallelism, job_.job.n - next_) : 0;
  if (active_ && started_ && job_.from_store && have_ < row)
    m_.selection_scores.claim(job_.store, next_ + have_, std::min(load_width_, row - have_), now + 1);
  idles ? stats_.idle() : stats_.busy();
}

void TopkUnit::load(unsigned count, Cycle now) {
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

void TopkUnit::keep(const topk::Outputs& out) {
  for (unsigned i = 0; i < out.count; ++i) {
    const auto index = static_cast<std::uint32_t>((*out.indices)[i]);
    if (job_.from_store) *m_.kept.write(job_.store, 0, index, 1) = 1;
    if (job_.kept != kEveryItem)
      m_.lists.append(job_.kept, job_.names == kEveryItem ? index : *m_.lists.read(job_.names, index, 1));
  }
}

void TopkUnit::report(StatSink& sink) const {
  const topk::Stats& k = engine_.stats();
  sink.count("jobs", "jobs", k.jobs);
  sink.count("items", "items", k.items);
  sink.count("passes", "passes", k.passes);
  sink.cycles("load", "load", k.load_cycles);
  sink.cycles("select", "select", k.select_cycles);
  sink.cycles("filter", "filter", k.filter_cycles);
}

std::string TopkUnit::doing() const {
  if (!active_) return "no job";
  const topk::Job& j = job_.job;
  const auto name = [&](std::uint32_t item) {
    return std::to_string(job_.names == kEveryItem ? item : m_.lists.peek(job_.names)[item]);
  };
  std::string text = "step " + std::to_string(job_.tag.step) + ", layer " + std::to_string(job_.tag.layer) + ", ";
  if (job_.tag.head != kAllHeads) text += "KV head " + std::to_string(job_.tag.head) + ", ";
  if (job_.from_store)
    text += "query " + std::to_string(job_.tag.query) + " of the step, pass " + std::to_string(job_.tag.pass) + ", ";
  const std::string what = name_of(job_.what);
  text += "which " + what + " stay: n " + std::to_string(j.n) + (j.rule == topk::Rule::count ? ", k " : ", mu16 ") +
          std::to_string(j.amount);
  if (next_ == 0) return text + "; nothing loaded yet";
  if (next_ < j.n) {
    const unsigned from = (next_ - 1) / engine_.config().parallelism * engine_.config().parallelism;
    return text + "; just loaded " + what + " " + name(from) + " to " + name(next_ - 1);
  }
  return text + "; all loaded (" + name(0) + " to " + name(j.n - 1) + "), " + std::to_string(kept_) + " given out";
}

}  // namespace winnow
