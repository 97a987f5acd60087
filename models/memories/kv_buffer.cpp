#include "models/memories/kv_buffer.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "golden/error.h"

namespace winnow {

namespace {

void require(bool ok, const char* name, const std::string& what) {
  if (!ok) throw Error(std::string(name) + ": " + what);
}

}  // namespace

KvBuffer::KvBuffer(const MemoryInfo& info, int halves, int tokens, int head_dim, int banks, bool columns)
    : MemoryBase(info), halves_(halves), tokens_(tokens), head_dim_(head_dim), banks_(banks) {
  require(halves > 0, label(), "halves is " + std::to_string(halves) + ", must be at least 1");
  require(tokens > 0 && tokens <= 65536, label(), "tokens is " + std::to_string(tokens) + ", must be 1..65536");
  require(head_dim > 0 && head_dim % 8 == 0, label(),
          "head dimension is " + std::to_string(head_dim) + ", must be a positive multiple of 8");
  require(banks > 0 && banks <= 64, label(), "banks is " + std::to_string(banks) + ", must be 1..64");
  stride_ = (head_dim + 15) / 16 * 16;
  rows_a_half_ = (tokens + banks - 1) / banks;
  slots_a_half_ = rows_a_half_ * banks;
  const auto all = static_cast<std::size_t>(columns ? 2 * halves : halves);
  state_.resize(all);
  read_.resize(static_cast<std::size_t>(halves)), write_.resize(static_cast<std::size_t>(halves));
  rows_.resize(all * static_cast<std::size_t>(rows_a_half_), Row{1, kNever});
  written_.resize(all * static_cast<std::size_t>(slots_a_half_), kNever);
  words_.resize(written_.size() * stride_u());
  row_of_.resize(static_cast<std::size_t>(slots_a_half_));
  for (int s = 0; s < slots_a_half_; ++s) row_of_[static_cast<std::size_t>(s)] = static_cast<std::uint16_t>(s / banks);
}

void KvBuffer::begin(int half, std::uint32_t items, Cycle now, int loads, bool merges) {
  if (items > static_cast<std::uint32_t>(tokens_))
    throw Error(std::string(label()) + ": " + std::to_string(items) + " vectors do not fit into " +
                std::to_string(tokens_) + " tokens of SRAM");
  state_[static_cast<std::size_t>(half)] = Half{items, items, loads, now, kNever, merges};
  std::fill_n(written_.begin() + static_cast<std::ptrdiff_t>(index(half, 0)), slots_a_half_, kNever);
  Row* row = &rows_[static_cast<std::size_t>(half) * static_cast<std::size_t>(rows_a_half_)];
  // A row that nothing is loaded into never gets ready.
  for (int r = 0; r < rows_a_half_; ++r) {
    const int slots = row_slots(half, r);
    row[r] = Row{slots ? static_cast<std::uint32_t>(slots) : 1u, kNever};
  }
}

std::int16_t* KvBuffer::write(int half, std::uint32_t slot, Cycle now) {
  Half& h = state_[static_cast<std::size_t>(half)];
  const std::size_t i = index(half, slot);
  if (slot >= h.items || written_[i] != kNever || h.begun >= now)
    throw std::logic_error(std::string(label()) + ": slot " + std::to_string(slot) + " written outside its load");
  use(write_, half, std::uint64_t{1} << bank_of(slot), now, "write");
  if (h.loads > 1) {
    // Not the last digit: nothing can be read yet. The next load may begin in the next cycle.
    ++vector_writes_;
    if (--h.left == 0) h.left = h.items, --h.loads, h.begun = now;
    return &words_[i * stride_u()];
  }
  written_[i] = now;
  Row& row = rows_[static_cast<std::size_t>(half) * static_cast<std::size_t>(rows_a_half_) + row_of_[slot]];
  --row.left;
  row.last = now;
  --h.left;
  h.last = now;
  ++vector_writes_;
  return &words_[i * stride_u()];
}

std::int16_t* KvBuffer::merge(int half, std::uint32_t slot_number, Cycle now) {
  std::int16_t* words = write(half, slot_number, now);
  use(read_, half, std::uint64_t{1} << bank_of(slot_number), now, "read");
  ++vector_reads_;
  return words;
}

std::int16_t* KvBuffer::merge_second(int half, std::uint32_t from, std::uint32_t slot_number, Cycle now) {
  std::int16_t* words = write(part(half, true), slot_number, now);
  use(read_, half, std::uint64_t{1} << bank_of(from), now, "read");
  ++vector_reads_;
  std::copy_n(slot(half, from), head_dim_, words);
  return words;
}

const std::int16_t* KvBuffer::read_run(int half, std::uint32_t first, std::uint32_t n, Cycle now) {
  if (n > static_cast<std::uint32_t>(banks_) || !run_ready(half, first, n, now))
    throw std::logic_error(std::string(label()) + ": slots read before they were there, or more than banks");
  // Neighbours lie in neighbouring banks, around the last.
  const std::uint64_t run = n == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
  const int bank = bank_of(first), left = banks_ - bank;
  std::uint64_t banks = run << bank;
  if (banks_ < 64) banks &= (std::uint64_t{1} << banks_) - 1;
  if (static_cast<int>(n) > left) banks |= run >> left;
  use(read_, half, banks, now, "read");
  vector_reads_ += n;
  return slot(half, first);
}

const std::int16_t* KvBuffer::read_slot(int half, std::uint32_t slot_number, Cycle now) {
  if (!slot_ready(half, slot_number, now))
    throw std::logic_error(std::string(label()) + ": slot read before it was there");
  use(read_, half, std::uint64_t{1} << bank_of(slot_number), now, "read");
  ++vector_reads_;
  return slot(half, slot_number);
}

void KvBuffer::use(std::vector<Port>& ports, int half, std::uint64_t banks, Cycle now, const char* what) const {
  Port& port = ports[static_cast<std::size_t>(half % halves_)];
  if (port.cycle != now) port = Port{now, 0};
  if (port.banks & banks) throw std::logic_error(std::string(label()) + ": second " + what + " of a bank in one cycle");
  port.banks |= banks;
}

}  // namespace winnow
