#include "sim/commands/range.h"

#include <fmt/format.h>

#include <charconv>

#include "golden/error.h"

namespace winnow {

IndexRange parse_range(const char* option, const std::string& text) {
  IndexRange range;
  const char* const end = text.data() + text.size();
  auto [at, ec] = std::from_chars(text.data(), end, range.first);
  bool good = ec == std::errc{} && range.first >= 0;
  if (good && at == end) range.last = range.first;
  if (good && at != end) {
    good = *at == '-';
    if (good && at + 1 != end) {
      const auto [stop, bad] = std::from_chars(at + 1, end, range.last);
      good = bad == std::errc{} && stop == end && range.last >= range.first;
    }
  }
  if (!good) throw Error(fmt::format("{}: '{}': must be A-B with 0 <= A <= B, or A", option, text));
  return range;
}

}  // namespace winnow
