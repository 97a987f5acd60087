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
         "\nworking on: " + d.doing + "\n";
}

void write_save_file(const std::string& stem, const std::string& scope, const std::vector<std::string>& names,
                     const Difference& d) {
  std::ofstream save(stem + ".gtkw");
  save << "[dumpfile] \"" << std::filesystem::absolute(stem + ".fst").string() << "\"\n[timestart] "
       << (d.cycle > 40 ? d.cycle - 40 : 0) << "\n*-3.000000 " << d.cycle << "\n";
  const auto add = [&](const std::string& n) {
    const std::string range = n.find(':') == std::string::npos ? "[63:0]" : "";
    save << "@22\n" << scope << ".rtl_" << n << range << "\n" << scope << ".model_" << n << range << "\n";
  };
  save << "@200\n-first difference: "
       << (d.assertion.empty() ? (d.link.empty() ? "" : d.link + " ") + d.signal : "assertion " + d.assertion) << "\n";
  if (d.assertion.empty() && d.link.empty()) add(d.signal);
  save << "@200\n-all probes\n";
  for (const std::string& n : names) add(n);
}

void show_waves(const std::string& stem) {
  const std::string fst = quoted(stem + ".fst");
  std::printf("waves: %s\nopen:  gtkwave %s%s\nread:  %s wave %s\n", fst.c_str(), quoted(stem + ".gtkw").c_str(),
              on_path("gtkwave") ? "" : "   (apt-get install gtkwave)",
              quoted(std::filesystem::proximate(WINNOW_BUILD_DIR "/winnow").string()).c_str(), fst.c_str());
  std::printf("picture: ");
  std::fflush(stdout);
  const std::string draw = quoted(std::string(WINNOW_SOURCE_DIR) + "/scripts/rtl/wave") + " png " + fst;
  if (std::system(draw.c_str()) != 0) std::printf("none\n");
  std::fflush(stdout);
}

}  // namespace winnow::rtl
