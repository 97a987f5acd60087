#include "sim/results/stored_run.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "golden/error.h"
#include "sim/results/files.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void flatten(const std::string& prefix, const Json& json, StoredRun& run) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_object())
      flatten(prefix + key + ".", value, run);
    else
      run.settings.emplace_back(prefix + key, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

}  // namespace

std::string StoredRun::setting(const std::string& key) const {
  for (const auto& [name, value] : settings)
    if (name == key) return value;
  return "";
}

StoredRun load_run(const std::string& folder) {
  if (!fs::is_directory(folder)) throw Error(folder + ": run: no such folder: must be the output of winnow run");
  const std::string result = folder + "/result.json", manifest = folder + "/manifest.json";
  if (!fs::exists(manifest)) throw Error(manifest + ": run: no such file: must be the output of winnow run");
  if (!fs::exists(result)) throw Error(result + ": run: no such file: the run did not finish");
  StoredRun run;
  run.path = folder;
  run.label = fs::path(fs::absolute(folder).lexically_normal() / "").parent_path().filename().string();
  run.result = from_json(result, read_whole(result));
  try {
    const Json json = Json::parse(read_whole(manifest));
    if (!json.is_object()) throw Error(manifest + ": file: no object: must be a manifest that winnow wrote");
    flatten("", json, run);
  } catch (const Json::exception&) {
    throw Error(manifest + ": file: no JSON: must be a manifest that winnow wrote");
  }
  return run;
}

}  // namespace winnow
