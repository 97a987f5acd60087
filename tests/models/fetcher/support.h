#pragma once
// For tests of the memory side: a seeded generator, random fetch jobs, a memory with random latency and
// reordering, and what a job's bursts must be, computed the slow way.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/dram/memory.h"
#include "models/fetcher/fetcher.h"
#include "tests/support/fetch_side.h"
#include "tests/support/random.h"

namespace winnow::test {

inline std::vector<std::uint8_t> random_image(std::size_t bytes, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint8_t> image(bytes);
  for (auto& b : image) b = static_cast<std::uint8_t>(random.next() >> 32);
  return image;
}

// A memory that answers reads after a random latency in random order, and refuses at random. Each channel draws
// from a generator of its own, so that nothing depends on the order in which blocks are evaluated.
class FakeMemory {
 public:
  struct Access {
    Cycle cycle;
    int channel;
    std::uint64_t address;
    bool write;
    bool operator==(const Access&) const = default;
  };

  FakeMemory(int channels, int interleave, unsigned max_latency, unsigned accept_percent,
             std::vector<std::uint8_t> image, std::uint64_t seed)
      : interleave_(static_cast<std::uint64_t>(interleave)),
        max_latency_(max_latency),
        accept_(accept_percent),
        image_(std::move(image)) {
    for (int c = 0; c < channels; ++c)
      channels_.push_back(std::make_unique<Channel>(seed * 1000 + static_cast<std::uint64_t>(c)));
  }

  MemoryPorts ports() {
    MemoryPorts p;
    for (auto& c : channels_) p.requests.push_back(&c->in), p.returns.push_back(&c->out);
    return p;
  }

  void tick(Cycle now) {
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      Channel& c = *channels_[i];
      if (c.in.pushed() - c.seen > 1) throw std::logic_error("two requests of one channel in one cycle");
      c.seen = c.in.pushed();
      if (c.in.can_pop(now) && c.flying.size() < 32 && c.random.percent(accept_)) {
        const dram::Request& r = c.in.peek();
        if (r.address / interleave_ % channels_.size() != i) throw std::logic_error("request on a foreign channel");
        log_.push_back({now, static_cast<int>(i), r.address, r.write});
        if (r.write) {
          std::copy(r.data.begin(), r.data.end(), image_.begin() + static_cast<std::ptrdiff_t>(r.address));
        } else {
          Flying f{now + c.random.below(max_latency_ + 1), {r.address, r.tag, {}}};
          std::copy_n(image_.begin() + static_cast<std::ptrdiff_t>(r.address), kBurstBytes, f.data.data.begin());
          c.flying.push_back(f);
        }
        c.in.pop(now);
      }
      if (!c.out.can_push(now)) continue;
      // The first that is due, from a random place on.
      const std::size_t n = c.flying.size(), from = n ? c.random.below(n) : 0;
      for (std::size_t k = 0; k < n; ++k) {
        const auto it = c.flying.begin() + static_cast<std::ptrdiff_t>((from + k) % n);
        if (it->due > now) continue;
        c.out.push(now, it->data);
        c.flying.erase(it);
        break;
      }
    }
  }

  const std::vector<std::uint8_t>& image() const { return image_; }
  const std::vector<Access>& log() const { return log_; }

 private:
  struct Flying {
    Cycle due;
    dram::Return data;
  };
  struct Channel {
    explicit Channel(std::uint64_t seed) : in(4), out(16), random(seed) {}
    Fifo<dram::Request> in;
    Fifo<dram::Return> out;
    std::uint64_t seen = 0;
    std::vector<Flying> flying;
    Random random;
  };
  std::uint64_t interleave_;
  unsigned max_latency_, accept_;
  std::vector<std::uint8_t> image_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<Access> log_;
};

// A job and the entries of its list.
struct OwnedJob {
  FetchJob job;
  std::vector<std::uint32_t> list;
  std::uint32_t token(std::uint32_t item) const { return list.empty() ? item : list[item]; }
  std::uint64_t address(std::uint32_t item) const { return job.base + std::uint64_t{token(item)} * job.stride_bytes; }
};

// Item i of n tokens is live with the given chance; 100: no list.
inline OwnedJob random_job(Random& random, int head_dim, std::uint32_t max_tokens, std::uint64_t image_bytes) {
  OwnedJob o;
  FetchJob& j = o.job;
  j.stream = static_cast<Stream>(random.below(kStreams - 1));  // no descriptor: its words are whole items
  const auto width = [&] { return static_cast<std::uint8_t>(2 + random.below(11)); };
  const bool record = j.stream == Stream::record;
  const int operands = record ? static_cast<int>(1 + random.below(3)) : 3;  // records: bit 0 K, bit 1 V
  if (j.stream == Stream::key || j.stream == Stream::query || (record && (operands & 1))) j.key_bits = width();
  if (j.stream == Stream::value || (record && (operands & 2))) j.value_bits = width();
  j.key_signed = random.percent(70);
  j.value_signed = random.percent(70);
  j.words = static_cast<std::uint16_t>(j.stream == Stream::value_scale ? 1 : head_dim);
  const int bits = j.stream == Stream::value_scale ? 16 : j.key_bits + j.value_bits;
  const auto useful = static_cast<std::uint32_t>(j.words * bits / 8);
  if (record) {
    j.item_bytes = random.percent(50) ? useful : (useful + 31) / 32 * 32;
    j.stride_bytes = (useful + 31) / 32 * 32;
  } else {
    j.item_bytes = useful;
    j.stride_bytes = random.percent(80) ? useful : useful + static_cast<std::uint32_t>(random.below(40));
  }
  const std::uint32_t tokens = 1 + static_cast<std::uint32_t>(random.below(max_tokens));
  const unsigned alive[] = {100, 100, 95, 50, 10};
  const unsigned chance = random.pick(alive);
  if (chance < 100) {
    for (std::uint32_t t = 0; t < tokens; ++t)
      if (random.percent(chance)) o.list.push_back(t);
    if (o.list.empty()) o.list.push_back(tokens - 1);
  }
  j.items = o.list.empty() ? tokens : static_cast<std::uint32_t>(o.list.size());
  const std::uint64_t span = std::uint64_t{tokens} * j.stride_bytes + 64;
  j.base = random.below(image_bytes - span);
  if (record || random.percent(70)) j.base = j.base / 32 * 32;
  j.tag.step = static_cast<std::uint32_t>(random.below(1000));
  return o;
}

// The bursts a lane must bring, in order, as addresses: written down from the rule, not from the generator.
struct Expected {
  std::vector<std::vector<std::uint64_t>> lane;  // [lane]
  std::uint64_t bursts = 0, shared = 0;
};
inline Expected expected_bursts(const OwnedJob& o, int lanes) {
  Expected e;
  e.lane.resize(static_cast<std::size_t>(lanes));
  std::vector<std::uint64_t> all;
  for (std::uint32_t i = 0; i < o.job.items; ++i) {
    std::vector<std::uint64_t> item;
    const std::uint64_t a = o.address(i);
    for (std::uint64_t byte = 0; byte < o.job.item_bytes; ++byte) {
      const std::uint64_t burst = (a + byte) / 32 * 32;
      if (item.empty() || item.back() != burst) item.push_back(burst);
    }
    if (o.job.stream == Stream::record) {
      for (std::uint64_t b : item) e.lane[i % static_cast<std::uint32_t>(lanes)].push_back(b), ++e.bursts;
      continue;
    }
    std::size_t k = 0;
    if (!all.empty() && all.back() == item[0]) k = 1, ++e.shared;
    all.insert(all.end(), item.begin() + static_cast<std::ptrdiff_t>(k), item.end());
  }
  for (std::size_t i = 0; i < all.size(); ++i) e.lane[i % static_cast<std::size_t>(lanes)].push_back(all[i]);
  e.bursts += all.size();
  return e;
}

}  // namespace winnow::test
