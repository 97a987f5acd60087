#include "models/pv/pv.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace winnow {

Pv::Pv(const Params& params, PvMemories memories, Fifo<PvJob>& jobs, Fifo<OutputVector>& out,
       Fifo<HeadMagnitude>& magnitudes, Fifo<StoreReleased>& released, Fifo<PvDone>& done)
    : Block("pv", "pv"),
      params_(params),
      m_(memories),
      jobs_(jobs),
      out_(out),
      magnitudes_(magnitudes),
      released_(released),
      done_(done),
      pending_(static_cast<std::size_t>(params.output_vectors)) {
  scales_.resize(static_cast<std::size_t>(params.width), 65535);
  const std::size_t capacity = m_.probabilities.slots();
  for (Row& r : rows_) {
    r.slot.resize(capacity), r.wide.resize(capacity);
    r.of_bank.resize(static_cast<std::size_t>(m_.values.banks()));
    for (auto& b : r.of_bank) b.reserve(capacity);
    r.next_of_bank.resize(static_cast<std::size_t>(m_.values.banks()));
  }
}

void Pv::tick(Cycle now) {
  if (pending_in_ != pending_out_) {
    Pending& p = pending_[pending_out_ % pending_.size()];
    if (p.ready <= now && out_.can_push(now) && magnitudes_.can_push(now)) {
      out_.push(now, p.out);
      magnitudes_.push(now, p.magnitude);
      ++pending_out_;
    }
  }
  const bool multiplied = multiply(now);
  const bool weighed = weigh(now);
  if (m_.arrays.shared()) claim_arrays(now);
  if (multiplied)
    stats_.busy();
  else if (weighed)
    stats_.busy();
  else
    stats_.wait(why_);
}

void Pv::start_row(Row& row, int head) {
  const GroupEntry& g = m_.groups[job_.store];
  row.tag = g.tag;
  row.tag.group = static_cast<std::uint8_t>(head);
  row.job = job_;
  row.head = head;
  row.last_row = g.is_last_row(head);
  row.contiguous = (job_.all || !job_.resident) && !params_.drops_zeros;
  row.largest = row.kept_sum = 0;
  row.mean = g.mean[static_cast<std::size_t>(head)], row.head_weight = g.head_weight[static_cast<std::size_t>(head)];
  row.count = row.kept = row.next = 0;
  if (!row.contiguous)
    for (auto& b : row.of_bank) b.clear();
  std::fill(row.next_of_bank.begin(), row.next_of_bank.end(), 0u);
  next_slot_ = 0;
}

bool Pv::weigh(Cycle now) {
  Row& row = rows_[weigh_row_];
  if (row.full) return false;
  if (!job_active_) {
    if (!jobs_.can_pop(now)) {
      if (!multiplying_) why_ = kSoftmax;
      return false;
    }
    job_ = jobs_.peek();
    jobs_.pop(now);
    job_active_ = true;
    head_ = 0;
    while (!((m_.groups[job_.store].heads >> head_) & 1)) ++head_;
    row_open_ = false;
  }
  const GroupEntry& g = m_.groups[job_.store];
  if (params_.scaled && !m_.scales.loaded(job_.half, now)) {
    if (!multiplying_) why_ = kScales;
    return false;
  }
  if (!row_open_) {
    if (!g.readable[static_cast<std::size_t>(head_)].up(now)) {
      if (!multiplying_) why_ = kSoftmax;
      return false;
    }
    if (job_.compensated && !m_.sums.loaded(job_.half, now)) {
      if (!multiplying_) why_ = kValues;
      return false;
    }
    start_row(row, head_), row_open_ = true;
  }
  const auto query_head = static_cast<std::size_t>(head_);
  const bool searched = m_.candidates.asked(job_.store);
  const std::uint32_t slots = searched ? m_.candidates.count(job_.store, query_head) : g.slots;
  const std::uint32_t* list = searched ? m_.candidates.peek(job_.store, query_head) : nullptr;
  const std::uint32_t end = std::min(slots, next_slot_ + static_cast<std::uint32_t>(params_.width));
  const bool ends = end == slots;
  if (ends && row.last_row && !released_.can_push(now)) return false;
  const auto store = static_cast<std::size_t>(job_.store);
  const std::uint32_t n = end - next_slot_;
  if (params_.scaled && !read_scales(n, job_.all ? nullptr : m_.kept.peek(store) + next_slot_,
                                     (searched ? list : m_.origins.peek(store)) + next_slot_, searched, now)) {
    ++scale_conflicts_;
    if (!multiplying_) why_ = kScales;
    return false;
  }
  // Counted as read through the ports; indexed by slot.
  m_.probabilities.read(store, static_cast<std::size_t>(head_), next_slot_, n, now);
  if (!job_.all) m_.kept.read(store, 0, next_slot_, n);
  if (searched) m_.candidates.read(store, query_head, next_slot_, CandidateLists::Port::pv, now);
  const std::uint16_t* p = m_.probabilities.peek(store, static_cast<std::size_t>(head_));
  const std::uint8_t* kept = m_.kept.peek(store);
  for (std::uint32_t i = next_slot_; i < end; ++i) {
    if (!job_.all && !kept[i]) continue;
    const std::uint32_t slot = searched ? list[i] : job_.resident ? i : row.kept;
    ++row.kept;
    if (params_.drops_zeros && p[i] == 0) continue;
    const std::uint32_t v16 = params_.scaled ? scales_[i - next_slot_] : 65536u;
    const std::int64_t w = params_.shape_only ? 0
                           : job_.compensated ? golden::wide_weight_over(p[i], row.mean, v16)
                                              : static_cast<std::int64_t>(golden::wide_weight(p[i], v16));
    row.largest = std::max(row.largest, static_cast<std::uint64_t>(std::abs(w)));
    row.kept_sum += p[i];
    if (!row.contiguous)
      row.of_bank[static_cast<std::size_t>(m_.values.place_of(row.job.half, slot))].push_back(row.count);
    row.slot[row.count] = slot;
    row.wide[row.count++] = w;
  }
  next_slot_ = end;
  if (!ends) return true;
  row.exponent =
      job_.compensated ? golden::signed_exponent(row.largest, row.mean) : golden::weight_exponent(row.largest);
  if (params_.renormalise)
    row.divided = divider_free_ = std::max(now, divider_free_) + static_cast<Cycle>(params_.divide_latency);
  row.full = true;
  row_open_ = false;
  weigh_row_ ^= 1;
  if (row.last_row) {
    released_.push(now, {job_.store});
    job_active_ = false;
  } else {
    do ++head_;
    while (!((g.heads >> head_) & 1));
  }
  return true;
}

// Scales of the word's kept slots, one a bank and cycle; true once all are there.
bool Pv::read_scales(std::uint32_t n, const std::uint8_t* kept, const std::uint32_t* origins, bool searched,
                     Cycle now) {
  if (!word_open_) {
    word_open_ = true;
    if (!searched) m_.origins.read(job_.store, 0, next_slot_, n, now);
    for (std::uint32_t i = 0; i < n; ++i)
      if (!kept || kept[i]) scales_left_.push_back(i);
  }
  std::size_t left = 0;
  for (const std::uint32_t i : scales_left_) {
    if (m_.scales.can_read(job_.half, origins[i], now))
      scales_[i] = m_.scales.read(job_.half, origins[i], now);
    else
      scales_left_[left++] = i;
  }
  scales_left_.resize(left);
  word_open_ = left != 0;
  return left == 0;
}

// The row's sums leave the trees when the requantizers have taken those before, into a free output vector.
bool Pv::can_finish(Cycle now) {
  if (pending_in_ - pending_out_ == pending_.size()) {
    why_ = kWriteback;
    return false;
  }
  if (now + static_cast<Cycle>(params_.latency) < requantized_) {
    why_ = kRequantizers;
    return false;
  }
  return true;
}

void Pv::take(const Row& row, std::uint32_t place, const std::int16_t* v) {
  const std::int64_t wide = row.wide[place];
  weight_[taken_] = row.job.compensated
                        ? golden::signed_weight12(wide, row.exponent)
                        : static_cast<std::int32_t>(golden::weight12(static_cast<std::uint64_t>(wide), row.exponent));
  vector_[taken_++] = v;
}

// 192 products of 4,095 by 2,048 stay below 2^31.
void Pv::accumulate() {
  typedef std::int16_t Words __attribute__((vector_size(16)));
  typedef std::int32_t Sums __attribute__((vector_size(32)));
  const int n = static_cast<int>(taken_);
  taken_ = 0;
  if (part_count_ + n > 192) flush();
  part_count_ += n;
  // D is a multiple of 8. The sums of 8 dimensions stay in a register over the cycle's vectors.
  const auto D = static_cast<std::size_t>(params_.head_dim);
  for (std::size_t d = 0; d < D; d += 8) {
    Sums sums;
    std::memcpy(&sums, &part_[d], sizeof sums);
    for (int i = 0; i < n; ++i) {
      Words words;
      std::memcpy(&words, vector_[static_cast<std::size_t>(i)] + d, sizeof words);
      sums += __builtin_convertvector(words, Sums) * weight_[static_cast<std::size_t>(i)];
    }
    std::memcpy(&part_[d], &sums, sizeof sums);
  }
}

void Pv::flush() {
  const auto D = static_cast<std::size_t>(params_.head_dim);
  for (std::size_t d = 0; d < D; ++d) acc_[d] += part_[d], part_[d] = 0;
  part_count_ = 0;
}

bool Pv::multiply(Cycle now) {
  Row& row = rows_[multiply_row_];
  if (!multiplying_) {
    // A row handed over in this cycle is seen in the next: weigh runs after multiply.
    if (!row.full) return false;
    multiplying_ = true;
  }
  if (m_.arrays.shared() && !m_.arrays.taken(now)) {
    why_ = kArrays;
    return false;
  }
  const std::size_t banks = static_cast<std::size_t>(m_.values.across(row.job.half));
  const auto rate = std::min(static_cast<std::uint32_t>(params_.rate), static_cast<std::uint32_t>(banks));
  std::uint32_t left = 0;
  if (row.contiguous) {
    const std::uint32_t count = std::min(rate, row.count - row.next);
    if (!m_.values.run_ready(row.job.half, row.next, count, now) ||
        !m_.values.can_read(row.job.half, row.next, count, now)) {
      why_ = kValues;
      return false;
    }
    const bool ends = row.next + count == row.count;
    if (ends && (!can_finish(now) || (row.last_row && !done_.can_push(now)))) return false;
    const std::int16_t* v = m_.values.read_run(row.job.half, row.next, count, now);
    if (!params_.shape_only) {
      for (std::uint32_t i = 0; i < count; ++i)
        take(row, row.next + i, v + static_cast<std::size_t>(i) * static_cast<std::size_t>(m_.values.stride()));
      accumulate();
    }
    row.next += count;
    count_products(row, count);
    left = row.count - row.next;
  } else {
    // Whether this is the row's last cycle must be known before ports are used.
    std::uint32_t most = 0;
    for (std::size_t b = 0; b < banks; ++b)
      most = std::max(most, static_cast<std::uint32_t>(row.of_bank[b].size()) - row.next_of_bank[b]);
    if (most <= 1 && (!can_finish(now) || (row.last_row && !done_.can_push(now)))) return false;
    bool all = true;
    std::uint32_t used = 0;
    for (std::size_t b = 0; b < banks && used < rate; ++b) {
      std::uint32_t& next = row.next_of_bank[b];
      if (next == row.of_bank[b].size()) {
        all = false;
        continue;
      }
      const std::uint32_t place = row.of_bank[b][next];
      if (!m_.values.slot_ready(row.job.half, row.slot[place], now) ||
          !m_.values.can_read(row.job.half, row.slot[place], 1, now))
        continue;
      const std::int16_t* v = m_.values.read_slot(row.job.half, row.slot[place], now);
      if (!params_.shape_only) take(row, place, v);
      ++next, ++row.next, ++used;
      count_products(row, 1);
    }
    // A head whose weights are all 0 (its largest were another head's local values) takes a cycle for its zeros.
    if (!used && row.count) {
      why_ = kValues;
      return false;
    }
    accumulate();
    uneven_ += used && !all;
    left = row.count - row.next;
  }
  if (left == 0) finish(row, now);
  return true;
}

// Asked for a cycle ahead, and only where there will be something to multiply: Q x K stands meanwhile.
void Pv::claim_arrays(Cycle now) {
  const Row& row = rows_[multiply_row_];
  if (!row.full) return;
  const std::uint32_t n = std::min({static_cast<std::uint32_t>(params_.rate),
                                    static_cast<std::uint32_t>(m_.values.across(row.job.half)), row.count - row.next});
  if (!row.contiguous || m_.values.run_ready(row.job.half, row.next, n, now)) m_.arrays.claim(now);
}

void Pv::finish(Row& row, Cycle now) {
  flush();
  const auto h = static_cast<std::size_t>(row.head);
  Pending& p = pending_[pending_in_++ % pending_.size()];
  auto turns = static_cast<Cycle>((params_.head_dim + params_.requantizers - 1) / params_.requantizers);
  // The requantizers' multipliers take the sum of V first, a word each.
  if (row.job.compensated) turns *= 2;
  p.ready = requantized_ = std::max(now + static_cast<Cycle>(params_.latency), row.divided) + turns;
  ++of_epoch_[row.job.epoch].outputs;
  p.out.tag = row.tag;
  p.out.words = static_cast<std::uint16_t>(params_.head_dim);
  p.out.address = row.job.address + h * row.job.address_stride;
  p.magnitude = {static_cast<std::uint16_t>(row.job.first_head + row.head), 0};
  if (!params_.shape_only) {
    const golden::Descriptor& constants = m_.constants.of(static_cast<ConstantsRef>(row.job.constants + h));
    golden::Scale scale = params_.lazy          ? golden::mul(constants.to_out, inverse_of(row.mean))
                          : params_.renormalise ? golden::mul(constants.to_out, golden::renormaliser(row.kept_sum))
                                                : constants.to_out;
    if (params_.weighs_heads) scale = golden::mul(scale, golden::head_scale(row.head_weight));
    if (row.job.compensated) {
      const std::int32_t* sum = m_.sums.read(row.job.half);
      const golden::Scale of_sum = golden::sum_scale(row.mean, params_.v_bits, row.exponent);
      for (std::size_t d = 0; d < static_cast<std::size_t>(params_.head_dim); ++d)
        acc_[d] += golden::mul_scale(sum[d], of_sum);
    }
    std::uint64_t magnitude = 0;
    for (std::size_t d = 0; d < static_cast<std::size_t>(params_.head_dim); ++d) {
      p.out.data[d] = golden::requantize_out(acc_[d], scale, row.exponent);
      magnitude += static_cast<std::uint64_t>(std::abs(p.out.data[d]));
      acc_[d] = 0;
    }
    p.magnitude.value = magnitude * constants.out16;
  }
  if (row.last_row) done_.push(now, {row.job.half, row.job.last});
  row.full = false;
  multiplying_ = false;
  multiply_row_ ^= 1;
}

}  // namespace winnow
