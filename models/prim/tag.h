#pragma once
// Which work a payload belongs to, so that a wave or a mismatch names it. For reports only: no block decides by it, but
// softmax and P x V, which take `group` from it.
#include <cstdint>
#include <string>

namespace winnow {

// `head` is the KV head, `query` the position in the step's list of live queries, `group` the query head inside the KV
// head's group.
struct Tag {
  std::uint32_t step = 0;
  std::uint16_t layer = 0, head = 0;
  std::uint32_t query = 0;
  std::uint8_t group = 0, pass = 0;
  bool operator==(const Tag&) const = default;

  template <class V>
  void fields(V&& v) {
    v("tag.step", step, 32), v("tag.layer", layer, 16), v("tag.head", head, 16), v("tag.query", query, 32);
    v("tag.group", group, 5), v("tag.pass", pass, 2);
  }
};
inline constexpr std::uint16_t kAllHeads = 0xffff;  // as a tag's head: work for all of them

// "step 1, layer 0, KV head 0, query 0 of the step, pass 0".
inline std::string to_text(const Tag& t) {
  return "step " + std::to_string(t.step) + ", layer " + std::to_string(t.layer) +
         (t.head == kAllHeads ? "" : ", KV head " + std::to_string(t.head)) + ", query " + std::to_string(t.query) +
         " of the step, pass " + std::to_string(t.pass);
}

}  // namespace winnow
