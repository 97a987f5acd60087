#pragma once
// Payloads and words of memory as bits, for what stands at a block's ports without knowing their types: the twin in RTL
// (sim/rtl/block_twin.h), and the SystemVerilog package of links. Made from `fields()` (link.h).
//
// The first field lies in the most significant bits, as in a packed struct of SystemVerilog; element 0 of a field that
// is an array lies in its least significant bits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace winnow {

// A vector of any width, 32 bits a word, least significant first.
class Bits {
 public:
  Bits() = default;
  explicit Bits(int width) : width_(width), words_(static_cast<std::size_t>((width + 31) / 32)) {}

  int width() const { return width_; }
  std::uint32_t* words() { return words_.data(); }
  const std::uint32_t* words() const { return words_.data(); }
  // Bits [at, at + n), n <= 64.
  std::uint64_t get(int at, int n) const {
    std::uint64_t v = 0;
    for (int done = 0; done < n;) {
      const int bit = (at + done) % 32, take = std::min(32 - bit, n - done);
      const std::uint64_t part = (words_[static_cast<std::size_t>((at + done) / 32)] >> bit) & mask(take);
      v |= part << done;
      done += take;
    }
    return v;
  }
  void set(int at, int n, std::uint64_t v) {
    for (int done = 0; done < n;) {
      const int bit = (at + done) % 32, take = std::min(32 - bit, n - done);
      std::uint32_t& word = words_[static_cast<std::size_t>((at + done) / 32)];
      const auto clear = static_cast<std::uint32_t>(mask(take) << bit);
      word = (word & ~clear) | static_cast<std::uint32_t>(((v >> done) & mask(take)) << bit);
      done += take;
    }
  }
  static constexpr std::uint64_t mask(int n) { return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1; }
  bool operator==(const Bits&) const = default;

 private:
  int width_ = 0;
  std::vector<std::uint32_t> words_;
};

// A field and where it lies: `count` elements of `bits` each (one, unless it is an array).
struct Field {
  std::string name;
  int at = 0, bits = 0, count = 1;
  int width() const { return bits * count; }
};

// What has fields() of its own; a word of a memory may have a function of this name instead.
template <class T, class V>
  requires requires(T& t, V& v) { t.fields(v); }
void fields_of(T& value, V&& v) {
  value.fields(v);
}

namespace payload {

template <class T>
concept Array = requires(const T& t) { t.size(), t[0]; };

// Calls visit(name, element's bits, number of elements, element) as fields() does, array or not; an element is a
// function from its number to a reference.
template <class T, class Visit>
void walk(T& value, Visit&& visit) {
  fields_of(value, [&](const char* name, auto& member, int bits) {
    using Member = std::remove_reference_t<decltype(member)>;
    if constexpr (Array<Member>) {
      const int count = static_cast<int>(member.size());
      if (bits % count) throw std::logic_error(std::string(name) + ": its bits are no multiple of its elements");
      visit(name, bits / count, count, [&](int i) -> auto& { return member[static_cast<std::size_t>(i)]; });
    } else {
      visit(name, bits, 1, [&](int) -> auto& { return member; });
    }
  });
}

template <class E>
std::uint64_t to_bits(const char* name, E value, int bits) {
  if constexpr (std::is_enum_v<E>) {
    return to_bits(name, static_cast<std::underlying_type_t<E>>(value), bits);
  } else {
    const auto v = static_cast<std::uint64_t>(value);
    const bool negative = std::is_signed_v<E> && value < E{};
    const bool fits = negative ? (~v >> (bits - 1)) == 0 : bits >= 64 || (v >> bits) == 0;
    if (!fits)
      throw std::logic_error(std::string(name) + ": " + std::to_string(value) + " has more than its " +
                             std::to_string(bits) + " bits");
    return v & Bits::mask(bits);
  }
}

template <class E>
E from_bits(std::uint64_t v, int bits) {
  if constexpr (std::is_signed_v<E>)
    if (bits < 64 && (v >> (bits - 1)) & 1) v |= ~Bits::mask(bits);
  return static_cast<E>(v);
}

}  // namespace payload

template <class T>
std::vector<Field> fields_as_bits() {
  std::vector<Field> all;
  T value{};
  int width = 0;
  payload::walk(value, [&](const char* name, int bits, int count, auto&&) {
    all.push_back({name, 0, bits, count});
    width += bits * count;
  });
  for (Field& f : all) f.at = width -= f.width();
  return all;
}

inline int width_of(const std::vector<Field>& fields) { return fields.empty() ? 0 : fields[0].at + fields[0].width(); }

// Throws std::logic_error when a value does not fit its field.
template <class T>
void pack(T& value, Bits& into) {
  int at = into.width();
  payload::walk(value, [&](const char* name, int bits, int count, auto&& element) {
    at -= bits * count;
    for (int i = 0; i < count; ++i) into.set(at + i * bits, bits, payload::to_bits(name, element(i), bits));
  });
}
template <class T>
void unpack(const Bits& from, T& value) {
  int at = from.width();
  payload::walk(value, [&](const char*, int bits, int count, auto&& element) {
    at -= bits * count;
    for (int i = 0; i < count; ++i) {
      auto& e = element(i);
      e = payload::from_bits<std::remove_reference_t<decltype(e)>>(from.get(at + i * bits, bits), bits);
    }
  });
}

}  // namespace winnow
