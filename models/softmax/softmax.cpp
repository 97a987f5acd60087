#include "models/softmax/softmax.h"

#include <algorithm>

namespace winnow {

Softmax::Softmax(const Params& params, SoftmaxMemories memories, Pipe<ScoreRow>& scores, Fifo<Verdict>& verdicts,
                 Fifo<CompactJob>& compact, Pipe<RowSum>& sums, Pipe<GroupDone>& done, Fifo<CompactDone>& compacted)
    : Block("softmax", "softmax"),
      params_(params),
      m_(memories),
      scores_(scores),
      verdicts_(verdicts),
      compact_jobs_(compact),
      sums_(sums),
      done_(done),
      compacted_(compacted),
      heads_(memories.groups.size() * kMaxGroup),
      for_exp_(memories.groups.size() * kMaxGroup + 1),
      for_divide_(memories.groups.size() * kMaxGroup + 1) {}

void Softmax::report(StatSink& sink) const {
  sink.count("exponentials", "exponentials", exps_);
  sink.count("divisions", "divisions", divisions_);
  sink.cycles("compaction", "compaction", compaction_cycles_);
}

bool Softmax::idle() const {
  return scores_.drained() && !gathering_open_ && !exp_active_ && !divide_active_ && for_exp_.empty() &&
         for_divide_.empty() && !compacting_;
}

void Softmax::tick(Cycle now) {
  // Last stage first: what a stage hands on is seen by the next one in the following cycle.
  const bool divided = divide(now);
  const bool exponentiated = exponentiate(now);
  const bool full = fifo_full() && scores_.can_pop(now);
  const bool gathered = gather(now);
  compact(now);
  if (divided || exponentiated || gathered)
    stats_.busy();
  else if (full)
    stats_.wait(kRowFifo);
  else if (!for_divide_.empty() && for_divide_.front().needs_verdict)
    stats_.wait(kVerdict);
  else
    stats_.wait(kQk);
}

bool Softmax::gather(Cycle now) {
  if (!scores_.can_pop(now) || fifo_full()) return false;
  ScoreRow& in = scores_.peek();
  const GroupEntry& g = m_.groups[in.store];
  const int h = in.tag.group;
  if (!gathering_open_) {
    gathering_ = {};
    gathering_.tag = in.tag, gathering_.store = in.store, gathering_.head = h;
    gathering_.top = INT64_MIN;
    head(in.store, h).query_sum = in.query_sum;
    if (!in.add) head(in.store, h).rest = 0;  // a new group
    gathering_open_ = true;
  }
  const int count = std::min(params_.sizes.width - packed_, in.count - taken_);
  if (!params_.shape_only) {
    const auto from = in.first + static_cast<std::uint32_t>(taken_), n = static_cast<std::uint32_t>(count);
    std::int32_t* s = m_.scores.write(in.store, static_cast<std::size_t>(h), from, n);
    if (in.add) m_.scores.read(in.store, static_cast<std::size_t>(h), from, n);
    const std::int32_t* x = &in.value[static_cast<std::size_t>(taken_)];
    std::int32_t top = INT32_MIN;
    for (int i = 0; i < count; ++i) {
      const std::int32_t v = in.add ? s[i] + x[i] : x[i];
      s[i] = v;
      top = std::max(top, v);
    }
    gathering_.top = std::max<std::int64_t>(gathering_.top, top);
  }
  gathering_.n += static_cast<std::uint32_t>(count);
  packed_ += count;
  taken_ += count;
  if (packed_ == params_.sizes.width || (in.last && taken_ == in.count)) packed_ = 0, ++fifo_words_;
  if (taken_ == in.count) {
    if (in.last) {
      gathering_.last_row = g.is_last_row(h);
      gathering_.needs_verdict = g.undecided;
      gathering_.ready = now + static_cast<Cycle>(params_.sizes.dequantize_latency);
      for_exp_.push(gathering_);
      gathering_open_ = false;
    }
    scores_.pop(now);
    taken_ = 0;
  }
  return true;
}

bool Softmax::exponentiate(Cycle now) {
  if (!exp_active_) {
    if (for_exp_.empty() || for_exp_.front().ready > now) return false;
    exp_row_ = for_exp_.front();
    for_exp_.pop();
    exp_active_ = true, exp_next_ = 0, exp_sum_ = 0;
    const GroupEntry& g = m_.groups[exp_row_.store];
    Head& h = head(exp_row_.store, exp_row_.head);
    if (params_.rest && h.rest && !params_.shape_only) {
      // Twice the maxima, midpoint constants included; the scale takes the half back.
      const std::int64_t before =
          2 * h.top + golden::midpoint_twice(h.query_sum, params_.digits, g.digit - 1, params_.msb);
      const std::int64_t after =
          2 * exp_row_.top + golden::midpoint_twice(h.query_sum, params_.digits, g.digit, params_.msb);
      const golden::Scale to_log2 = m_.constants.of(g.constants).to_log2[static_cast<std::size_t>(exp_row_.head)];
      const golden::Scale half{to_log2.mantissa, to_log2.shift + 1};
      h.rest = golden::rescale_rest(h.rest, golden::mul_scale(before - after, half));
    }
    h.top = exp_row_.top;
  }
  // The row's sum leaves with its last value; without room for it the row's end waits.
  const bool ends = exp_next_ + static_cast<std::uint32_t>(params_.sizes.width) >= exp_row_.n;
  if (ends && !sums_.can_push(now)) return false;
  const GroupEntry& g = m_.groups[exp_row_.store];
  const auto row = static_cast<std::size_t>(exp_row_.head);
  const std::uint32_t end = std::min(exp_row_.n, exp_next_ + static_cast<std::uint32_t>(params_.sizes.width));
  if (!params_.shape_only) {
    const std::uint32_t n = end - exp_next_;
    const std::int32_t* s = m_.scores.read(exp_row_.store, row, exp_next_, n);
    std::uint32_t* e = m_.exponentials.write(exp_row_.store, row, exp_next_, n);
    const golden::Scale scale = m_.constants.of(g.constants).to_log2[row];
    const auto top = static_cast<std::int32_t>(exp_row_.top);
    for (std::uint32_t i = 0; i < n; ++i)
      exp_sum_ += e[i] = golden::exp2_neg(golden::log2_distance(static_cast<std::int64_t>(top) - s[i], scale));
  }
  exps_ += end - exp_next_;
  --fifo_words_;
  exp_next_ = end;
  if (end == exp_row_.n) {
    const std::uint64_t sum = params_.shape_only ? golden::kExpOne : exp_sum_;
    const std::uint64_t denominator =
        golden::saturating_denominator(g.last_pass ? sum + head(exp_row_.store, exp_row_.head).rest : sum);
    exp_row_.reciprocal = golden::reciprocal(denominator);
    exp_row_.ready = now + static_cast<Cycle>(params_.sizes.exp_latency + params_.sizes.accumulate_latency +
                                              params_.sizes.divide_latency);
    RowSum& out = sums_.push(now);
    out.tag = exp_row_.tag, out.store = exp_row_.store, out.denominator = denominator, out.last_row = exp_row_.last_row;
    for_divide_.push(exp_row_);
    exp_active_ = false;
  }
  return true;
}

bool Softmax::divide(Cycle now) {
  if (!divide_active_) {
    if (for_divide_.empty() || for_divide_.front().ready > now) return false;
    if (for_divide_.front().needs_verdict) {
      if (!verdict_held_ && verdicts_.can_pop(now))
        verdict_ = verdicts_.peek(), verdicts_.pop(now), verdict_held_ = true;
      if (!verdict_held_ || verdict_.store != for_divide_.front().store) return false;
      if (verdict_.refetch) {
        // The first pass is discarded: its rows are dropped, one a cycle.
        if (for_divide_.front().last_row) verdict_held_ = false;
        for_divide_.pop();
        return false;
      }
      if (for_divide_.front().last_row) verdict_held_ = false;
    }
    // Readers that follow slot by slot at the same rate never overtake: they hear of the group with its first row.
    const Row& row = for_divide_.front();
    GroupEntry& g = m_.groups[row.store];
    if (g.follow && g.is_first_row(row.head)) {
      if (!done_.can_push(now)) return false;
      done_.push(now) = {row.tag, row.store};
    }
    g.readable[static_cast<std::size_t>(row.head)] = now + static_cast<Cycle>(params_.sizes.requantize_latency) + 1;
    divide_row_ = row;
    for_divide_.pop();
    divide_active_ = true, divide_next_ = 0;
  }
  const std::uint32_t end = std::min(divide_row_.n, divide_next_ + static_cast<std::uint32_t>(params_.sizes.width));
  const GroupEntry& g = m_.groups[divide_row_.store];
  const bool announces = end == divide_row_.n && divide_row_.last_row && !g.follow;
  if (announces && !done_.can_push(now)) return false;
  if (!params_.shape_only) {
    const std::uint32_t n = end - divide_next_;
    const auto row = static_cast<std::size_t>(divide_row_.head);
    const std::uint32_t* e = m_.exponentials.read(divide_row_.store, row, divide_next_, n);
    // Before a selection the exponentials stay: what is left out of them may join the rest.
    std::uint32_t* to = g.last_pass ? m_.exponentials.write(divide_row_.store, row, divide_next_, n) : nullptr;
    const bool first = g.is_first_row(divide_row_.head);
    std::uint32_t* sums = m_.selection_scores.write(divide_row_.store, 0, divide_next_, n);
    if (!first) m_.selection_scores.read(divide_row_.store, 0, divide_next_, n);
    for (std::uint32_t i = 0; i < n; ++i) {
      const std::uint32_t p = golden::probability(e[i], divide_row_.reciprocal);
      if (to) to[i] = p;
      sums[i] = first ? p : params_.largest && !g.last_pass ? std::max(sums[i], p) : sums[i] + p;
    }
  }
  divisions_ += end - divide_next_;
  divide_next_ = end;
  if (end == divide_row_.n) {
    divide_active_ = false;
    if (announces) done_.push(now) = {divide_row_.tag, divide_row_.store};
  }
  return true;
}

void Softmax::compact(Cycle now) {
  if (!compacting_) {
    if (!compact_jobs_.can_pop(now)) return;
    compact_job_ = compact_jobs_.peek();
    compact_jobs_.pop(now);
    compacting_ = true;
    compact_left_ = (m_.groups[compact_job_.store].slots + static_cast<std::uint32_t>(params_.sizes.width) - 1) /
                    static_cast<std::uint32_t>(params_.sizes.width);
  }
  if (compact_left_) --compact_left_, ++compaction_cycles_;
  if (compact_left_ || !compacted_.can_push(now)) return;
  const std::size_t store = compact_job_.store;
  GroupEntry& g = m_.groups[store];
  const std::uint8_t* kept = m_.kept.read(store, 0, 0, g.slots);
  std::uint32_t to = 0;
  std::uint32_t* origins = m_.origins.write(store, 0, 0, 0);
  m_.origins.read(store, 0, 0, g.slots);
  for (std::uint32_t i = 0; i < g.slots; ++i)
    if (kept[i]) origins[to++] = origins[i];
  m_.origins.write(store, 0, 0, to);
  for (int h = 0; h < kMaxGroup; ++h) {
    if (!((g.heads >> h) & 1)) continue;
    const auto row = static_cast<std::size_t>(h);
    m_.scores.read(store, row, 0, g.slots);
    std::int32_t* scores = m_.scores.write(store, row, 0, to);
    const std::uint32_t* e = m_.exponentials.read(store, row, 0, g.slots - to);
    std::uint64_t left_out = 0;
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < g.slots; ++i) {
      if (kept[i])
        scores[next++] = scores[i];
      else
        left_out += e[i];
    }
    if (params_.rest) head(store, h).rest = golden::saturating_denominator(head(store, h).rest + left_out);
  }
  g.slots = to;
  compacting_ = false;
  compacted_.push(now, {compact_job_.store});
}

}  // namespace winnow
