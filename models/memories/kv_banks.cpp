#include "models/memories/kv_banks.h"

#include <numeric>
#include <stdexcept>
#include <utility>

#include "golden/error.h"

namespace winnow {

KvBanks::KvBanks(std::string label, int units, int rows, int columns, int column_bits, int head_dim)
    : label_(std::move(label)), rows_(rows), columns_(columns), column_bits_(column_bits), head_dim_(head_dim) {
  const auto require = [this](bool ok, const char* name, int value, const char* rule) {
    if (!ok) throw Error(label_ + ": " + name + " is " + std::to_string(value) + ", must be " + rule);
  };
  require(units > 0, "halves", units, "at least 1");
  require(rows > 0 && rows <= 65536, "rows", rows, "1..65536");
  require(head_dim > 0 && head_dim % 8 == 0, "head dimension", head_dim, "a positive multiple of 8");
  require(columns > 0 && columns <= kMostColumns, "banks", columns, "1..128");
  stride_ = (head_dim + 15) / 16 * 16;
  all_ = columns == kMostColumns ? ~Mask{0} : (Mask{1} << columns) - 1;
  read_.resize(static_cast<std::size_t>(units)), write_.resize(static_cast<std::size_t>(units));
  words_.resize(static_cast<std::size_t>(units) * static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) *
                static_cast<std::size_t>(stride_));
  free_.resize(static_cast<std::size_t>(rows));
  std::iota(free_.begin(), free_.end(), std::uint16_t{0});
}

std::uint16_t KvBanks::draw() {
  if (drawn_ == free_.size()) throw std::logic_error(label_ + ": no row is free");
  const std::uint16_t row = free_[head_];
  head_ = (head_ + 1) % free_.size(), ++drawn_;
  return row;
}

void KvBanks::give_back(std::uint16_t row) {
  if (drawn_ == 0) throw std::logic_error(label_ + ": a row given back twice");
  free_[(head_ + free_.size() - drawn_) % free_.size()] = row;
  --drawn_;
}

void KvBanks::use(Port& port, Mask banks, Cycle at, const char* what) {
  const std::size_t i = at % kAhead;
  if (port.cycle[i] != at + 1) port.cycle[i] = at + 1, port.banks[i] = 0;
  if (port.banks[i] & banks) throw std::logic_error(label_ + ": second " + what + " of a bank in one cycle");
  port.banks[i] |= banks;
}

}  // namespace winnow
