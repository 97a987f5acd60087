#pragma once
// Fetcher, converter and buffers under random jobs, with a controller and readers that check every word the
// buffers hold against the image, bit by bit, and that words are there when the buffer says so.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <vector>

#include "models/converter/converter.h"
#include "tests/models/converter/bits.h"
#include "tests/models/fetcher/support.h"

namespace winnow::test {

struct MachineCase {
  FetcherParams fetcher;
  MemoryGrid grid;
  int jobs_ahead = 8;
  ConverterParams converter;
  int tokens = 200, query_entries = 4;
  unsigned offer = 30, begin = 20, read = 50;  // percent a cycle: next job, arming a target, popping a query
  std::uint64_t seed = 1;
  int jobs = 16;
};

struct MachineResult {
  Cycle cycles = 0;
  std::uint64_t words = 0, bursts = 0, shared = 0, conflicts = 0, early = 0, shape_only = 0;
  bool operator==(const MachineResult&) const = default;
};

// Memory has ports(), tick(now) and image(). order: the sequence of memory (0), fetcher (1), converter (2) and
// reader with controller (3) in a cycle.
template <class Memory>
class Machine {
 public:
  Machine(const MachineCase& c, Memory& memory, MemoryPorts ports, std::uint64_t image_bytes)
      : case_(c),
        memory_(memory),
        side_(c.fetcher, c.grid, jobs_, writes_, std::move(ports), c.jobs_ahead),
        fetcher_(side_.fetcher),
        key_({"key_buffer", "key buffer", "", ""}, 2, c.tokens, c.converter.head_dim, c.converter.vectors_per_cycle),
        value_({"value_buffer", "value buffer", "", ""}, 2, c.tokens, c.converter.head_dim,
               c.converter.vectors_per_cycle),
        scales_(2, c.tokens),
        queries_(c.query_entries, c.converter.head_dim),
        converter_(c.converter, side_.lists, side_.started, side_.data,
                   {key_, value_, scales_, sums_, queries_, constants_}),
        source_(c.seed + 1),
        reader_(c.seed + 2) {
    Random random(c.seed);
    for (int i = 0; i < c.jobs; ++i) {
      work_.push_back(random_job(random, c.converter.head_dim, static_cast<std::uint32_t>(c.tokens), image_bytes));
      FetchJob& j = work_.back().job;
      j.half = static_cast<std::uint8_t>(random.below(2));
      j.shape_only = random.percent(5);
      if (random.percent(5)) j.items = 0;
      const Expected e = expected_bursts(work_.back(), c.fetcher.lanes);
      result_.bursts += e.bursts;
      result_.shared += e.shared;
      result_.shape_only += j.shape_only;
    }
    for (auto& w : work_)
      if (!w.list.empty()) w.job.list = side_.lists.take(w.list);
    begun_.resize(work_.size());
    checked_.resize(work_.size());
  }

  MachineResult run(const std::array<int, 4>& order) {
    for (Cycle now = 0;; ++now) {
      if (now > 3'000'000) throw std::runtime_error("does not end");
      const std::uint64_t k = key_.vector_writes(), v = value_.vector_writes(), s = scales_.word_writes();
      for (int who : order) {
        if (who == 0) memory_.tick(now);
        if (who == 1) fetcher_.tick(now);
        if (who == 2) converter_.tick(now);
        if (who == 3) control(now);
      }
      const auto most = static_cast<std::uint64_t>(case_.converter.vectors_per_cycle);
      EXPECT_LE(key_.vector_writes() - k, most);
      EXPECT_LE(value_.vector_writes() - v, most);
      EXPECT_LE(scales_.word_writes() - s, static_cast<std::uint64_t>(case_.converter.scales_per_cycle));
      if (done_ == work_.size() && converter_.idle() && fetcher_.idle()) {
        EXPECT_EQ(converter_.jobs_done(now + 1), work_.size());
        EXPECT_EQ(side_.data.held(), 0u);
        EXPECT_EQ(converter_.bursts(), result_.bursts);
        EXPECT_EQ(fetcher_.reads(), result_.bursts);
        EXPECT_EQ(converter_.stats().cycles(), now + 1);
        EXPECT_EQ(queries_.pushed(), queries_.released());
        result_.cycles = now;
        result_.conflicts = converter_.bank_conflicts();
        return result_;
      }
    }
  }

 private:
  const std::uint8_t* bytes(const OwnedJob& o, std::uint32_t item) const { return &memory_.image()[o.address(item)]; }

  void check_vector(const OwnedJob& o, std::uint32_t item, bool is_value, const std::int16_t* got) {
    const FetchJob& j = o.job;
    if (j.shape_only) return;
    const int bits = is_value ? j.value_bits : j.key_bits;
    const bool is_signed = is_value ? j.value_signed : j.key_signed;
    const std::uint8_t* b = bytes(o, item) + (is_value ? j.words * j.key_bits / 8 : 0);
    for (int w = 0; w < j.words; ++w, ++result_.words)
      if (got[w] != word_at(b, w, bits, is_signed))
        throw std::runtime_error("item " + std::to_string(item) + " word " + std::to_string(w) + " of " +
                                 std::to_string(bits) + " bits is " + std::to_string(got[w]));
  }

  static bool wants_key(const FetchJob& j) {
    return j.stream == Stream::key || (j.stream == Stream::record && j.key_bits);
  }
  static bool wants_value(const FetchJob& j) {
    return j.stream == Stream::value || (j.stream == Stream::record && j.value_bits);
  }

  // Jobs are offered at random times, often before their target is armed; targets are armed in the order of jobs,
  // once the load before in the same half has been checked.
  void control(Cycle now) {
    if (offered_ < work_.size() && source_.percent(case_.offer) && jobs_.can_push(now))
      jobs_.push(now, work_[offered_++].job);
    for (std::size_t i = done_; i < work_.size() && i < done_ + 3; ++i) {
      const FetchJob& j = work_[i].job;
      if (begun_[i] || !source_.percent(case_.begin)) continue;
      bool free = true;  // nobody older still uses the half
      for (std::size_t k = done_; k < i; ++k) free = free && (checked_[k] || work_[k].job.half != j.half);
      if (!free) continue;
      if (wants_key(j)) key_.begin(j.half, j.items, now);
      if (wants_value(j)) value_.begin(j.half, j.items, now);
      if (j.stream == Stream::value_scale) scales_.begin(j.half, j.items, now);
      begun_[i] = true;
      if (i < offered_) ++result_.early;
    }
    for (std::size_t i = done_; i < work_.size() && i < done_ + 3; ++i)
      if (begun_[i] && !checked_[i]) checked_[i] = check(i, now);
    while (done_ < work_.size() && checked_[done_]) ++done_;
    const std::uint64_t n = queries_.released();
    if (queries_.ready(n, now) && reader_.percent(case_.read)) {
      while (work_[query_job_].job.stream != Stream::query || query_item_ == work_[query_job_].job.items)
        ++query_job_, query_item_ = 0;
      check_vector(work_[query_job_], query_item_++, false, queries_.entry(n));
      queries_.release(1, now);
    }
  }

  // Samples presence while the load runs; true once all of it was compared.
  bool check(std::size_t i, Cycle now) {
    const OwnedJob& o = work_[i];
    const FetchJob& j = o.job;
    if (j.stream == Stream::query) {
      // The checking itself is done where queries are popped.
      return query_job_ > i || (query_job_ == i && query_item_ == j.items) || j.items == 0;
    }
    if (j.stream == Stream::value_scale) {
      if (!scales_.loaded(j.half, now)) return false;
      for (std::uint32_t s = 0; s < j.items; ++s, ++result_.words) {
        const std::uint8_t* b = bytes(o, s);
        if (scales_.value(j.half, s) != b[0] + 256 * b[1]) throw std::runtime_error("scale " + std::to_string(s));
      }
      return true;
    }
    bool all = true;
    for (KvBuffer* buffer : {&key_, &value_}) {
      const bool is_value = buffer == &value_;
      if (!(is_value ? wants_value(j) : wants_key(j))) continue;
      if (j.items) {
        const auto s = static_cast<std::uint32_t>(reader_.below(j.items));
        if (buffer->slot_ready(j.half, s, now)) check_vector(o, s, is_value, buffer->slot(j.half, s));
        const int row = static_cast<int>(reader_.below(static_cast<std::uint64_t>((j.items + 7) / 8)));
        bool slots = buffer->row_slots(j.half, row) > 0;
        for (int k = 0; k < buffer->row_slots(j.half, row); ++k)
          slots = slots && buffer->slot_ready(j.half, static_cast<std::uint32_t>(row * buffer->banks() + k), now);
        if (row * buffer->banks() < buffer->tokens()) {
          EXPECT_EQ(buffer->row_ready(j.half, row, now), slots);
        }
      }
      all = all && buffer->loaded(j.half, now);
    }
    if (!all) return false;
    for (std::uint32_t s = 0; s < j.items; ++s) {
      if (wants_key(j)) check_vector(o, s, false, key_.slot(j.half, s));
      if (wants_value(j)) check_vector(o, s, true, value_.slot(j.half, s));
    }
    return true;
  }

  MachineCase case_;
  Memory& memory_;
  Fifo<FetchJob> jobs_{8};
  Fifo<WriteBurst> writes_{4};
  FetchSide side_;
  Fetcher& fetcher_;
  KvBuffer key_, value_;
  ScaleStore scales_;
  ValueSums sums_{2, 64};
  QueryRegisters queries_;
  HeadConstants constants_{1, 1};
  Converter converter_;
  Random source_, reader_;
  std::vector<OwnedJob> work_;
  std::vector<bool> begun_, checked_;
  std::size_t offered_ = 0, done_ = 0, query_job_ = 0;
  std::uint32_t query_item_ = 0;
  MachineResult result_;
};

}  // namespace winnow::test
