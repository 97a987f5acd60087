#pragma once
// What a channel of a memory type is, as data: levels, organization, timing, commands, constraint table, address
// mappings, controller presets and energy. One YAML file a type (hbm2.yaml); copies are compiled in. All cycles are
// command-clock cycles. README.md says what a further type needs.
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace winnow::dram {

// By what a command does; the file says what the type calls it.
enum class Command : std::uint8_t { activate, precharge, precharge_all, read, write, refresh };
inline constexpr int kCommands = 6;
const char* name(Command c);  // as messages and traces have it: ACT, PRE, PREA, RD, WR, REF

// From the channel down, by HBM2's names; the file says what the type calls them.
enum class Level : std::uint8_t { channel, pseudo_channel, bank_group, bank };
inline constexpr int kLevels = 4;

struct TimingParameter {
  std::string name, source;
  int cycles = 0;
  std::vector<std::pair<int, std::string>> others;  // what other public sources say, for sensitivity runs
};

// After a `preceding` command, a `following` one to the same node of `level` waits `cycles` (from first cycle
// to first cycle); with window n, counted from the n-th last preceding command.
struct Constraint {
  Level level = Level::channel;
  std::vector<Command> preceding, following;
  std::string latency;  // the expression in the file: sums and differences of timing names and numbers
  int window = 1;
};

struct ControllerPreset {
  int pseudo_channels = 2, read_queue = 64, write_queue = 32;
  int high_watermark = 800, low_watermark = 200;  // per mille of the write queue
  bool row_hit_guard = true;                      // a precharge waits for older row hits
  int offers = 2;                                 // requests a cycle from the standalone driver
};

// All in pJ, see hbm2.yaml for what each covers.
struct EnergyPreset {
  double activate = 0, read_core_bit = 0, io_bit = 0, write_core_over_read = 0;
  double refresh = 0, background_open = 0, background_closed = 0;
  std::string source;  // of ACT and read core
};

enum class Field : std::uint8_t { column, bank_group, bank, row };

struct Spec {
  std::string type;  // the file's name without .yaml
  std::array<std::string, kLevels> level_names;
  std::array<std::string, kCommands> command_names;
  // Sums and differences of timing names, as the constraints' latencies.
  std::string read_latency, burst_cycles, refresh_interval, refresh_cycles;
  int bank_groups = 0, banks = 0, rows = 0, columns = 0, burst_bytes = 0, clock_ps = 0;
  std::vector<TimingParameter> timing;
  std::array<int, kCommands> bus_cycles{};  // how long a command holds its bus
  std::array<bool, kCommands> on_row_bus{};
  std::vector<Constraint> constraints;
  std::vector<std::pair<std::string, std::array<Field, 4>>> mappings;
  std::vector<std::pair<std::string, ControllerPreset>> controllers;
  std::vector<std::pair<std::string, EnergyPreset>> energy;
  std::string default_energy;

  int cycles(const std::string& timing_name) const;            // throws Error on an unknown name
  Spec with(const std::string& timing_name, int value) const;  // a copy with one number changed
  int evaluate(const std::string& latency) const;              // an expression of the constraint table
  const std::array<Field, 4>& mapping(const std::string& name) const;
  const ControllerPreset& controller(const std::string& name) const;
  const EnergyPreset& energy_preset(const std::string& name) const;  // "" = the default
  std::vector<std::string> mapping_names() const;
  std::vector<std::string> energy_names() const;
  std::uint64_t channel_bytes(int pseudo_channels) const;
};

std::vector<std::string> memory_types();           // compiled in, by name
const Spec& memory_spec(const std::string& type);  // throws Error on an unknown type
const Spec& default_spec();                        // hbm2
// Reads a file of hbm2.yaml's form. Throws winnow::Error naming file, line, key, value and rule.
Spec load_spec(const std::string& path);
Spec parse_spec(const std::string& text, const std::string& file_name);

}  // namespace winnow::dram
