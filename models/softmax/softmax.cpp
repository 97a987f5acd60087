#include "models/softmax/softmax.h"

#include <algorithm>

namespace winnow {

Softmax::Softmax(const Params& params, std::vector<GroupStore>& stores, Pipe<ScoreRow>& scores, Fifo<Verdict>& verdicts,
                 Fifo<CompactJob>& compact, Pipe<RowSum>& sums, Pipe<GroupDone>& done, Fifo<CompactDone>& compacted)
    : params_(params),
      stores_(stores),
      scores_(scores),
      verdicts_(verdicts),
      compact_jobs_(compact),
      sums_(sums),
      done_(done),
      compacted_(compacted) {
  for_exp_ = Rows(stores.size() * kMaxGroup + 1);
  for_divide_ = Rows(stores.size() * kMaxGroup + 1);
}

bool Softmax::idle() const {
  return scores_.drained() && !gathering_open_ && !exp_active_ && !divide_active_ &&
         const_cast<Rows&>(for_exp_).empty() && const_cast<Rows&>(for_divide_).empty() && !compacting_;
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
  GroupStore& g = stores_[in.store];
  const int head = in.tag.group;
  if (!gathering_open_) {
    gathering_ = {};
    gathering_.tag = in.tag, gathering_.store = in.store, gathering_.head = head;
    gathering_.top = INT64_MIN;
    g.query_sum[static_cast<std::size_t>(head)] = in.query_sum;
    gathering_open_ = true;
  }
  const int count = std::min(params_.width - packed_, in.count - taken_);
  if (!params_.shape_only) {
    std::int32_t* s = g.scores(head) + in.first + static_cast<std::uint32_t>(taken_);
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
  if (packed_ == params_.width || (in.last && taken_ == in.count)) packed_ = 0, ++fifo_words_;
  if (taken_ == in.count) {
    if (in.last) {
      gathering_.last_row = is_last_row(g, head);
      gathering_.needs_verdict = g.undecided;
      gathering_.ready = now + static_cast<Cycle>(params_.dequantize_latency);
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
    GroupStore& g = stores_[exp_row_.store];
    const auto h = static_cast<std::size_t>(exp_row_.head);
    if (params_.rest && g.rest[h] && !params_.shape_only) {
      // Twice the maxima, midpoint constants included; the scale takes the half back.
      const std::int64_t before =
          2 * g.top[h] + golden::midpoint_twice(g.query_sum[h], params_.digits, g.digit - 1, params_.msb);
      const std::int64_t after =
          2 * exp_row_.top + golden::midpoint_twice(g.query_sum[h], params_.digits, g.digit, params_.msb);
      const golden::Scale half{g.to_log2[h].mantissa, g.to_log2[h].shift + 1};
      g.rest[h] = golden::rescale_rest(g.rest[h], golden::mul_scale(before - after, half));
    }
    g.top[h] = exp_row_.top;
  }
  // The row's sum leaves with its last value; without room for it the row's end waits.
  const bool ends = exp_next_ + static_cast<std::uint32_t>(params_.width) >= exp_row_.n;
  if (ends && !sums_.can_push(now)) return false;
  GroupStore& g = stores_[exp_row_.store];
  const std::uint32_t end = std::min(exp_row_.n, exp_next_ + static_cast<std::uint32_t>(params_.width));
  if (!params_.shape_only) {
    const std::int32_t* s = g.scores(exp_row_.head);
    std::uint32_t* e = g.exps(exp_row_.head);
    const golden::Scale scale = g.to_log2[exp_row_.head];
    const auto top = static_cast<std::int32_t>(exp_row_.top);
    for (std::uint32_t i = exp_next_; i < end; ++i)
      exp_sum_ += e[i] = golden::exp2_neg(golden::log2_distance(static_cast<std::int64_t>(top) - s[i], scale));
  }
  exps_ += end - exp_next_;
  --fifo_words_;
  exp_next_ = end;
  if (end == exp_row_.n) {
    const auto h = static_cast<std::size_t>(exp_row_.head);
    const std::uint64_t sum = params_.shape_only ? golden::kExpOne : exp_sum_;
    g.denominator[h] = golden::saturating_denominator(g.last_pass ? sum + g.rest[h] : sum);
    exp_row_.reciprocal = golden::reciprocal(g.denominator[h]);
    exp_row_.ready =
        now + static_cast<Cycle>(params_.exp_latency + params_.accumulate_latency + params_.divide_latency);
    RowSum& out = sums_.push(now);
    out.tag = exp_row_.tag, out.store = exp_row_.store, out.denominator = g.denominator[h],
    out.last_row = exp_row_.last_row;
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
    GroupStore& g = stores_[row.store];
    if (g.follow && is_first_row(g, row.head)) {
      if (!done_.can_push(now)) return false;
      done_.push(now) = {row.tag, row.store};
    }
    g.readable[static_cast<std::size_t>(row.head)] = now + static_cast<Cycle>(params_.requantize_latency) + 1;
    divide_row_ = row;
    for_divide_.pop();
    divide_active_ = true, divide_next_ = 0;
  }
  const std::uint32_t end = std::min(divide_row_.n, divide_next_ + static_cast<std::uint32_t>(params_.width));
  GroupStore& g = stores_[divide_row_.store];
  const bool announces = end == divide_row_.n && divide_row_.last_row && !g.follow;
  if (announces && !done_.can_push(now)) return false;
  if (!params_.shape_only) {
    std::uint32_t* e = g.exps(divide_row_.head);
    const bool first = is_first_row(g, divide_row_.head);
    for (std::uint32_t i = divide_next_; i < end; ++i) {
      const std::uint32_t p = golden::probability(e[i], divide_row_.reciprocal);
      // Before a selection the exponentials stay: what is left out of them may join the rest.
      if (g.last_pass) e[i] = p;
      g.sums[i] = first ? p : params_.largest && !g.last_pass ? std::max(g.sums[i], p) : g.sums[i] + p;
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
    compact_left_ = (stores_[compact_job_.store].slots + static_cast<std::uint32_t>(params_.width) - 1) /
                    static_cast<std::uint32_t>(params_.width);
  }
  if (compact_left_) --compact_left_, ++compaction_cycles_;
  if (compact_left_ || !compacted_.can_push(now)) return;
  GroupStore& g = stores_[compact_job_.store];
  std::uint32_t to = 0;
  std::array<std::uint64_t, kMaxGroup> left_out{};
  for (std::uint32_t i = 0; i < g.slots; ++i) {
    const bool kept = g.kept[i] != 0;
    for (int h = 0; h < kMaxGroup; ++h) {
      if (!((g.heads >> h) & 1)) {
        if (!(g.heads >> h)) break;
        continue;
      }
      if (kept)
        g.scores(h)[to] = g.scores(h)[i];
      else
        left_out[static_cast<std::size_t>(h)] += g.exps(h)[i];
    }
    if (kept) g.origin[to++] = g.origin[i];
  }
  if (params_.rest)
    for (int h = 0; h < kMaxGroup; ++h)
      if ((g.heads >> h) & 1) {
        auto& rest = g.rest[static_cast<std::size_t>(h)];
        rest = golden::saturating_denominator(rest + left_out[static_cast<std::size_t>(h)]);
      }
  g.slots = to;
  compacting_ = false;
  compacted_.push(now, {compact_job_.store});
}

}  // namespace winnow
