#include "sim/rtl/block_twin.h"

#include <algorithm>
#include <cstring>

#include "golden/error.h"

namespace winnow::rtl {
namespace {

// Verilator keeps up to 64 bits in an integer of 8, 16, 32 or 64, more in words of 32; least significant first.
std::size_t bytes_of(int bits) {
  return bits <= 8    ? 1
         : bits <= 16 ? 2
         : bits <= 32 ? 4
         : bits <= 64 ? 8
                      : static_cast<std::size_t>((bits + 31) / 32 * 4);
}
void put(const RtlSignal& s, const Bits& value) {
  std::memcpy(s.at, value.words(), std::min(bytes_of(s.bits), static_cast<std::size_t>((s.bits + 31) / 32 * 4)));
}
void get(const RtlSignal& s, Bits& value) {
  std::memcpy(value.words(), s.at, std::min(bytes_of(s.bits), static_cast<std::size_t>((s.bits + 31) / 32 * 4)));
}
void put_bit(const RtlSignal& s, bool value) { *static_cast<std::uint8_t*>(s.at) = value; }
bool get_bit(const RtlSignal& s) { return *static_cast<const std::uint8_t*>(s.at) & 1; }

void require_width(const char* block, const std::string& port, int rtl, int model) {
  if (rtl != model)
    throw Error("--rtl: " + std::string(block) + ": " + port + ": " + std::to_string(rtl) + " bits in RTL, " +
                std::to_string(model) + " in the model");
}

}  // namespace

BlockTwin::BlockTwin(Block& block, Inventory& parts, std::shared_ptr<BlockPort> rtl,
                     std::optional<std::uint64_t> stalls)
    : Block(block.name(), block.label()), model_(block), rtl_(std::move(rtl)) {
  if (stalls) stalls_.emplace(*stalls);
  const std::string front = "--rtl: " + std::string(name()) + ": ";
  for (const RtlLink& port : rtl_->ports().links) {
    At at{port, nullptr, {}, false, false, 0, {}, {}};
    for (LinkBase* link : parts.all.links)
      if (std::string(link->info().name) == port.link) {
        const char* end = port.input ? link->info().consumer : link->info().producer;
        if (end != std::string(name())) throw Error(front + port.link + ": is not a link of this block's: " + end);
        at.link = dynamic_cast<LinkTap*>(link);
      }
    if (!at.link) throw Error(front + port.link + ": the machine has no such link of payloads");
    require_width(name(), port.port, port.data.bits, width_of(at.link->fields()));
    at.payload = at.rtl = Bits(port.data.bits);
    at.moved = port.input ? at.link->taken() : at.link->given();
    links_.push_back(std::move(at));
  }
  const std::vector<MemoryTap> taps = memory_taps(parts);
  for (const RtlMemory& port : rtl_->ports().memories) {
    const auto tap =
        std::find_if(taps.begin(), taps.end(), [&](const MemoryTap& t) { return t.memory == port.memory; });
    if (tap == taps.end()) throw Error(front + port.memory + ": no memory whose words RTL can read");
    require_width(name(), port.port, port.data.bits, width_of(tap->fields));
    memories_.push_back({port, *tap, Bits(port.data.bits)});
  }
  std::size_t known = 0;
  model_.settings([&](const char* setting, std::uint32_t& value) {
    for (const RtlSetting& s : rtl_->ports().settings)
      if (setting == std::string(s.name)) {
        if (s.value.bits < 32 && value >> s.value.bits)
          throw Error(front + setting + ": " + std::to_string(value) + " has more than the RTL's " +
                      std::to_string(s.value.bits) + " bits");
        Bits bits(s.value.bits);
        bits.set(0, std::min(32, s.value.bits), value);
        put(s.value, bits);
        ++known;
      }
  });
  if (known != rtl_->ports().settings.size()) throw Error(front + "it has settings that its model does not know");
  rtl_->reset();
}

BlockTwin::~BlockTwin() {
  if (tracing_) rtl_->trace_close();
}

void BlockTwin::drive(Cycle now) {
  for (At& at : links_) {
    if (stalls_) {
      const bool hold = !at.flow.go(*stalls_);
      stalled_ += hold;
      at.port.input ? at.link->stall_consumer(hold) : at.link->stall_producer(hold);
    }
    at.ready = at.port.input ? at.link->offers(now) : at.link->accepts(now);
    put_bit(at.port.input ? at.port.valid : at.port.ready, at.ready);
    if (at.port.input && at.ready && !at.head_known) {
      at.link->head(at.payload);
      put(at.port.data, at.payload);
      at.head_known = true;
    }
  }
  rtl_->eval();
  for (ReadPort& m : memories_) {
    std::uint32_t address = 0;
    std::memcpy(&address, m.port.address.at, sizeof address);
    if (address < m.memory.words) m.memory.read(address, m.word);
    put(m.port.data, m.word);
  }
  if (!memories_.empty()) rtl_->eval();
}

void BlockTwin::show(const At& at, bool moved) {
  put_bit(at.port.model_taken, moved);
  if (!at.port.input) put(at.port.model_data, at.payload);
}

void BlockTwin::compare(At& at, Cycle now) {
  const std::uint64_t total = at.port.input ? at.link->taken() : at.link->given(), n = total - at.moved;
  at.moved = total;
  if (n > 1)
    throw Error("--rtl: " + std::string(name()) + ": " + at.port.link + ": " + std::to_string(n) +
                " entries in cycle " + std::to_string(now) + ", at most one: RTL has one port there");
  const bool moved = n == 1, rtl = get_bit(at.port.valid) && get_bit(at.port.ready);
  if (moved && at.port.input) at.head_known = false;
  if (moved && !at.port.input) at.link->newest(at.payload);
  if (tracing_) show(at, moved);
  ++compared_;
  transfers_ += moved;
  Difference d;
  d.cycle = cycle_, d.block = name(), d.link = at.port.link;
  d.signal = at.port.input ? "taken" : "given", d.rtl = rtl, d.model = moved;
  if (rtl != moved) part(d);
  if (!moved || at.port.input) return;
  get(at.port.data, at.rtl);
  compared_ += at.link->fields().size();
  if (at.rtl == at.payload) return;
  for (const Field& f : at.link->fields())
    for (int i = 0; i < f.count; ++i) {
      d.rtl = at.rtl.get(f.at + i * f.bits, f.bits), d.model = at.payload.get(f.at + i * f.bits, f.bits);
      d.signal = "field " + f.name + (f.count > 1 ? "[" + std::to_string(i) + "]" : "");
      if (d.rtl != d.model) part(d);
    }
}

void BlockTwin::tick(Cycle now) {
  if (!stem_.empty() && cycle_ >= from_ && !tracing_) rtl_->trace_open((stem_ + ".fst").c_str()), tracing_ = true;
  drive(now);
  model_.tick(now);
  for (At& at : links_) compare(at, now);
  if (tracing_) rtl_->trace_dump(cycle_);
  if (const std::string assertion = rtl_->clock(); !assertion.empty()) {
    Difference d;
    d.cycle = cycle_, d.block = name(), d.assertion = assertion;
    part(d);
  }
  ++cycle_;
}

void BlockTwin::part(const Difference& d) {
  if (tracing_) {
    if (d.assertion.empty()) {
      for (At& at : links_) {  // of those that were not looked at yet, too
        const std::uint64_t total = at.port.input ? at.link->taken() : at.link->given();
        if (total == at.moved) continue;
        at.moved = total;
        if (!at.port.input) at.link->newest(at.payload);
        show(at, true);
      }
      rtl_->trace_dump(cycle_);
    }
    rtl_->trace_close();
    tracing_ = false;
    write_save_file(stem_, rtl_->ports().scope, rtl_->ports().waves, d);
  }
  throw Diverged{d};
}

}  // namespace winnow::rtl
