#include "sim/results/run_folder.h"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "golden/error.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json object_of(const Manifest::Pairs& pairs) {
  Json object = Json::object();
  for (const auto& [key, value] : pairs) object[key] = value;
  return object;
}

}  // namespace

std::string to_json(const Manifest& m, bool finished) {
  Json json;
  json["version"] = m.version;
  json["command"] = m.command;
  json["trace"] = m.trace;
  json["trace_sha256"] = m.trace_sha256;
  json["engine"] = m.engine;
  if (!m.rtl.empty()) json["rtl"] = m.rtl;
  json["seed"] = m.seed;
  json["options"] = object_of(m.options);
  json["machine"] = object_of(m.machine);
  json["policy"] = object_of(m.policy);
  json["started"] = m.date;
  json["finished"] = finished;
  if (finished) {
    json["wall_seconds"] = m.wall_seconds;
    json["kcycles_per_second"] = m.kcycles_per_second;
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

RunFolder::RunFolder(const std::string& path, bool force, const Manifest& manifest) : path_(path) {
  const auto fail = [&](const std::string& what, const std::string& rule) {
    throw Error(fmt::format("{}: output folder: {}: {}", path_, what, rule));
  };
  std::error_code ec;
  if (fs::exists(path_, ec)) {
    if (!fs::is_directory(path_, ec)) fail("is a file", "must be a folder or not exist");
    if (!force) fail("exists", "--force replaces the run in it");
    // result.json goes first: from here on the folder does not look finished.
    for (const char* name : {"result.json", "manifest.json", "layers.csv", "timeline.json", "topk.fst", "topk.gtkw",
                             "topk.fst.png", "cascade-topk.fst", "cascade-topk.gtkw", "cascade-topk.fst.png"})
      if (fs::remove(fs::path(path_) / name, ec); ec) fail(name, ec.message());
  }
  if (fs::create_directories(path_, ec); ec) fail(ec.message(), "must be a folder that can be made");
  write_whole(path_ + "/manifest.json", to_json(manifest, false));
}

void RunFolder::begin_layers(const std::vector<std::string>& columns) {
  layers_ = std::make_unique<CsvFile>(path_ + "/layers.csv", columns);
}

void RunFolder::finish(const Manifest& manifest, const StatTree& result) {
  if (layers_) layers_->sync();
  write_whole(path_ + "/manifest.json", to_json(manifest, true));
  write_whole(path_ + "/result.json", to_json(result));
}

void RunFolder::keep(const Manifest& manifest, const StatTree& result) {
  if (layers_) layers_->sync();
  write_whole(path_ + "/manifest.json", to_json(manifest, false));
  write_whole(path_ + "/result.json", to_json(result));
}

}  // namespace winnow
