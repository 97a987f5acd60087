#include "sim/machine/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "golden/error.h"

namespace winnow {
namespace {

constexpr int kLayers = 1;               // its track; blocks' follow
constexpr Cycle kCountedTogether = 256;  // cycles of one value of the memory's counter
constexpr const char* kFormat = "winnow-timeline-1";

// a for 0, z for 25, ba for 26: Perfetto colours a slice by the letters of its name, and leaves digits out.
std::string letters(int number) {
  std::string text(1, static_cast<char>('a' + number % 26));
  return number < 26 ? text : letters(number / 26) + text;
}

// Trace events are in microseconds; a cycle is shown as a nanosecond.
std::string shown(Cycle cycles) { return fmt::format("{}.{:03}", cycles / 1000, cycles % 1000); }

}  // namespace

// One block, ticked here in its place.
class Timeline::Watcher final : public Block {
 public:
  // `ticked` is what the machine ticks for `watched`, a twin or the block itself.
  Watcher(Timeline& timeline, int track, Block& ticked, const Block& watched, const Inventory& parts)
      : Block(watched.name(), watched.label()),
        timeline_(timeline),
        track_(track),
        ticked_(ticked),
        watched_(watched.stats()),
        groups_(parts.groups) {
    for (const LinkBase* link : parts.all.links)
      if (link->info().starts_work && std::string(link->info().consumer) == watched.name())
        inputs_.push_back({link, link->popped()});
  }

  void tick(Cycle now) override {
    timeline_.end_before(now);
    ticked_.tick(now);
    if (timeline_.cut_) return;
    look(now);
    timeline_.looked(now);
  }
  bool idle() const override { return ticked_.idle(); }

  // Ends the slice that is open.
  void close() {
    if (!open_) return;
    open_ = false;
    slice_.track = track_;
    timeline_.write(slice_with_arguments());
  }

 private:
  using Waits = std::array<std::uint64_t, BlockStats::kMaxWaits>;
  struct Input {
    const LinkBase* link;
    std::uint64_t popped;
  };

  void look(Cycle now) {
    for (Input& input : inputs_)
      if (const std::uint64_t popped = input.link->popped(); popped != input.popped) {
        input.popped = popped;
        take_up(input.link->work_taken());
      }
    if (const std::uint64_t busy = watched_.busy_cycles(); busy != busy_) {
      busy_ = busy;
      work(now);
    } else if (const std::uint64_t idle = watched_.idle_cycles(); idle != idle_) {
      idle_ = idle;
      close(), work_ = {};
    } else if (inputs_.empty()) {
      close();  // without jobs a slice is a stretch
    }
  }

  void take_up(Work work) {
    if (work.store) work.tag = groups_[*work.store].tag;
    if (work == work_) return;
    close();
    work_ = work;
  }

  void work(Cycle now) {
    Waits since{};
    for (int i = 0; i < watched_.wait_count(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      since[at] = watched_.wait_at(i).cycles - waited_[at];
      waited_[at] += since[at];
    }
    if (!open_) {
      open_ = true, before_ = since, inside_ = {}, busy_inside_ = 0;
      slice_.from = now;
    } else {
      for (std::size_t i = 0; i < since.size(); ++i) inside_[i] += since[i];
    }
    ++busy_inside_;
    slice_.to = now + 1;
  }

  const Slice& slice_with_arguments() {
    std::string& a = slice_.arguments;
    a = fmt::format("\"busy\":{}", busy_inside_);
    if (work_.tag) {
      const Tag& t = *work_.tag;
      a += fmt::format(",\"step\":{},\"layer\":{}", t.step, t.layer);
      if (t.head != kAllHeads)
        a += fmt::format(",\"head\":{},\"query\":{},\"query_head\":{},\"pass\":{}", t.head, t.query, t.group, t.pass);
      slice_.name = fmt::format("layer {}", t.layer);
      if (t.head != kAllHeads) slice_.name += ", head " + letters(t.head);
      if (*work_.kind) a += fmt::format(",\"what\":\"{}\"", work_.kind);
    } else {
      slice_.name = inputs_.empty() ? "busy" : "work of no job";
    }
    for (int i = 0; i < watched_.wait_count(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const char* key = watched_.wait_at(i).key;
      if (inside_[at]) a += fmt::format(",\"waits_for_{}\":{}", key, inside_[at]);
      if (before_[at]) a += fmt::format(",\"before_waits_for_{}\":{}", key, before_[at]);
    }
    return slice_;
  }

  Timeline& timeline_;
  int track_;
  Block& ticked_;
  const BlockStats& watched_;
  const GroupTable& groups_;
  std::vector<Input> inputs_;
  Work work_;
  bool open_ = false;
  Slice slice_;
  std::uint64_t busy_ = 0, idle_ = 0, busy_inside_ = 0;
  Waits waited_{}, before_{}, inside_{};
};

// The memory, whose work is bursts: a counter.
class Timeline::MemoryWatcher final : public Block {
 public:
  MemoryWatcher(Timeline& timeline, Block& ticked, const DramBlock& watched)
      : Block(watched.name(), watched.label()), timeline_(timeline), ticked_(ticked), memory_(watched.memory()) {}

  void tick(Cycle now) override {
    timeline_.end_before(now);
    ticked_.tick(now);
    if (timeline_.cut_ || now + 1 < from_ + kCountedTogether) return;
    flush(now + 1);
    timeline_.looked(now);
  }
  bool idle() const override { return ticked_.idle(); }

  // What was moved in [from_, to).
  void flush(Cycle to) {
    if (to <= from_) return;
    const dram::Statistics s = memory_.statistics();
    const bool same = s.reads == reads_ && s.writes == writes_;
    if (!same || any_) timeline_.count(from_, to, s.reads - reads_, s.writes - writes_);
    any_ = !same;  // a counter that has come to rest at zero is written once
    reads_ = s.reads, writes_ = s.writes, from_ = to;
  }

 private:
  Timeline& timeline_;
  Block& ticked_;
  const dram::Memory& memory_;
  Cycle from_ = 0;
  std::uint64_t reads_ = 0, writes_ = 0;
  bool any_ = false;
};

Timeline::Timeline(std::string path, std::uint64_t most) : path_(std::move(path)), most_(most) {
  file_.open(path_, std::ios::binary | std::ios::trunc);
  if (!file_) throw Error(fmt::format("--timeline: {}: {}: must be a file to write", path_, std::strerror(errno)));
  file_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
}

Timeline::~Timeline() = default;

void Timeline::attach(MachineModel& machine) {
  machine_ = &machine;
  event(R"("ph":"M","pid":1,"name":"process_name","args":{"name":"machine, 1 ns is one clock cycle"})");
  name_track(kLayers, "layers");
  int track = kLayers;
  const std::vector<Block*> ticked = machine.blocks();
  for (const Block* watched : machine.parts().all.blocks) {  // in the order of the pipeline
    if (!watched->there()) continue;
    const auto found = std::find_if(ticked.begin(), ticked.end(),
                                    [&](const Block* b) { return std::string(b->name()) == watched->name(); });
    if (found == ticked.end()) throw std::logic_error(std::string("timeline: nobody ticks ") + watched->name());
    if (watched == static_cast<const Block*>(&machine.parts().hbm2)) {
      memory_ = std::make_unique<MemoryWatcher>(*this, **found, machine.parts().hbm2);
      machine.stand_in(**found, *memory_);
      continue;
    }
    name_track(++track, watched->label());
    watchers_.push_back(std::make_unique<Watcher>(*this, track, **found, *watched, machine.parts()));
    machine.stand_in(**found, *watchers_.back());
  }
}

void Timeline::layer(const LayerPlan& plan, Cycle last_write) {
  if (layer_from_ == 0) layer_from_ = machine_->first_request();
  if (full_ || last_write == layer_from_) return;  // of a batch's round the first has the cycles
  Slice s{kLayers, layer_from_, last_write, fmt::format("layer {}", plan.layer), {}};
  s.arguments = fmt::format("\"step\":{},\"layer\":{}", plan.step, plan.layer);
  write(s);
  layer_from_ = last_write;
}

void Timeline::finish() {
  if (finished_) return;
  finished_ = true;
  if (!cut_) {
    const Cycle now = machine_->now() + 1;
    for (auto& w : watchers_) w->close();
    memory_->flush(now);
  }
  file_ << "\n],\"otherData\":{\"format\":\"" << kFormat << "\",\"first_request\":" << machine_->first_request()
        << ",\"last_write\":" << machine_->last_write()
        << ",\"cycles\":" << machine_->last_write() - machine_->first_request() << ",\"events\":" << events_;
  if (cut_) file_ << ",\"cut_at\":" << cut_at_;
  file_ << "}}\n";
  file_.close();
  if (!file_) throw Error(fmt::format("--timeline: {}: {}: must be a file to write", path_, std::strerror(errno)));
}

void Timeline::write(const Slice& s) {
  event(fmt::format(R"("ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"name":"{}","args":{{{}}})", s.track, shown(s.from),
                    shown(s.to - s.from), s.name, s.arguments));
  full_ = full_ || ++events_ >= most_;
}

void Timeline::count(Cycle from, Cycle, std::uint64_t read, std::uint64_t written) {
  event(fmt::format(R"("ph":"C","pid":1,"ts":{},"name":"memory: bytes in {} cycles","args":{{"read":{},"written":{}}})",
                    shown(from), kCountedTogether, read * kBurstBytes, written * kBurstBytes));
  full_ = full_ || ++events_ >= most_;
}

void Timeline::event(const std::string& text) {
  file_ << (any_ ? ",\n{" : "{") << text << '}';
  any_ = true;
}

void Timeline::name_track(int track, const std::string& name) {
  event(fmt::format(R"("ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":"{}"}})", track, name));
  event(fmt::format(R"("ph":"M","pid":1,"tid":{0},"name":"thread_sort_index","args":{{"sort_index":{0}}})", track));
}

void Timeline::looked(Cycle now) {
  if (full_ && full_in_ == 0) full_in_ = now;
}

void Timeline::end_before(Cycle now) {
  if (!full_ || cut_ || now == full_in_) return;  // in the cycle that filled it all blocks are still looked at
  cut_ = true, cut_at_ = now;
  for (auto& w : watchers_) w->close();
  memory_->flush(now);
}

}  // namespace winnow
