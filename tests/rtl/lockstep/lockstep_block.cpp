// lockstep_block BLOCK: RTL and model of a block at links, alone: random payloads, gaps and stalls on every link, words
// of memory that change at any time, and again and again a reset in mid-run, after which settings are others. Registers
// without reset begin with random values. Exit code 1 on a difference.
//   lockstep_block writeback --cycles 1000000 --seed 7 [--seeds 10] [--out FOLDER] [--rtl FOLDER] [--coverage FILE]
//   lockstep_block writeback --mutants tests/rtl/writeback/writeback.mutants [--only N]
// With --mutants: which planted bugs of the table it catches; exit code 1 if fewer than 95 % of those that the table
// does not mark as equivalent (`=`), or if a run without a bug differs.
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>

#include "sim/config/settings.h"
#include "sim/machine/parts_only.h"
#include "sim/rtl/block_twin.h"
#include "sim/rtl/library.h"
#include "sim/rtl/shell.h"
#include "tests/rtl/cli.h"
#include "tests/rtl/mutants.h"

namespace {

using namespace winnow;
using rtl::Difference;

// A block on its links, with nothing else of the machine at work.
class Bench {
 public:
  Bench(const Machine& machine, const std::string& name, std::shared_ptr<rtl::BlockPort> port, std::uint64_t seed)
      : machine_(machine), name_(name), port_(std::move(port)), random_(seed) {
    random_.setting = [this](const std::string& s) { return setting(s); };
    random_.words = [this](const std::string& m) { return words(m); };
    random_.field = [this](const std::string& f) { return field(f); };
  }

  void trace(const std::string& stem, std::uint64_t from) { stem_ = stem, from_ = from; }

  // At most so many cycles, to the first difference.
  std::optional<Difference> run(std::uint64_t cycles) {
    const std::uint64_t end = cycle_ + cycles;
    while (cycle_ < end) {
      begin(std::min(end - cycle_, 1 + random_.any_size(16)));
      try {
        for (; cycle_ < episode_end_; ++cycle_) step();
      } catch (rtl::Diverged& found) {
        found.difference.doing = block_->doing();
        count();
        return found.difference;
      }
      count();
    }
    return std::nullopt;
  }

  std::uint64_t cycles() const { return cycle_; }
  std::uint64_t compared() const { return compared_; }
  std::uint64_t transfers() const { return transfers_; }
  std::uint64_t resets() const { return resets_; }

 private:
  struct End {
    LinkTap* link;
    std::string port;
    bool input;
    rtl::Hesitation flow;
    Bits payload;
    std::vector<Field> special;  // whose values the manifest says
  };

  // A reset, with whatever the ports carry, and a model that has done nothing yet.
  void begin(std::uint64_t length) {
    twin_.reset();
    parts_ = parts_only(machine_, 8, 64);
    block_ = parts_->find_block(name_);
    if (!block_) throw Error(name_ + ": the machine has no such block");
    taps_ = rtl::memory_taps(*parts_);
    block_->settings([&](const char* name, std::uint32_t& value) {
      std::uint64_t v = random_.bits(32);
      port_->stimulus("", name, random_, v);
      value = static_cast<std::uint32_t>(v);
    });
    ends_.clear();
    for (rtl::RtlLink l : port_->ports().links) {
      for (const rtl::RtlOther& other : port_->ports().others)
        for (std::size_t i = 0; other.block == name_ && i < other.ports_and_links.size(); i += 2)
          if (other.ports_and_links[i] == std::string(l.port)) l.link = other.ports_and_links[i + 1];
      for (LinkBase* link : parts_->all.links)
        if (std::string(link->info().name) == l.link)
          if (auto* tap = dynamic_cast<LinkTap*>(link))
            ends_.push_back({tap, l.port, l.input, {}, Bits(l.data.bits), special_of(l.port, tap->fields())});
    }
    memories_.clear();
    for (const rtl::RtlMemory& m : port_->ports().memories)
      for (const rtl::MemoryTap& tap : taps_)
        if (tap.memory == m.memory) {
          memories_.push_back({tap, m.port, special_of(m.port, tap.fields)});
          tap.fill();
          for (std::uint32_t i = 0; i < tap.words(); ++i) write(memories_.back(), i);
        }
    // In every second episode what is offered may be taken back, and room may go, before anything moved.
    const bool fickle = random_.percent(50);
    twin_ = std::make_unique<rtl::BlockTwin>(*block_, *parts_, port_,
                                             fickle ? std::optional(random_.next()) : std::nullopt);
    twin_->begin_at(cycle_);
    if (!stem_.empty()) twin_->trace(stem_, from_);
    episode_end_ = cycle_ + length;
    ++resets_;
  }
  void count() { compared_ += twin_->compared(), transfers_ += twin_->transfers(); }

  void step() {
    for (End& e : ends_) {
      if (!e.flow.go(random_)) continue;
      if (e.input && e.link->accepts(cycle_)) {
        fill(e.payload, e.port, e.link->fields(), e.special);
        e.link->give(cycle_, e.payload);
      } else if (!e.input && e.link->offers(cycle_)) {
        e.link->take(cycle_);
      }
    }
    if (!memories_.empty() && random_.below(16) == 0) {
      Memory& m = memories_[random_.below(memories_.size())];
      write(m, static_cast<std::uint32_t>(random_.below(m.tap.words())));
    }
    twin_->tick(cycle_);
  }

  struct Memory {
    rtl::MemoryTap tap;
    std::string port;
    std::vector<Field> special;
  };
  void write(Memory& m, std::uint32_t word) {
    Bits bits(width_of(m.tap.fields));
    fill(bits, m.port, m.tap.fields, m.special);
    m.tap.write(m.tap.address(word), bits);
  }

  std::vector<Field> special_of(const std::string& port, const std::vector<Field>& fields) {
    std::vector<Field> special;
    std::uint64_t value = 0;
    rtl::Stimuli unused(1);
    unused.setting = [](const std::string&) { return std::uint64_t{1}; };
    unused.words = unused.field = unused.setting;
    for (const Field& f : fields)
      if (port_->stimulus(port, f.name, unused, value)) special.push_back(f);
    return special;
  }
  void fill(Bits& bits, const std::string& port, const std::vector<Field>& fields, const std::vector<Field>& special) {
    const int width = width_of(fields);
    for (int at = 0; at < width; at += 64) bits.set(at, std::min(64, width - at), random_.next());
    filled_ = &bits, fields_ = &fields;
    for (const Field& f : special)
      for (int i = 0; i < f.count; ++i) {
        std::uint64_t value = 0;
        port_->stimulus(port, f.name, random_, value);
        bits.set(f.at + i * f.bits, f.bits, value);
      }
  }

  std::uint64_t setting(const std::string& name) {
    std::optional<std::uint64_t> found;
    block_->settings([&](const char* s, std::uint32_t& value) {
      if (name == s) found = value;
    });
    if (!found) throw Error("stimuli: " + name_ + " has no setting " + name);
    return *found;
  }
  std::uint64_t words(const std::string& memory) {
    for (const rtl::MemoryTap& tap : taps_)
      if (tap.memory == memory) return tap.words();
    throw Error("stimuli: there is no memory " + memory + " to read");
  }
  std::uint64_t field(const std::string& name) {
    for (const Field& f : *fields_)
      if (f.name == name) return filled_->get(f.at, f.bits);
    throw Error("stimuli: there is no field " + name + " beside that one");
  }

  const Machine& machine_;
  std::string name_;
  std::shared_ptr<rtl::BlockPort> port_;
  rtl::Stimuli random_;
  std::unique_ptr<Inventory> parts_;
  std::unique_ptr<rtl::BlockTwin> twin_;
  Block* block_ = nullptr;
  std::vector<rtl::MemoryTap> taps_;
  std::vector<End> ends_;
  std::vector<Memory> memories_;
  const Bits* filled_ = nullptr;
  const std::vector<Field>* fields_ = nullptr;
  std::uint64_t cycle_ = 0, episode_end_ = 0, compared_ = 0, transfers_ = 0, resets_ = 0;
  std::string stem_;
  std::uint64_t from_ = 0;
};

int lockstep(const Machine& machine, const std::string& name, const rtl::BlockLibrary& library, std::uint64_t cycles,
             std::uint64_t seed, const std::string& out, const std::string& coverage, const std::string& repeat) {
  // Counted from zeros: else a bit that nothing drives would seem to move.
  const auto port = std::shared_ptr<rtl::BlockPort>(library.make(coverage.empty() ? seed : 0));
  Bench bench(machine, name, port, seed);
  const std::clock_t start = std::clock();  // of this process: others may share the core
  const auto difference = bench.run(cycles);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%s, seed %llu: %llu cycles, %llu values compared, %llu transfers, %llu resets, %.2f M cycles/s: %s\n",
              name.c_str(), static_cast<unsigned long long>(seed), static_cast<unsigned long long>(bench.cycles()),
              static_cast<unsigned long long>(bench.compared()), static_cast<unsigned long long>(bench.transfers()),
              static_cast<unsigned long long>(bench.resets()), static_cast<double>(bench.cycles()) / seconds * 1e-6,
              difference ? "DIFFERENT" : "equal");
  std::fflush(stdout);
  if (!coverage.empty()) port->write_coverage(coverage.c_str());
  if (difference) {
    const std::string stem = out + "/" + name + "-" + std::to_string(seed);
    std::filesystem::create_directories(out);
    Bench again(machine, name, library.make(seed), seed);
    again.trace(stem, difference->cycle > rtl::kWindow ? difference->cycle - rtl::kWindow : 0);
    again.run(difference->cycle + 1);
    std::printf("%srepeat: %s --cycles %llu\n", rtl::to_text(*difference).c_str(), rtl::here(repeat).c_str(),
                static_cast<unsigned long long>(difference->cycle + 1));
    rtl::show_waves(stem);
    return 1;
  }
  if (bench.transfers() * 20 < bench.cycles()) {
    std::printf("too few transfers were compared\n");
    return 1;
  }
  return 0;
}

int mutants(const Machine& machine, const std::string& name, const rtl::BlockLibrary& library, std::uint64_t cycles,
            std::uint64_t seed, const std::string& table, unsigned only) {
  const auto first = [&](unsigned mutant) {
    Bench bench(machine, name, library.make(seed, "+mutant=" + std::to_string(mutant)), seed);
    return bench.run(cycles);
  };
  if (first(0)) {
    std::printf("without a bug the sides differ\n");
    return 1;
  }
  unsigned caught = 0, expected = 0, tried = 0;
  for (const test::Mutant& m : test::read_mutants(table)) {
    if (only && m.number != only) continue;
    const auto d = first(m.number);
    if (d)
      std::printf("mutant %2u caught in cycle %6llu by %s %s  %s\n", m.number,
                  static_cast<unsigned long long>(d->cycle), d->link.c_str(), d->signal.c_str(), m.text.c_str());
    else
      std::printf("mutant %2u %s  %s\n", m.number, m.equivalent ? "equivalent" : "SURVIVED  ", m.text.c_str());
    std::fflush(stdout);
    caught += d.has_value(), expected += !m.equivalent, ++tried;
  }
  std::printf("%u of %u mutants caught, %u equivalent\n", caught, tried, tried - expected);
  return caught * 100 >= expected * 95 && expected > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"RTL and model of a block at links in lockstep"};
  std::string block, out = ".", folder, coverage, table;
  std::vector<std::string> sets;
  std::uint64_t cycles = 300000, seed = 1;
  unsigned only = 0, seeds = 1;
  app.add_option("block", block, "a block of the machine whose RTL has a manifest, rtl/<block>/<block>.yaml")
      ->required();
  app.add_option("--cycles", cycles);
  app.add_option("--seed", seed, "of stimuli and of registers without reset");
  app.add_option("--seeds", seeds, "so many of them, from that one on, each with so many cycles");
  app.add_option("--out", out, "folder for waveforms of a difference");
  app.add_option("--set", sets, "of the machine, KEY=VALUE: what the block's parameters come from");
  app.add_option("--rtl", folder, "sources that take the place of those of rtl/ with the same name");
  app.add_option("--coverage", coverage, "count lines and toggles into this file");
  app.add_option("--mutants", table, "a table of planted bugs: which of them are caught?");
  app.add_option("--only", only, "one of them, by its number");
  if (const auto code = test::parse(app, argc, argv)) return *code;
  try {
    Machine machine = load_machine("tiny");
    Settings settings;
    settings.add("machine", machine_schema(machine));
    for (const std::string& s : sets) settings.apply(s);
    require_consistent("--set", machine);
    const auto parts = parts_only(machine, 8, 64);
    const Block* const of = parts->find_block(block);
    if (!of) throw Error(block + ": the machine has no such block");
    std::vector<std::string> options = rtl::parameters_of(*of);
    if (!table.empty()) options.insert(options.end(), {"--mutants", table});
    if (!coverage.empty()) options.push_back("--coverage");
    const rtl::BlockLibrary library(block, folder, options);
    if (!table.empty()) return mutants(machine, block, library, cycles, seed, table, only);
    std::string said;
    for (const std::string& s : sets) said += " --set " + rtl::quoted(s);
    const std::string again =
        "lockstep_block " + block + (folder.empty() ? "" : " --rtl " + rtl::quoted(folder)) + said;
    for (const std::uint64_t last = seed + seeds; seed < last; ++seed)
      if (const int code =
              lockstep(machine, block, library, cycles, seed, out, coverage, again + " --seed " + std::to_string(seed)))
        return code;
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
