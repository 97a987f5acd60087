// Technology files and the table of SRAMs: what is refused and in which words, and that shipped ones are complete.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "sim/cost/cost.h"
#include "sim/cost/logic.h"
#include "tests/sim/config/text_file.h"

namespace winnow::cost {
namespace {

using test::error_of;
using test::TextFile;

const std::string kGood =
    "name: mine\n"
    "sources: {chip: \"measured on our chip\"}\n"
    "base: nangate45\n"
    "units:\n"
    "  dot: {area: {um2: 100, source: chip}, leakage: {uw: 2, source: chip}, busy: {pj: 3, source: chip}, "
    "idle: {pj: 1, source: chip}}\n";

std::string with(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  const TextFile file(text);
  return error_of([&] { load_technology(file.path()); });
}

TEST(Technology, ShippedOnesHaveEveryUnitAndSource) {
  int figures = 0;
  for (const std::string& name : technology_names()) {
    const Technology t = load_technology(name);
    for (const std::string& unit : unit_names()) {
      const Unit& u = t.unit(unit);
      for (const Figure* f : {&u.area_um2, &u.leakage_uw, &u.busy_pj, &u.idle_pj}) {
        EXPECT_FALSE(f->source.empty()) << name << ' ' << unit;
        ++figures;
      }
      EXPECT_GT(u.area_um2.value, 0) << name << ' ' << unit;
      EXPECT_GT(u.busy_pj.value, u.idle_pj.value) << name << ' ' << unit;
    }
  }
  EXPECT_EQ(technology_names(), (std::vector<std::string>{"nangate45", "paper40"}));
  printf("technology: %d figures with a source\n", figures);
}

TEST(Technology, AUsersUnitStandsInForTheBases) {
  const TextFile file(kGood);
  const Technology t = load_technology(file.path());
  EXPECT_EQ(t.unit("dot").area_um2.value, 100);
  EXPECT_EQ(t.unit("dot").busy_pj.source, "measured on our chip");
  EXPECT_EQ(t.unit("exp2").area_um2.value, load_technology("nangate45").unit("exp2").area_um2.value);
}

TEST(Technology, PaperIsNangateScaled) {
  const Technology from = load_technology("nangate45"), to = load_technology("paper40");
  EXPECT_NEAR(to.unit("dot").area_um2.value / from.unit("dot").area_um2.value, 0.7923, 1e-9);
  EXPECT_NEAR(to.unit("dot").busy_pj.value / from.unit("dot").busy_pj.value, 0.8586, 1e-9);
  EXPECT_NE(to.unit("dot").area_um2.source.find("Stillmaker"), std::string::npos);
  EXPECT_EQ(to.node_nm.value, 40);
}

TEST(Technology, RefusalsNameLineKeyValueAndRule) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {with("um2: 100", "um2: -1"), "line 5: units.dot.area.um2: -1: must be a number, 0 or above"},
      {with("um2: 100", "um2: many"), "line 5: units.dot.area.um2: many: must be a number, 0 or above"},
      {with("um2: 100", "um2: .nan"), "line 5: units.dot.area.um2: .nan: must be a number, 0 or above"},
      {with("um2: 100", "pj: 100"), "line 5: units.dot.area: pj: must be in um2"},
      {with("um2: 100, ", ""), "line 5: units.dot.area: missing: must be in um2"},
      {with(", idle: {pj: 1, source: chip}", ""),
       "line 5: units.dot.idle: missing: must be {pj: NUMBER, source: NAME}"},
      {with("  dot:", "  dott:"), "line 5: units.dott: no such unit: did you mean dot?"},
      {with("source: chip}, leakage", "source: hearsay}, leakage"),
       "line 5: units.dot.area.source: hearsay: must be a key of sources"},
      {with("um2: 100, source: chip", "um2: 100"), "line 5: units.dot.area.source: missing: must be a key of sources"},
      {with("base: nangate45\n", ""), "line 1: node: missing: must be {nm: NUMBER, source: NAME}"},
      {with("base: nangate45", "base: nangate54"), "nangate54: no such technology"},
      {with("base:", "bass:"), "line 3: bass: no such key: did you mean base?"},
      {kGood + "idle_clock: {ratio: 2, source: chip}\n", "line 6: idle_clock.ratio: 2: must be at most 1"},
      {kGood + "node: {nm: 28, source: chip}\n", "nodes: 28: must have figures of this node"},
      {kGood + "sram: {table: x.json, least_words: {words: 1.5, source: chip}, widest: {bits: 8, source: chip}}\n",
       "line 6: sram.least_words.words: 1.5: must be a whole number, 1..1000000"},
      {"name: [\n", "must be valid YAML"},
      {"- a\n", "line 1: file: no map: must hold key: value lines"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_NE(refusal(text).find(expected), std::string::npos) << refusal(text) << "\n  lacks: " << expected;
  printf("technology: %zu refusals\n", cases.size());
}

TEST(SramTable, AMissingArrayNamesTheCommand) {
  const Technology t = load_technology("paper40");
  Array a{"qk", "key_buffer", "memory", true, 1, 1, 12345, 7};
  EXPECT_FALSE(t.sram.has(a));
  const std::string said = error_of([&] { t.sram.of(a); });
  EXPECT_NE(said.find("arrays.12345x7 1R1W: missing"), std::string::npos) << said;
  EXPECT_NE(said.find("scripts/cost/sram --cacti PATH"), std::string::npos) << said;
}

// Half a table is none: a figure that is missing or negative is refused with its place.
TEST(SramTable, RefusesWhatIsNoFigure) {
  const auto refused = [](const std::string& text) {
    const test::TempFile file(text, ".json");
    return error_of([&] { SramTable(file.path(), "40"); });
  };
  EXPECT_NE(refused("{}").find("arrays: missing"), std::string::npos);
  EXPECT_NE(refused("{\"arrays\": {\"8x8 1R1W\": {}}}").find("must have figures of this node"), std::string::npos);
  const std::string negative = "{\"arrays\": {\"8x8 1R1W\": {\"nodes\": {\"40\": {\"read_pj\": -1}}}}}";
  EXPECT_NE(refused(negative).find("arrays.8x8 1R1W.nodes.40.read_pj: -1: must be a number, 0 or above"),
            std::string::npos)
      << refused(negative);
}

}  // namespace
}  // namespace winnow::cost
