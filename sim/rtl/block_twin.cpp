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
  require_parameters();
  for (RtlLink port : rtl_->ports().links) {
    for (const RtlOther& other : rtl_->ports().others)
      for (std::size_t i = 0; other.block == std::string(name()) && i < other.ports_and_links.size(); i += 2)
        if (other.ports_and_links[i] == std::string(port.port)) port.link = other.ports_and_links[i + 1];
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
    const int width = width_of(tap->fields);
    require_width(name(), port.port, port.data.bits, port.lanes * width);
    memories_.push_back({port, *tap, {}, Bits(width), Bits(port.data.bits)});
  }
  const std::vector<WriteTap> writes = write_taps(parts);
  for (const RtlWrite& port : rtl_->ports().writes) {
    const auto tap =
        std::find_if(writes.begin(), writes.end(), [&](const WriteTap& t) { return t.name == port.write; });
    if (tap == writes.end()) throw Error(front + port.write + ": no write of a memory that RTL can do");
    const int width = width_of(tap->fields);
    require_width(name(), port.port, port.data.bits, port.lanes * width);
    writes_.push_back({port, *tap, Bits(width), Bits(width), Bits(port.data.bits), Bits(port.lanes)});
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
    if (stalls_ && m.memory.hold) {
      const bool hold = !m.flow.go(*stalls_);
      stalled_ += hold;
      m.memory.hold(hold);
    }
    for (int i = 0; i < m.port.lanes; ++i) {
      const int width = m.word.width();
      const bool there = m.memory.read(address + static_cast<std::uint32_t>(i), now, m.word);
      for (int bit = 0; bit < width; bit += 64) {
        const int n = std::min(64, width - bit);
        m.all.set(i * width + bit, n, there ? m.word.get(bit, n) : 0);
      }
    }
    put(m.port.data, m.all);
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
  d.cycle = cycle_, d.block = label(), d.link = at.port.link;
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

void BlockTwin::show(WritePort& w) {
  const int width = w.entry.width();
  Bits data(w.port.data.bits), valid(w.port.lanes);
  for (std::size_t i = 0; i < std::min(w.memory.entries(), static_cast<std::size_t>(w.port.lanes)); ++i) {
    w.memory.entry(i, w.entry);
    for (int bit = 0; bit < width; bit += 64)
      data.set(static_cast<int>(i) * width + bit, std::min(64, width - bit),
               w.entry.get(bit, std::min(64, width - bit)));
    valid.set(static_cast<int>(i), 1, 1);
  }
  put(w.port.model_valid, valid), put(w.port.model_data, data);
}

// Entry by entry, in order: how many, and all bits of each.
void BlockTwin::compare(WritePort& w) {
  const int width = w.entry.width();
  const std::size_t model = w.memory.entries();
  std::size_t rtl = 0;
  get(w.port.data, w.all), get(w.port.valid, w.valid);
  ++compared_;
  Difference d;
  d.cycle = cycle_, d.block = label(), d.link = w.port.write;
  for (int lane = 0; lane < w.port.lanes; ++lane) {
    if (!w.valid.get(lane, 1)) continue;
    const std::size_t i = rtl++;
    if (i >= model) continue;
    w.memory.entry(i, w.entry);
    for (int bit = 0; bit < width; bit += 64)
      w.rtl.set(bit, std::min(64, width - bit), w.all.get(lane * width + bit, std::min(64, width - bit)));
    compared_ += w.memory.fields.size();
    if (w.rtl == w.entry) continue;
    for (const Field& f : w.memory.fields) {
      d.rtl = w.rtl.get(f.at, f.bits), d.model = w.entry.get(f.at, f.bits);
      d.signal = "entry " + std::to_string(i) + ", field " + f.name;
      if (d.rtl != d.model) part(d);
    }
  }
  transfers_ += model;
  d.signal = "entries", d.rtl = rtl, d.model = model;
  if (rtl != model) part(d);
}

void BlockTwin::compare_probes() {
  if (rtl_->ports().probes.empty()) return;
  if (tracing_)
    for (const RtlProbe& p : rtl_->ports().probes) std::copy_n(p.rtl, std::max(1, p.lanes), p.model);
  Difference first;
  model_.probes([&](const char* probe, int lane, std::uint64_t value) {
    const RtlProbe*& p = probes_[probe];
    if (!p) {
      for (const RtlProbe& known : rtl_->ports().probes)
        if (known.name == std::string(probe)) p = &known;
      if (!p) throw Error("--rtl: " + std::string(name()) + ": " + probe + ": no such probe of its RTL");
    }
    const int at = std::max(0, lane);
    if (at >= std::max(1, p->lanes)) throw Error("--rtl: " + std::string(name()) + ": " + probe + ": too few lanes");
    ++compared_;
    if (tracing_) p->model[at] = value;
    if (p->rtl[at] == value || !first.signal.empty()) return;
    first.signal = p->lanes ? probe + ("[" + std::to_string(lane) + "]") : probe;
    first.rtl = p->rtl[at], first.model = value;
    first.place = p->place;
    if (const std::size_t index = first.place.find("[lane]"); index != std::string::npos)
      first.place.replace(index, 6, "[" + std::to_string(lane) + "]");
  });
  if (first.signal.empty()) return;
  first.cycle = cycle_, first.block = label();
  part(first);
}

void BlockTwin::require_parameters() const {
  std::size_t known = 0;
  model_.parameters([&](const char* parameter, std::uint64_t value) {
    for (const RtlParameter& p : rtl_->ports().parameters) {
      if (parameter != std::string(p.name)) continue;
      ++known;
      if (p.value != value)
        throw Error("--rtl: " + std::string(name()) + ": " + parameter + ": " + std::to_string(p.value) + " in RTL, " +
                    std::to_string(value) + " in the model");
    }
  });
  if (known != rtl_->ports().parameters.size())
    throw Error("--rtl: " + std::string(name()) + ": it has parameters that its model does not know");
}

void BlockTwin::tick(Cycle now) {
  if (!stem_.empty() && cycle_ >= from_ && !tracing_) rtl_->trace_open((stem_ + ".fst").c_str()), tracing_ = true;
  drive(now);
  compare_probes();
  for (WritePort& w : writes_) w.memory.begin();
  model_.tick(now);
  for (WritePort& w : writes_) {
    w.memory.end();
    if (tracing_) show(w);
  }
  for (At& at : links_) compare(at, now);
  for (WritePort& w : writes_) compare(w);
  if (tracing_) rtl_->trace_dump(cycle_);
  if (const std::string assertion = rtl_->clock(); !assertion.empty()) {
    Difference d;
    d.cycle = cycle_, d.block = label(), d.assertion = assertion;
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
