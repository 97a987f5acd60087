#include "models/softmax/softmax.h"

#include <algorithm>

namespace winnow {

Softmax::Softmax(const Params& params, SoftmaxMemories memories, Pipe<ScoreRow>& scores, Fifo<Verdict>& verdicts,
                 Fifo<CompactJob>& compact, Pipe<RowSum>& sums, Pipe<GroupDone>& done, Fifo<CompactDone>& compacted)
    : Block("softmax", "softmax"),
      params_(params),
      d_(params.decisions),
      m_(memories),
      scores_(scores),
      verdicts_(verdicts),
      compact_jobs_(compact),
      sums_(sums),
      done_(done),
      compacted_(compacted),
      heads_(memories.groups.size() * kMaxGroup),
      for_exp_(static_cast<std::size_t>(params.rows)),
      for_divide_(static_cast<std::size_t>(params.rows)) {}

void Softmax::report(StatSink& sink) const {
  sink.count("exponentials", "exponentials", exps_);
  sink.count("divisions", "divisions", divisions_);
  sink.count("crude_exponentials", "exponentials, powers of two", crude_exps_);
  sink.count("crude_divisions", "divisions of powers of two", crude_divisions_);
  sink.cycles("compaction", "compaction", compaction_cycles_);
}

bool Softmax::idle() const {
  return scores_.drained() && !gathering_open_ && !exp_active_ && !divide_active_ && for_exp_.empty() &&
         for_divide_.empty() && dividing_.empty() && !compacting_;
}

void Softmax::tick(Cycle now) {
  // Last stage first: what a stage hands on is seen by the next one in the following cycle.
  // A compaction moves all rows of a group. It waits until no row that lies in its banks is under way, and none begins
  // before it is over; in decode a group has banks of its own, so neither ever waits.
  compacted_half_ = compacting_                  ? half_of(compact_job_.store)
                    : compact_jobs_.can_pop(now) ? half_of(compact_jobs_.peek().store)
                                                 : kNoHalf;
  const bool banks_free = compacting_ || !uses(compacted_half_);
  const bool divided = divide(now);
  announce(now);
  const bool exponentiated = exponentiate(now);
  const bool full = (fifo_full() || for_exp_.full()) && scores_.can_pop(now);
  const bool gathered = gather(now);
  compact(now, banks_free);
  claim_sums(now);
  if (divided || exponentiated || gathered)
    stats_.busy();
  else if (full)
    stats_.wait(kRowFifo);
  else if (!for_divide_.empty() && for_divide_.front().needs_verdict)
    stats_.wait(kVerdict);
  else
    stats_.wait(kQk);
}

// A row is under way whose scores or exponentials lie in the head's banks.
bool Softmax::uses(int half) const {
  return (gathering_open_ && half_of(gathering_.store) == half) || (exp_active_ && half_of(exp_row_.store) == half) ||
         (divide_active_ && half_of(divide_row_.store) == half);
}

bool Softmax::gather(Cycle now) {
  if (!scores_.can_pop(now) || fifo_full() || for_exp_.full()) return false;
  ScoreRow& in = scores_.peek();
  if (!gathering_open_ && half_of(in.store) == compacted_half_) return false;
  const GroupEntry& g = m_.groups[in.store];
  const int h = in.tag.group;
  if (!gathering_open_) {
    gathering_ = {};
    gathering_.tag = in.tag, gathering_.store = in.store, gathering_.head = h;
    gathering_.top = INT64_MIN;
    gathering_.query_sum = in.query_sum, gathering_.query_size = in.query_size;
    if (in.tag.pass == 0) head(in.store, h).rest = 0;  // a new group
    gathering_open_ = true;
  }
  const int count = std::min(params_.sizes.widest(), in.count - taken_);
  const auto from = in.first + static_cast<std::uint32_t>(taken_), n = static_cast<std::uint32_t>(count);
  // The row before may be read by the next stage, from the same bank.
  if (in.add && !params_.shape_only && !m_.scores.can_read(in.store, static_cast<std::size_t>(h), from, n, now))
    return false;
  if (!params_.shape_only) {
    std::int32_t* s = m_.scores.write(in.store, static_cast<std::size_t>(h), from, n, now);
    if (in.add) m_.scores.read(in.store, static_cast<std::size_t>(h), from, n, now);
    const std::int32_t* x = &in.value[static_cast<std::size_t>(taken_)];
    std::int32_t top = INT32_MIN;
    const bool all = !anchored(g);
    for (int i = 0; i < count; ++i) {
      const std::int32_t v = in.add ? s[i] + x[i] : x[i];
      s[i] = v;
      if (all || d_.protects(from + static_cast<std::uint32_t>(i), g.keys)) top = std::max(top, v);
    }
    gathering_.top = std::max<std::int64_t>(gathering_.top, top);
  }
  gathering_.n += static_cast<std::uint32_t>(count);
  fifo_values_ += count;
  taken_ += count;
  if (taken_ == in.count) {
    if (in.last) {
      const auto width = static_cast<int>(width_of(g)), over = static_cast<int>(gathering_.n) % width;
      fifo_values_ += over ? width - over : 0;
      gathering_.last_row = g.is_last_row(h);
      gathering_.later = in.tag.pass > 0;
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
    if (half_of(for_exp_.front().store) == compacted_half_) return false;
    if (!params_.shape_only && !m_.constants.loaded(m_.groups[for_exp_.front().store].constants, now)) return false;
    exp_row_ = for_exp_.front();
    for_exp_.pop();
    exp_active_ = true, exp_next_ = 0, exp_sum_ = 0;
    const GroupEntry& g = m_.groups[exp_row_.store];
    Head& h = head(exp_row_.store, exp_row_.head);
    rest_ready_ = 0;
    if (!params_.shape_only) exp_rule_ = rule_of(exp_row_);
    if (d_.rest && exp_row_.later) {
      const Cycle begins = std::max(now, rest_free_);
      rest_free_ = begins + static_cast<Cycle>(params_.sizes.rest_interval);
      rest_ready_ = begins + static_cast<Cycle>(params_.sizes.rest_latency);
    }
    if (d_.rest && h.rest && !params_.shape_only) {
      // Twice the maxima, midpoint constants included; the scale takes the half back.
      const std::int64_t before = 2 * h.top + golden::midpoint_twice(h.query_sum, d_.digits, g.digit - 1, d_.msb);
      const std::int64_t after =
          2 * exp_row_.top + golden::midpoint_twice(exp_row_.query_sum, d_.digits, g.digit, d_.msb);
      const golden::Scale to_log2 = m_.constants.of(constants_of(exp_row_)).to_log2;
      const golden::Scale half{to_log2.mantissa, to_log2.shift + 1};
      h.rest = golden::rescale_rest(h.rest, golden::mul_scale(before - after, half));
    }
    h.top = exp_row_.top, h.query_sum = exp_row_.query_sum;
  }
  // The row's sum leaves with its last value; without room for it the row's end waits.
  const GroupEntry& g = m_.groups[exp_row_.store];
  const std::uint32_t width = width_of(g);
  const bool ends = exp_next_ + width >= exp_row_.n;
  if (ends && (!sums_.can_push(now) || for_divide_.full())) return false;
  const auto row = static_cast<std::size_t>(exp_row_.head);
  const std::uint32_t end = std::min(exp_row_.n, exp_next_ + width);
  if (!params_.shape_only) {
    const std::uint32_t n = end - exp_next_;
    const std::int32_t* s = m_.scores.read(exp_row_.store, row, exp_next_, n, now);
    std::uint32_t* e = m_.exponentials.write(exp_row_.store, row, exp_next_, n, now);
    const std::int64_t top = exp_row_.top;
    const golden::ScoreRule rule = exp_rule_;
    if (rule.kind == golden::ScoreRule::Kind::sigmoid) {
      for (std::uint32_t i = 0; i < n; ++i) exp_sum_ = std::max<std::uint64_t>(exp_sum_, e[i] = rule.weight(top, s[i]));
    } else {
      for (std::uint32_t i = 0; i < n; ++i) exp_sum_ += e[i] = rule.weight(top, s[i]);
    }
    if (g.merged && end == exp_row_.n) exp_sum_ += std::uint64_t{g.merged - 1} * e[n - 1];
  }
  exps_ += end - exp_next_;
  if (crude(g)) crude_exps_ += end - exp_next_;
  fifo_values_ -= static_cast<int>(width);
  exp_next_ = end;
  if (end == exp_row_.n) {
    const std::uint64_t sum = params_.shape_only ? golden::kExpOne : exp_sum_;
    const std::uint64_t denominator =
        golden::saturating_denominator(g.last_pass ? sum + head(exp_row_.store, exp_row_.head).rest : sum);
    exp_row_.denominator = denominator;
    if (!d_.sigmoid) exp_row_.reciprocal = golden::reciprocal(denominator);
    const Cycle summed = now + static_cast<Cycle>(params_.sizes.exp_latency + params_.sizes.accumulate_latency);
    // A row of sigmoids is not divided.
    const Cycle divides = d_.sigmoid ? summed : std::max({divider_free_, summed, rest_ready_});
    if (!d_.sigmoid) divider_free_ = divides + static_cast<Cycle>(params_.sizes.reciprocal_interval);
    exp_row_.ready = divides + static_cast<Cycle>(d_.sigmoid ? 0
                                                  : d_.lazy  ? params_.sizes.reciprocal_latency
                                                             : params_.sizes.divide_latency);
    RowSum& out = sums_.push(now);
    out.tag = exp_row_.tag, out.store = exp_row_.store, out.denominator = denominator, out.last_row = exp_row_.last_row;
    for_divide_.push(exp_row_);
    exp_active_ = false;
  }
  return true;
}

// Rows whose first probabilities leave the last stage: a bit that travels with them through its stages.
void Softmax::announce(Cycle now) {
  const auto leaves = [now](const Leaving& row) { return row.at <= now; };
  for (const Leaving& row : dividing_)
    if (leaves(row)) m_.groups[row.store].readable[static_cast<std::size_t>(row.head)].raise(now);
  std::erase_if(dividing_, leaves);
}

bool Softmax::divide(Cycle now) {
  if (!divide_active_) {
    if (for_divide_.empty() || for_divide_.front().ready > now) return false;
    if (half_of(for_divide_.front().store) == compacted_half_) return false;
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
    auto stages = static_cast<Cycle>(params_.sizes.requantize_latency);
    if (d_.compensates && g.last_pass && g.keys > g.slots) {
      // rest over the denominator and over the number left out: products. The number's reciprocal was divided while the
      // survivors' records were on their way, which takes longer.
      g.mean[static_cast<std::size_t>(row.head)] =
          golden::mean_left_out(head(row.store, row.head).rest, row.reciprocal, g.keys - g.slots);
      stages += static_cast<Cycle>(params_.sizes.rest_latency);
    }
    if (d_.lazy) g.mean[static_cast<std::size_t>(row.head)] = packed(golden::lazy_scale(row.denominator));
    dividing_.push_back({now + stages, row.store, row.head});
    divide_row_ = row;
    for_divide_.pop();
    divide_active_ = true, divide_next_ = 0;
  }
  const GroupEntry& g = m_.groups[divide_row_.store];
  const std::uint32_t end = std::min(divide_row_.n, divide_next_ + width_of(g));
  const bool announces = end == divide_row_.n && divide_row_.last_row && !g.follow;
  if (announces && !done_.can_push(now)) return false;
  if (!params_.shape_only) {
    const std::uint32_t n = end - divide_next_;
    const auto row = static_cast<std::size_t>(divide_row_.head);
    const std::uint32_t* e = m_.exponentials.read(divide_row_.store, row, divide_next_, n, now);
    // Nobody reads those before a selection.
    std::uint16_t* to = g.last_pass ? m_.probabilities.write(divide_row_.store, row, divide_next_, n, now) : nullptr;
    const bool first = g.is_first_row(divide_row_.head);
    std::uint32_t* sums =
        d_.accumulates() ? m_.selection_scores.write(divide_row_.store, 0, divide_next_, n, now) : nullptr;
    if (sums && !first) m_.selection_scores.read(divide_row_.store, 0, divide_next_, n, now);
    for (std::uint32_t i = 0; i < n; ++i) {
      const std::uint32_t p = weight_of(e[i], divide_next_ + i, g);
      if (to) to[i] = static_cast<std::uint16_t>(p);
      if (!sums) continue;
      if (marks(g)) {
        const bool stays = e[i] != 0 || (anchored(g) && d_.protects(divide_next_ + i, g.keys));
        sums[i] = (first ? 0 : sums[i]) | stays;
        continue;
      }
      sums[i] = first ? p : (d_.largest || g.pages) && !g.last_pass ? std::max(sums[i], p) : sums[i] + p;
    }
  }
  if (!d_.lazy && !d_.sigmoid) divisions_ += end - divide_next_;
  if (crude(g)) crude_divisions_ += end - divide_next_;
  divide_next_ = end;
  if (end == divide_row_.n) {
    divide_active_ = false;
    if (announces) done_.push(now) = {divide_row_.tag, divide_row_.store};
  }
  return true;
}

// What the divide stage makes of an exponential of the row at hand.
std::uint32_t Softmax::weight_of(std::uint32_t e, std::uint32_t slot, const GroupEntry& g) const {
  if (d_.sigmoid) return e;
  if (golden::skips_value(e, divide_row_.denominator, d_.skip16)) return 0;
  if (d_.lazy) return golden::lazy_weight(e);
  if (g.merged && slot + 1 == divide_row_.n) return golden::probability_of_many(e, g.merged, divide_row_.reciprocal);
  return golden::probability(e, divide_row_.reciprocal);
}

// What the division will read of the sums in the next cycle.
void Softmax::claim_sums(Cycle now) {
  if (!d_.accumulates()) return;
  if (!divide_active_ && (for_divide_.empty() || for_divide_.front().ready > now + 1)) return;
  const Row& row = divide_active_ ? divide_row_ : for_divide_.front();
  const GroupEntry& g = m_.groups[row.store];
  if (g.is_first_row(row.head)) return;
  const std::uint32_t from = divide_active_ ? divide_next_ : 0;
  m_.selection_scores.claim(row.store, from, std::min(row.n - from, width_of(g)), now + 1);
}

void Softmax::compact(Cycle now, bool free) {
  if (!compacting_) {
    if (!free || !compact_jobs_.can_pop(now)) return;
    compact_job_ = compact_jobs_.peek();
    compact_jobs_.pop(now);
    compacting_ = true;
    compact_from_ = compact_to_ = 0;
    compact_written_ = false, compact_turn_ = 0;
    left_out_.fill(0);
  }
  if (!compact_word(now) || !compacted_.can_push(now)) return;
  GroupEntry& g = m_.groups[compact_job_.store];
  for (int h = 0; h < kMaxGroup; ++h)
    if (d_.rest && ((g.heads >> h) & 1))
      head(compact_job_.store, h).rest =
          golden::saturating_denominator(head(compact_job_.store, h).rest + left_out_[static_cast<std::size_t>(h)]);
  g.slots = compact_to_;
  compacting_ = false;
  compacted_.push(now, {compact_job_.store});
}

// A cycle of it, of as many query heads as there are banks: a word is read in each, a word of survivors written where
// one is full. Where there are more heads, the next cycle moves those. True when all have moved.
bool Softmax::compact_word(Cycle now) {
  const bool last_turn = (compact_turn_ + 1) * kScoreBanks >= m_.groups.rows();
  const bool all = move_word(now, compact_turn_ * kScoreBanks, last_turn);
  compact_turn_ = last_turn ? 0 : compact_turn_ + 1;
  return all && last_turn;
}

bool Softmax::move_word(Cycle now, int first_head, bool last_turn) {
  const std::size_t store = compact_job_.store;
  const GroupEntry& g = m_.groups[store];
  const auto width = static_cast<std::uint32_t>(params_.sizes.widest());
  const std::uint32_t from = compact_from_, first = compact_to_;
  if (from == g.slots) {
    if (compact_written_) return true;
    ++compaction_cycles_;
    write_survivors(g, first / width * width, first % width, now, first_head, last_turn);
    return compact_written_ = last_turn;
  }
  ++compaction_cycles_;
  const std::uint32_t n = std::min(width, g.slots - from);
  const std::uint8_t* kept = m_.kept.read(store, 0, from, n);
  std::uint32_t to = first;
  if (last_turn) m_.origins.read(store, 0, from, n, now);
  std::uint32_t* origins = m_.origins.poke(store);
  for (std::uint32_t i = 0; i < n; ++i) {
    if (!kept[i]) continue;
    if (last_turn) origins[to] = origins[from + i];
    ++to;
  }
  for (int h = first_head; h < std::min(first_head + kScoreBanks, kMaxGroup); ++h) {
    if (!((g.heads >> h) & 1)) continue;
    const auto row = static_cast<std::size_t>(h);
    m_.scores.read(store, row, from, n, now);
    std::int32_t* scores = m_.scores.poke(store, row);
    const std::uint32_t* e = m_.exponentials.read(store, row, from, n, now);
    std::uint32_t next = first;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (kept[i])
        scores[next++] = scores[from + i];
      else
        left_out_[row] += e[i];
    }
  }
  const bool last = from + n == g.slots, full = to / width != first / width;
  if (full)
    write_survivors(g, first / width * width, width, now, first_head, last_turn);
  else if (last && to % width)
    write_survivors(g, first / width * width, to % width, now, first_head, last_turn);
  if (!last_turn) return false;
  compact_from_ += n;
  compact_to_ = to;
  compact_written_ = last && (!full || to % width == 0);
  return compact_written_;
}

// The register of survivors goes to its word: the slots hold them already, this is the cycle of the write.
void Softmax::write_survivors(const GroupEntry& g, std::uint32_t from, std::uint32_t n, Cycle now, int first_head,
                              bool last_turn) {
  if (last_turn) m_.origins.write(compact_job_.store, 0, from, n, now);
  for (int h = first_head; h < std::min(first_head + kScoreBanks, kMaxGroup); ++h)
    if ((g.heads >> h) & 1) m_.scores.write(compact_job_.store, static_cast<std::size_t>(h), from, n, now);
}

}  // namespace winnow
