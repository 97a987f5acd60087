// The schema mechanism on a small table of its own: assignment, rules, --set over several providers, YAML.
#include <gtest/gtest.h>

#include <cstdio>

#include "sim/config/schema.h"
#include "sim/config/settings.h"
#include "sim/config/yaml.h"
#include "tests/sim/config/text_file.h"

namespace winnow {
namespace {

using test::error_of;
using test::TextFile;

struct Box {
  int width = 4;
  double ratio = 0.5;
  bool lid = false;
  std::string colour = "red";

  Schema schema() {
    return {{"width", "mm", &width, {1, 64, true, {}}, "how wide"},
            {"part.ratio", "", &ratio, {0, 1, false, {}}, "share"},
            {"part.lid", "", &lid, {}, ""},
            {"colour", "", &colour, {0, 0, false, {"red", "green"}}, "paint"}};
  }
};

TEST(Schema, AssignsWhatTheRuleAllows) {
  Box box;
  Settings settings;
  settings.add("box", box.schema());
  for (const char* good : {"width=16", "part.ratio=0.25", "box.part.lid=true", "colour=green"}) settings.apply(good);
  EXPECT_EQ(box.width, 16);
  EXPECT_EQ(box.ratio, 0.25);
  EXPECT_TRUE(box.lid);
  EXPECT_EQ(box.colour, "green");
}

TEST(Schema, RefusesTheRestAndChangesNothing) {
  Box box;
  Settings settings;
  settings.add("box", box.schema());
  const std::pair<const char*, const char*> bad[] = {
      {"width=12", "--set: width: '12': must be a power of two 1..64"},
      {"width=0", "--set: width: '0': must be a power of two 1..64"},
      {"width=128", "--set: width: '128': must be a power of two 1..64"},
      {"width=8x", "--set: width: '8x': must be a power of two 1..64"},
      {"width=", "--set: width: '': must be a power of two 1..64"},
      {"part.ratio=1.5", "--set: part.ratio: '1.5': must be a number 0..1"},
      {"part.ratio=nan", "--set: part.ratio: 'nan': must be a number 0..1"},
      {"part.lid=1", "--set: part.lid: '1': must be true or false"},
      {"colour=blue", "--set: colour: 'blue': must be one of red, green"},
      {"widht=8", "--set: 'widht': '8': no such key, did you mean width?"},
      {"ratio=0.1", "--set: 'ratio': '0.1': no such key, did you mean part.ratio?"},
      {"zzzzzzzz=8", "--set: 'zzzzzzzz': '8': no such key"},
      {"width", "--set: 'width': must have the form key=value"},
      {"=3", "--set: '=3': must have the form key=value"},
  };
  for (const auto& [text, line] : bad) EXPECT_EQ(error_of([&] { settings.apply(text); }), line);
  EXPECT_EQ(box.width, 4);
  EXPECT_EQ(box.ratio, 0.5);
  EXPECT_FALSE(box.lid);
  EXPECT_EQ(box.colour, "red");
  std::printf("refused %zu settings\n", std::size(bad));
}

TEST(Schema, AKeyOfTwoProvidersNeedsItsOwner) {
  Box left, right;
  Settings settings;
  settings.add("left", left.schema());
  settings.add("right", right.schema());
  EXPECT_EQ(error_of([&] { settings.apply("width=8"); }),
            "--set: width: '8': both left and right know this key: write left.width or right.width");
  settings.apply("right.width=8");
  EXPECT_EQ(left.width, 4);
  EXPECT_EQ(right.width, 8);
}

TEST(Schema, ShownYamlLoadsAgain) {
  Box box{32, 0.125, true, "green"}, again;
  const TextFile file(show_yaml(box.schema()));
  const KeyLines lines = load_yaml(file.path(), again.schema());
  EXPECT_EQ(again.width, 32);
  EXPECT_EQ(again.ratio, 0.125);
  EXPECT_TRUE(again.lid);
  EXPECT_EQ(again.colour, "green");
  EXPECT_EQ(lines.at("width"), 1);
  EXPECT_EQ(lines.at("part.ratio"), 3);
}

TEST(Schema, BadYamlIsRefusedWithItsLine) {
  const std::string good = "width: 4\npart:\n  ratio: 0.5\n  lid: false\ncolour: red\n";
  const std::pair<std::string, std::string> bad[] = {
      {"", ": line 1: file: no map: must hold key: value lines"},
      {"- 1\n", ": line 1: file: no map: must hold key: value lines"},
      {"width: 4\n", ": part.ratio: missing: must be a number 0..1"},
      {good + "height: 3\n", ": line 6: height: '3': no such key"},
      {good + "widthh: 3\n", ": line 6: widthh: '3': no such key, did you mean width?"},
      {good + "width: 8\n", ": line 6: width: '8': stands on line 1 already"},
      {"width: 3\npart:\n  ratio: 0.5\n  lid: false\ncolour: red\n",
       ": line 1: width: '3': must be a power of two 1..64"},
      {"width: 4\npart:\n  ratio: two\n  lid: false\ncolour: red\n",
       ": line 3: part.ratio: 'two': must be a number 0..1"},
      {"width: [4]\npart:\n  ratio: 0.5\n  lid: false\ncolour: red\n",
       ": line 1: width: a list: must be a power of two 1..64"},
      {"width:\npart:\n  ratio: 0.5\n  lid: false\ncolour: red\n",
       ": line 1: width: empty: must be a power of two 1..64"},
      {"width: 4\npart: 3\ncolour: red\n", ": line 2: part: '3': no such key"},
      {"width: 4\npart:\n\t ratio: 3\n", "must be valid YAML"},
      {"width: {4\n", "must be valid YAML"},
  };
  for (const auto& [text, words] : bad) {
    const TextFile file(text);
    Box box;
    const std::string line = error_of([&] { load_yaml(file.path(), box.schema()); });
    EXPECT_TRUE(line.starts_with(file.path() + ": ")) << line << " for " << text;
    EXPECT_NE(line.find(words), std::string::npos) << words << " not in: " << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
  Box box;
  EXPECT_NE(error_of([&] { load_yaml("/no/such.yaml", box.schema()); }).find("No such file"), std::string::npos);
  std::printf("refused %zu files\n", std::size(bad) + 1);
}

}  // namespace
}  // namespace winnow
