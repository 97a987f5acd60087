#include "models/fetcher/address_generator.h"

#include <bit>
#include <stdexcept>
#include <string>

namespace winnow {

Traffic& Traffic::operator+=(const Traffic& o) {
  jobs += o.jobs, items += o.items, bursts += o.bursts, shared_bursts += o.shared_bursts;
  useful_bytes += o.useful_bytes, key_bytes += o.key_bytes, value_bytes += o.value_bytes;
  first_digit_bytes += o.first_digit_bytes;
  return *this;
}

namespace fetcher {

namespace {

constexpr std::uint64_t kBurstShift = 5;
static_assert(kBurstBytes == 1 << kBurstShift);

std::uint64_t bits(const FetchJob& job) {
  switch (job.stream) {
    case Stream::query:
    case Stream::key: return job.key_bits;
    case Stream::value: return job.value_bits;
    case Stream::value_scale: return 16;
    case Stream::record: return job.key_bits + job.value_bits;
    case Stream::descriptor: return golden::kDescriptorBits;
  }
  return 0;
}

// The controller's layout contradicts itself: a fault of the program, not of its input.
void check(const FetchJob& job) {
  const std::uint64_t useful = bits(job) * job.words / 8;
  const bool record = job.stream == Stream::record;
  // Behind a query may lie its head's weight.
  const std::uint64_t behind = job.stream == Stream::query ? golden::kHeadWeightBits / 8 : 0;
  const bool whole = job.item_bytes && (record ? useful <= job.item_bytes
                                               : useful == job.item_bytes || useful + behind == job.item_bytes);
  const bool aligned = !record || (job.base % kBurstBytes == 0 && job.stride_bytes % kBurstBytes == 0);
  if (!whole || !aligned || bits(job) * job.words % 8)
    throw std::logic_error("fetcher: job of " + std::to_string(job.words) + " words of " + std::to_string(bits(job)) +
                           " bits in items of " + std::to_string(job.item_bytes) + " bytes, stride " +
                           std::to_string(job.stride_bytes) + ", base " + std::to_string(job.base));
}

}  // namespace

AddressGenerator::AddressGenerator(Fifo<FetchJob>& jobs, const Lists& lists, AddressFifos& addresses,
                                   StartedJobs& started, int lanes)
    : jobs_(jobs), lists_(lists), addresses_(addresses), started_(started), lanes_(lanes) {}

int AddressGenerator::tick(Cycle now) {
  int made = 0;
  if (active_) {
    made = job_.stream == Stream::record ? make_records() : make_stream();
    if (made) {
      started_.add(static_cast<std::uint64_t>(made));
      traffic_[job_.epoch % kEpochs][static_cast<std::size_t>(job_.stream)].bursts += static_cast<std::uint64_t>(made);
    }
  }
  if (!active_ && jobs_.can_pop(now) && started_.can_push(now)) take(now);
  return made;
}

void AddressGenerator::take(Cycle now) {
  job_ = jobs_.peek();
  jobs_.pop(now);
  check(job_);
  started_.push(now, job_);
  list_ = job_.list == kEveryItem ? nullptr : lists_.read(job_.list, 0, job_.entries());
  Traffic& t = traffic_[job_.epoch % kEpochs][static_cast<std::size_t>(job_.stream)];
  ++t.jobs;
  t.items += job_.items;
  const std::uint64_t words = std::uint64_t{job_.items} * job_.words;
  const bool has_key = job_.stream == Stream::key || job_.stream == Stream::record;
  const bool has_value = job_.stream == Stream::value || job_.stream == Stream::record;
  t.useful_bytes += job_.stream == Stream::query ? std::uint64_t{job_.items} * job_.item_bytes : words * bits(job_) / 8;
  t.key_bytes += has_key ? words * job_.key_bits / 8 : 0;
  t.first_digit_bytes += has_key && job_.tag.pass == 0 ? words * job_.key_bits / 8 : 0;
  t.value_bytes += has_value ? words * job_.value_bits / 8 : 0;

  active_ = job_.items != 0;
  item_ = 0;
  lane_ = 0;
  next_ = 1;
  last_ = 0;
  open_ = 0;
  if (job_.stream != Stream::record) return;
  const std::uint64_t bursts = (job_.item_bytes + kBurstBytes - 1) >> kBurstShift;
  for (std::uint32_t i = 0; i < job_.items && i < static_cast<std::uint32_t>(lanes_); ++i) {
    const std::uint64_t first = item_address(i) >> kBurstShift;
    record_[i] = RecordLane{i, first, first + bursts};
    open_ |= LaneMask{1} << i;
  }
}

int AddressGenerator::make_stream() {
  const LaneMask room = addresses_.room();
  int made = 0, opened = 0;
  for (;;) {
    if (next_ > last_) {
      if (item_ == job_.items) {
        active_ = false;
        break;
      }
      if (opened == lanes_) break;
      const std::uint64_t at = item_address(item_);
      const std::uint64_t first = at >> kBurstShift;
      const bool shared = item_ != 0 && first == last_;
      if (shared) ++traffic_[job_.epoch % kEpochs][static_cast<std::size_t>(job_.stream)].shared_bursts;
      next_ = first + (shared ? 1 : 0);
      last_ = (at + job_.item_bytes - 1) >> kBurstShift;
      ++item_;
      ++opened;
      continue;
    }
    if (made == lanes_ || !(room >> lane_ & 1)) break;
    addresses_.push(lane_, next_++);
    lane_ = (lane_ + 1) & (lanes_ - 1);
    ++made;
  }
  return made;
}

int AddressGenerator::make_records() {
  const LaneMask ready = open_ & addresses_.room();
  for (LaneMask m = ready; m; m &= m - 1) {
    const int lane = std::countr_zero(m);
    RecordLane& r = record_[static_cast<std::size_t>(lane)];
    addresses_.push(lane, r.next);
    if (++r.next != r.end) continue;
    r.item += static_cast<std::uint32_t>(lanes_);
    if (r.item >= job_.items) {
      open_ &= ~(LaneMask{1} << lane);
      continue;
    }
    const std::uint64_t bursts = (job_.item_bytes + kBurstBytes - 1) >> kBurstShift;
    r.next = item_address(r.item) >> kBurstShift;
    r.end = r.next + bursts;
  }
  active_ = open_ != 0;
  return std::popcount(ready);
}

Traffic AddressGenerator::traffic(Stream s) const {
  Traffic sum = closed_[static_cast<std::size_t>(s)];
  for (const auto& epoch : traffic_) sum += epoch[static_cast<std::size_t>(s)];
  return sum;
}

void AddressGenerator::close(std::uint32_t epoch) {
  auto& open = traffic_[epoch % kEpochs];
  for (std::size_t i = 0; i < open.size(); ++i) closed_[i] += open[i], open[i] = {};
}

}  // namespace fetcher
}  // namespace winnow
