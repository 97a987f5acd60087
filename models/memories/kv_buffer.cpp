#include "models/memories/kv_buffer.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "golden/error.h"

namespace winnow {

KvBuffer::KvBuffer(const MemoryInfo& info, int halves, int tokens, int head_dim, int banks, bool columns)
    : KvBuffer(info, halves, tokens, head_dim, banks, columns, nullptr) {}

KvBuffer::KvBuffer(const MemoryInfo& info, int halves, int tokens, int head_dim, int banks, bool columns,
                   std::shared_ptr<KvBanks> pool)
    : MemoryBase(info),
      halves_(halves),
      tokens_(tokens),
      columns_(columns),
      pooled_(pool != nullptr),
      banks_(std::move(pool)) {
  if (tokens <= 0 || tokens > 65536)
    throw Error(std::string(label()) + ": tokens is " + std::to_string(tokens) + ", must be 1..65536");
  if (!pooled_ && banks > KvBanks::kMostAcross)
    throw Error(std::string(label()) + ": banks is " + std::to_string(banks) + ", must be 1..64");
  const auto parts = static_cast<std::size_t>(columns ? 2 * halves : halves);
  const int rows = banks > 0 ? (tokens + banks - 1) / banks : 1;  // of a half
  if (pooled_) {
    if (banks_->across(golden::kWordBits) < 1)
      throw Error(std::string(label()) + ": banks: " + std::to_string(banks_->columns()) + ": must be at least the " +
                  std::to_string(banks_->columns_of(golden::kWordBits)) + " columns of a word");
    turn_ = columns ? 0 : banks_->columns() / 2;
  } else {
    // The free columns of a half's words stand as rows behind the others, with the same ports.
    banks_ = std::make_shared<KvBanks>(label(), halves, columns ? 2 * rows : rows, banks, golden::kWordBits, head_dim);
  }
  const int most = banks_->columns();
  slots_a_half_ = (tokens + most - 1) / most * most;
  splits_.resize(static_cast<std::size_t>(banks_->columns_of(golden::kWordBits)));
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    Split& s = splits_[i];
    s.width = static_cast<int>(i) + 1, s.across = std::min(KvBanks::kMostAcross, most / s.width);
    s.row_of.resize(static_cast<std::size_t>(slots_a_half_));
    for (std::size_t slot = 0; slot < s.row_of.size(); ++slot)
      s.row_of[slot] = static_cast<std::uint16_t>(slot / static_cast<std::size_t>(s.across));
  }
  // Rows of slots that no load reaches are never ready; a run may ask about one behind the last.
  rows_a_half_ = slots_a_half_ / splits_.back().across + 1;
  state_.resize(parts);
  for (Half& h : state_) h.split = &splits_.back();
  rows_.resize(parts * static_cast<std::size_t>(rows_a_half_), Row{1, kNever});
  written_.resize(parts * static_cast<std::size_t>(slots_a_half_), kNever);
  aligned_.resize(static_cast<std::size_t>(most) * static_cast<std::size_t>(stride()));
  names_.resize(parts);
  if (pooled_) return;
  for (std::size_t part = 0; part < parts; ++part) {
    const int half = static_cast<int>(part) % halves;
    const int first = half * banks_->rows() + (static_cast<int>(part) == half ? 0 : rows);
    for (int row = 0; row < rows; ++row) names_[part].push_back(static_cast<std::uint16_t>(first + row));
  }
}

MemoryShape KvBuffer::shape() const {
  const auto across = static_cast<std::uint64_t>(banks_->columns());
  if (pooled_)
    return {columns_ ? static_cast<std::uint64_t>(banks_->rows()) * across : 0, banks_->column_bits() * head_dim(),
            banks_->columns(), 1, 1};
  const auto rows = static_cast<std::uint64_t>(banks_->rows() / (columns_ ? 2 : 1));
  return {static_cast<std::uint64_t>(halves_) * rows * across, golden::kWordBits * head_dim(),
          halves_ * banks_->columns(), 1, 1};
}

void KvBuffer::give_back(int part) {
  std::vector<std::uint16_t>& names = names_[static_cast<std::size_t>(part)];
  for (const std::uint16_t row : names) banks_->give_back(row);
  names.clear();
}

void KvBuffer::release(int half) {
  if (!pooled_) return;
  give_back(half);
  if (columns_) give_back(half + halves_);
}

void KvBuffer::begin(int half, std::uint32_t items, Cycle now, int bits, int loads, bool merges) {
  if (items > static_cast<std::uint32_t>(tokens_))
    throw Error(std::string(label()) + ": " + std::to_string(items) + " vectors do not fit into " +
                std::to_string(tokens_) + " tokens of SRAM");
  const Split& split = splits_[static_cast<std::size_t>(banks_->columns_of(widest(bits)) - 1)];
  if (pooled_) {
    if (rows_of(items, bits) > banks_->free_rows() + names_[static_cast<std::size_t>(half)].size())
      throw std::logic_error(std::string(label()) + ": no rows for " + std::to_string(items) + " vectors");
    give_back(half);
    std::vector<std::uint16_t>& names = names_[static_cast<std::size_t>(half)];
    for (std::uint32_t n = rows_of(items, bits); n; --n) names.push_back(banks_->draw());
  }
  state_[static_cast<std::size_t>(half)] = Half{items, items, loads, now, kNever, merges, &split};
  std::fill_n(written_.begin() + static_cast<std::ptrdiff_t>(index(half, 0)), slots_a_half_, kNever);
  Row* row = &rows_[static_cast<std::size_t>(half) * static_cast<std::size_t>(rows_a_half_)];
  // A row that nothing is loaded into never gets ready.
  for (int r = 0; r < rows_a_half_; ++r) {
    const int slots = row_slots(half, r);
    row[r] = Row{slots ? static_cast<std::uint32_t>(slots) : 1u, kNever};
  }
}

std::int16_t* KvBuffer::write(int half, std::uint32_t slot_number, Cycle now) {
  return place(half, slot_number, now, 0);
}

std::int16_t* KvBuffer::place(int half, std::uint32_t slot_number, Cycle now, int behind) {
  Half& h = state_[static_cast<std::size_t>(half)];
  const std::size_t i = index(half, slot_number);
  if (slot_number >= h.items || written_[i] != kNever || h.begun >= now)
    throw std::logic_error(std::string(label()) + ": slot " + std::to_string(slot_number) +
                           " written outside its load");
  const int width = h.split->width, own = width - behind;
  banks_->write(unit(half), banks_->run(place_of(half, slot_number) * width + behind, own, turn_), now);
  ++vector_writes_, port_writes_ += static_cast<std::uint64_t>(own);
  auto* words = const_cast<std::int16_t*>(slot(half, slot_number));
  if (h.loads > 1) {
    // Not the last digit: nothing can be read yet. The next load may begin in the next cycle.
    if (--h.left == 0) h.left = h.items, --h.loads, h.begun = now;
    return words;
  }
  written_[i] = now;
  Row& row = rows_[static_cast<std::size_t>(half) * static_cast<std::size_t>(rows_a_half_) +
                   static_cast<std::size_t>(row_of(half, slot_number))];
  --row.left;
  row.last = now;
  --h.left;
  h.last = now;
  return words;
}

std::int16_t* KvBuffer::put_behind(int half, std::uint32_t slot_number, Cycle now, int held, int bits) {
  if (beside(held, bits)) return place(half, slot_number, now, banks_->columns_of(held));
  std::int16_t* words = write(half, slot_number, now);
  banks_->read(unit(half), mask(half, slot_number), now);
  count_read(half, 1);
  return words;
}

std::int16_t* KvBuffer::merge_second(int half, std::uint32_t from, std::uint32_t slot_number, Cycle now) {
  std::int16_t* words = write(part(half, true), slot_number, now);
  banks_->read(unit(half), mask(half, from), now);
  count_read(half, 1);
  std::copy_n(slot(half, from), head_dim(), words);
  if (pooled_ && state_[static_cast<std::size_t>(part(half, true))].left == 0) give_back(half);
  return words;
}

void KvBuffer::count_read(int half, std::uint64_t vectors) {
  vector_reads_ += vectors;
  port_reads_ += vectors * static_cast<std::uint64_t>(state_[static_cast<std::size_t>(half)].split->width);
}

const std::int16_t* KvBuffer::read_run(int half, std::uint32_t first, std::uint32_t n, Cycle now) {
  const int across = this->across(half);
  if (n > static_cast<std::uint32_t>(across) || !run_ready(half, first, n, now))
    throw std::logic_error(std::string(label()) + ": slots read before they were there, or more than banks");
  if (n == 0) return aligned_.data();
  banks_->read(unit(half), mask(half, first, static_cast<int>(n)), now);
  count_read(half, n);
  const int row = row_of(half, first), left = across - place_of(half, first);
  const auto& names = names_[static_cast<std::size_t>(half)];
  const auto neighbours = [&] {
    return names[static_cast<std::size_t>(row) + 1] == names[static_cast<std::size_t>(row)] + 1;
  };
  // Words of two rows that are neighbours by name as by number lie one behind the other, if none is left over.
  if (static_cast<int>(n) <= left || (across == banks_->columns() && neighbours())) return slot(half, first);
  const auto stride = static_cast<std::size_t>(this->stride());
  std::copy_n(slot(half, first), static_cast<std::size_t>(left) * stride, aligned_.data());
  std::copy_n(slot(half, first + static_cast<std::uint32_t>(left)), (n - static_cast<std::size_t>(left)) * stride,
              aligned_.data() + static_cast<std::size_t>(left) * stride);
  return aligned_.data();
}

const std::int16_t* KvBuffer::read_slot(int half, std::uint32_t slot_number, Cycle now) {
  if (!slot_ready(half, slot_number, now))
    throw std::logic_error(std::string(label()) + ": slot read before it was there");
  banks_->read(unit(half), mask(half, slot_number), now);
  count_read(half, 1);
  return slot(half, slot_number);
}

}  // namespace winnow
