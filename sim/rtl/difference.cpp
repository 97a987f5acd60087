#include "sim/rtl/difference.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sim/rtl/shell.h"

namespace winnow::rtl {
namespace {

std::string both_bases(std::uint64_t v) {
  char text[48];
  std::snprintf(text, sizeof text, "%llu (0x%llx)", static_cast<unsigned long long>(v),
                static_cast<unsigned long long>(v));
  return text;
}

bool on_path(const char* program) {
  return std::system((std::string("command -v ") + program + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

std::string to_text(const Difference& d) {
  const std::string signal = d.link.empty() ? "signal " + d.signal : "link " + d.link + ", " + d.signal;
  const std::string what = d.assertion.empty()
                               ? signal + ": rtl " + both_bases(d.rtl) + ", model " + both_bases(d.model)
                               : "assertion " + d.assertion + " failed (its text is above)";
  return "first difference: cycle " + std::to_string(d.cycle) + ", block " + d.block + ", " + what +
         (d.place.empty() ? "" : "\nat: " + d.place) + "\nworking on: " + d.doing + "\n";
}

std::string place_of(std::span<const Place> places, const std::string& probe, int lane) {
  for (const Place& p : places) {
    if (probe != p.probe) continue;
    std::string path = p.path;
    const std::string index = "[lane]";
    if (const std::size_t at = path.find(index); at != std::string::npos && lane >= 0)
      path.replace(at, index.size(), "[" + std::to_string(lane) + "]");
    return path + (*p.file ? std::string(", ") + p.file : "");
  }
  return "";
}

void write_save_file(const std::string& stem, const std::string& scope, const std::vector<std::string>& names,
                     const Difference& d) {
  std::ofstream save(stem + ".gtkw");
  save << "[dumpfile] \"" << std::filesystem::absolute(stem + ".fst").string() << "\"\n[timestart] "
       << (d.cycle > 40 ? d.cycle - 40 : 0) << "\n*-3.000000 " << d.cycle << "\n";
  std::ofstream surfer(stem + ".sucl");
  const auto add = [&](const std::string& n) {
    const std::string range = n.find(':') == std::string::npos ? "[63:0]" : "", plain = n.substr(0, n.find('['));
    save << "@22\n" << scope << ".rtl_" << n << range << "\n" << scope << ".model_" << n << range << "\n";
    surfer << "variable_add " << scope << ".rtl_" << plain << "\nvariable_add " << scope << ".model_" << plain << "\n";
  };
  const auto divider = [&](const std::string& text) {
    save << "@200\n-" << text << "\n";
    surfer << "divider_add " << text << "\n";
  };
  divider("first difference: " +
          (d.assertion.empty() ? (d.link.empty() ? "" : d.link + " ") + d.signal : "assertion " + d.assertion));
  if (d.assertion.empty() && d.link.empty()) add(d.signal);
  divider("all probes");
  for (const std::string& n : names) add(n);
  surfer << "cursor_set " << d.cycle << "\ngoto_cursor\n";
}

void show_waves(const std::string& stem) {
  const std::string fst = quoted(stem + ".fst");
  std::printf("waves: %s\nopen:  gtkwave %s%s\n       surfer -c %s %s%s\nread:  %s wave %s\n", fst.c_str(),
              quoted(stem + ".gtkw").c_str(), on_path("gtkwave") ? "" : "   (apt-get install gtkwave)",
              quoted(stem + ".sucl").c_str(), fst.c_str(), on_path("surfer") ? "" : "   (surfer-project.org)",
              quoted(std::filesystem::proximate(WINNOW_BUILD_DIR "/winnow").string()).c_str(), fst.c_str());
  std::printf("picture: ");
  std::fflush(stdout);
  const std::string draw = quoted(std::string(WINNOW_SOURCE_DIR) + "/scripts/rtl/wave") + " png " + fst;
  if (std::system(draw.c_str()) != 0) std::printf("none\n");
  std::fflush(stdout);
}

}  // namespace winnow::rtl
