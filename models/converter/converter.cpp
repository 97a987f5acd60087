#include "models/converter/converter.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "golden/error.h"
#include "golden/layout.h"
#include "models/converter/unpack.h"

namespace winnow {

namespace {

void require(bool ok, const char* name, int value, const std::string& rule) {
  if (!ok) throw Error(std::string("converter: ") + name + " is " + std::to_string(value) + ", must be " + rule);
}

// Bursts that an item of K and V words can touch when it starts anywhere in a burst.
int item_bursts(const ConverterParams& p, int operands) {
  return (p.head_dim * p.max_word_bits * operands / 8 + kBurstBytes - 1) / kBurstBytes + (operands == 1 ? 1 : 0);
}

const ConverterParams& checked(const ConverterParams& p, const ConverterTargets& t) {
  require(p.head_dim > 0 && p.head_dim % 8 == 0 && p.head_dim <= kMaxHeadDim, "head dimension", p.head_dim,
          "a multiple of 8 up to 256");
  require(p.vectors_per_cycle > 0 && p.vectors_per_cycle <= 64, "vectors_per_cycle", p.vectors_per_cycle, "1..64");
  require(p.scales_per_cycle > 0 && p.scales_per_cycle <= 64, "scales_per_cycle", p.scales_per_cycle, "1..64");
  require(p.latency > 0 && p.latency <= 64, "latency", p.latency, "1..64");
  require(p.max_word_bits >= golden::kWordBits && p.max_word_bits <= 32, "max_word_bits", p.max_word_bits, "12..32");
  for (const KvBuffer* b : {&t.key, &t.value}) {
    require(b->banks() >= p.vectors_per_cycle, "vectors_per_cycle", p.vectors_per_cycle,
            "at most the banks of the " + std::string(b->label()) + ", " + std::to_string(b->banks()));
    require(b->head_dim() == p.head_dim, "head dimension", p.head_dim,
            "that of the " + std::string(b->label()) + ", " + std::to_string(b->head_dim()));
  }
  require(t.queries.head_dim() == p.head_dim, "head dimension", p.head_dim,
          "that of the query registers, " + std::to_string(t.queries.head_dim()));
  return p;
}

}  // namespace

Converter::Converter(const ConverterParams& params, const Lists& lists, StartedJobs& jobs, DataFifos& data,
                     ConverterTargets targets)
    : Block("converter", "converter"),
      params_(checked(params, targets)),
      jobs_(jobs),
      targets_(targets),
      streams_(lists, data, data.lanes() + item_bursts(params, params.sums ? 2 : 1)),
      records_(lists, data, targets.key, targets.value, item_bursts(params, 2),
               static_cast<Cycle>(params.latency - 1)) {}

void Converter::tick(Cycle now) {
  if (!active_ && !jobs_.can_pop(now)) {
    stats_.idle();
    return;
  }
  int moved = active_ && open_ ? deliver(now) : 0;
  // The next job is taken up in the cycle in which the last vector leaves, and its bursts are taken at once.
  bool started = false;
  if (!active_ && jobs_.can_pop(now)) start(now), started = true;
  if (active_ && !open_) open_ = !closed_by(now);
  if (active_ && open_)
    moved += job_.stream == Stream::record ? records_.take(now) : streams_.take(now, jobs_.made(number_));

  if (moved || started || !active_)
    stats_.busy();
  else if (!open_)
    stats_.wait(*closed_by(now));
  else if (job_.stream == Stream::query && streams_.item_there())
    stats_.wait(kQueryRegisters);
  else
    stats_.wait(kFetcher);
}

void Converter::report(StatSink& sink) const {
  sink.count("words", "words", words());
  sink.cycles("bank_conflicts", "bank conflicts", bank_conflicts());
}

void Converter::start(Cycle now) {
  number_ = jobs_.popped();
  job_ = jobs_.peek();
  jobs_.pop(now);
  const bool record = job_.stream == Stream::record;
  const bool scale = job_.stream == Stream::value_scale || job_.stream == Stream::descriptor;
  const bool key = job_.stream == Stream::key || job_.stream == Stream::query || (record && job_.key_bits);
  const bool value = job_.stream == Stream::value || (record && job_.value_bits);
  const int least = job_.shape_only ? 1 : golden::kLeastWordBits, most = job_.shape_only ? params_.max_word_bits
                                                                         : job_.sum      ? golden::kValueSumBits
                                                                                         : golden::kWordBits;
  const bool widths = (!key || (job_.key_bits >= least && job_.key_bits <= most)) &&
                      (!value || (job_.value_bits >= least && job_.value_bits <= most)) && (key || value || scale);
  if (!widths || job_.words != (scale ? 1 : params_.head_dim) ||
      job_.item_bytes > static_cast<std::uint32_t>(item_bursts(params_, 2) * kBurstBytes))
    throw std::logic_error("converter: item of " + std::to_string(job_.words) + " words, K " +
                           std::to_string(job_.key_bits) + " bits, V " + std::to_string(job_.value_bits) + " bits, " +
                           std::to_string(job_.item_bytes) + " bytes does not fit D " +
                           std::to_string(params_.head_dim));
  active_ = true;
  open_ = false;
  if (record)
    records_.start(job_);
  else
    streams_.start(job_);
}

// Whose arming the job held waits for, none if nobody's. A target must expect this job's items.
const Wait* Converter::closed_by(Cycle now) const {
  if (job_.items == 0) return nullptr;
  const auto expects = [this](std::uint32_t arrived, std::uint32_t items, const char* who) {
    if (job_.first != arrived || job_.first + job_.items > items)
      throw std::logic_error(std::string("converter: ") + std::to_string(job_.items) + " items from " +
                             std::to_string(job_.first) + " on for the " + who + ", which has " +
                             std::to_string(arrived) + " and expects " + std::to_string(items));
  };
  const bool record = job_.stream == Stream::record;
  if (job_.stream == Stream::key || (record && job_.key_bits)) {
    const int half = targets_.key.part(job_.half, job_.second);
    if (!targets_.key.armed(half, now)) return &kKeyBuffer;
    expects(targets_.key.arrived(half), targets_.key.items(half), targets_.key.label());
  }
  if (job_.sum) {
    if (!targets_.sums.armed(job_.half, now)) return &kValueBuffer;
  } else if (job_.stream == Stream::value || (record && job_.value_bits)) {
    if (!targets_.value.armed(job_.half, now)) return &kValueBuffer;
    expects(targets_.value.arrived(job_.half), targets_.value.items(job_.half), targets_.value.label());
  }
  if (job_.stream == Stream::value_scale) {
    if (!targets_.scales.armed(job_.half, now)) return &kScaleStore;
    expects(targets_.scales.arrived(job_.half), targets_.scales.items(job_.half), "scale store");
  }
  return nullptr;
}

int Converter::deliver(Cycle now) {
  int n = 0;
  bool done = false;
  switch (job_.stream) {
    case Stream::key: n = deliver_vectors(targets_.key, job_.key_bits, job_.key_signed, now); break;
    case Stream::value:
      n = job_.sum ? deliver_sum(now) : deliver_vectors(targets_.value, job_.value_bits, job_.value_signed, now);
      break;
    case Stream::value_scale: n = deliver_scales(now); break;
    case Stream::query: n = deliver_query(now); break;
    case Stream::descriptor: n = deliver_descriptor(now); break;
    case Stream::record: {
      n = records_.deliver(now);
      const int vectors = n * ((job_.key_bits ? 1 : 0) + (job_.value_bits ? 1 : 0));
      vectors_ += static_cast<std::uint64_t>(vectors);
      words_ += static_cast<std::uint64_t>(vectors) * job_.words;
      done = records_.done();
      break;
    }
  }
  if (job_.stream != Stream::record) done = streams_.done();
  if (done) {
    active_ = open_ = false;
    ++jobs_done_;
    done_cycle_ = now;
  }
  return n;
}

int Converter::deliver_vectors(KvBuffer& target, int bits, bool is_signed, Cycle now) {
  int n = 0;
  const int most = std::min(params_.vectors_per_cycle, target.across(job_.half));
  // The last record's V may still be on its way into the same banks.
  if (records_.late(written(now))) return 0;
  for (; n < most && streams_.item_there(); ++n) {
    std::int16_t* to = job_.held
                           ? target.put_behind(job_.half, job_.first + streams_.item(), written(now), job_.held, bits)
                           : target.write(job_.half, job_.first + streams_.item(), written(now));
    if (!job_.shape_only)
      (job_.held ? converter::unpack_behind : converter::unpack)(streams_.item_data(), bits, is_signed, job_.words, to);
    streams_.advance();
  }
  vectors_ += static_cast<std::uint64_t>(n);
  words_ += static_cast<std::uint64_t>(n) * job_.words;
  return n;
}

// Words of 24 bits, the lowest byte first.
int Converter::deliver_sum(Cycle now) {
  if (!streams_.item_there()) return 0;
  const std::uint8_t* bytes = streams_.item_data();
  std::int32_t* to = targets_.sums.write(job_.half, written(now));
  for (std::size_t d = 0; d < job_.words; ++d, bytes += 3)
    to[d] = static_cast<std::int8_t>(bytes[2]) * (1 << 16) + (bytes[0] | bytes[1] << 8);
  streams_.advance();
  ++vectors_;
  words_ += job_.words;
  return 1;
}

int Converter::deliver_scales(Cycle now) {
  int n = 0;
  for (; n < params_.scales_per_cycle && streams_.item_there(); ++n) {
    const std::uint8_t* bytes = streams_.item_data();
    *targets_.scales.append(job_.half, 1, written(now)) = static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
    streams_.advance();
  }
  words_ += static_cast<std::uint64_t>(n);
  return n;
}

int Converter::deliver_descriptor(Cycle now) {
  constexpr int kABurst = kBurstBytes * 8 / golden::kDescriptorBits;
  int n = 0;
  for (; n < kABurst && streams_.item_there(); ++n) {
    targets_.constants.write(job_.half, streams_.item(), golden::get_descriptor(streams_.item_data()), written(now));
    streams_.advance();
  }
  words_ += static_cast<std::uint64_t>(n);
  return n;
}

int Converter::deliver_query(Cycle now) {
  if (!streams_.item_there() || !targets_.queries.can_push(now)) return 0;
  std::int16_t* to = targets_.queries.push(now, written(now));
  if (!job_.shape_only) converter::unpack(streams_.item_data(), job_.key_bits, job_.key_signed, job_.words, to);
  if (targets_.queries.weighted()) {
    const std::uint8_t* behind = streams_.item_data() + golden::packed_bytes(job_.words, job_.key_bits);
    targets_.queries.weigh(static_cast<std::uint16_t>(behind[0] | behind[1] << 8));
    ++words_;
  }
  streams_.advance();
  ++vectors_;
  words_ += job_.words;
  return 1;
}

}  // namespace winnow
