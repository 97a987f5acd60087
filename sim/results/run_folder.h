#pragma once
// The folder of one run:
//   layers.csv     a row a layer, written as layers finish
//   manifest.json  what repeats the run, and what the host was like; rewritten at the end
//   topk.fst, ...  only where a block's RTL parted from its model: waveform, its picture, GTKWave's save file
//   result.json    the statistics, written last: a folder without it holds a run that did not finish; one whose
//                  manifest has "finished": false holds what a run had measured by then
// layers.csv and result.json hold nothing of the host: same input, same bytes.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/results/files.h"
#include "sim/results/statistics.h"

namespace winnow {

struct Manifest {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  std::string version, command, trace, trace_sha256, engine, rtl;
  std::uint64_t seed = 0;
  Pairs machine, policy;  // every key and value
  Pairs options;          // others that change the result: layers, steps, ...
  // Of the host, known at the end.
  std::string date;  // UTC, ISO 8601
  double wall_seconds = 0, kcycles_per_second = 0;
};
std::string to_json(const Manifest& manifest, bool finished);

std::string utc_now();

class RunFolder {
 public:
  // Makes the folder. One that exists is refused unless `force`, which replaces the files of an earlier run and
  // touches no others. Throws Error.
  RunFolder(const std::string& path, bool force, const Manifest& manifest);

  const std::string& path() const { return path_; }
  // Once, before the first row.
  void begin_layers(const std::vector<std::string>& columns);
  void layer(const std::vector<std::string>& cells) { layers_->row(cells); }
  // Rows are synced, then manifest.json, then result.json.
  void finish(const Manifest& manifest, const StatTree& result);
  // The same of a run that goes on, so that a kill loses no more than what comes: the manifest is not marked finished.
  void keep(const Manifest& manifest, const StatTree& result);

 private:
  std::string path_;
  std::unique_ptr<CsvFile> layers_;
};

}  // namespace winnow
