#include "models/dram/address.h"

#include <bit>

namespace winnow::dram {

AddressMap::AddressMap(const Spec& spec, const std::string& mapping, int pseudo_channels) {
  const auto bits = [](int n) { return static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(n))); };
  burst_bits_ = bits(spec.burst_bytes);
  unsigned at = 0;
  const auto take = [&](Slice& s, int count) {
    s = {at, bits(count)};
    at += s.bits;
  };
  take(pseudo_, pseudo_channels);
  for (const Field f : spec.mapping(mapping)) switch (f) {
      case Field::column: take(column_, spec.columns); break;
      case Field::bank_group: take(group_, spec.bank_groups); break;
      case Field::bank: take(bank_, spec.banks); break;
      case Field::row: take(row_, spec.rows); break;
    }
  bank_bits_ = group_.bits + bank_.bits;
}

}  // namespace winnow::dram
