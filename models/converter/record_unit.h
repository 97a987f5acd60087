#pragma once
// Record half of the converter: each lane assembles its own record; a record a bank leaves in a cycle.
// Contract: converter.h.
#include <array>
#include <cstdint>
#include <vector>

#include "models/links/data_fifos.h"
#include "models/links/fetch_jobs.h"
#include "models/memories/kv_buffer.h"
#include "models/memories/lists.h"

namespace winnow::converter {

class RecordUnit {
 public:
  RecordUnit(const Lists& lists, DataFifos& data, KvBuffer& key, KvBuffer& value, int record_bursts, Cycle stages);

  void start(const FetchJob& job);
  bool done() const { return left_ == 0; }

  // Hands whole records to the banks, where they are written `stages` cycles later; where K and V share banks, V a
  // cycle after K. Returns their number.
  int deliver(Cycle now);
  // V that is written in the cycle `at`, which nothing else may meet.
  KvBanks::Mask late(Cycle at) const { return late_cycle_ == at ? late_ : 0; }
  // Takes a burst from each lane whose record is not whole. Returns their number.
  int take(Cycle now);

  std::uint64_t bursts() const { return bursts_; }
  std::uint64_t bank_conflicts() const { return bank_conflicts_; }

 private:
  struct Lane {
    std::uint32_t item = 0;  // record being assembled
    std::uint32_t have = 0;  // its bursts
  };

  const Lists& lists_;
  DataFifos& data_;
  KvBuffer& key_;
  KvBuffer& value_;
  int lanes_;
  Cycle stages_;
  std::size_t lane_bytes_;
  std::vector<std::uint8_t> bytes_;  // [lane][lane_bytes_]
  std::array<Lane, kMaxLanes> lane_{};
  LaneMask filling_ = 0, whole_ = 0;  // lanes whose record wants bursts; is whole
  int pointer_ = 0;                   // lane that chooses first
  FetchJob job_;
  bool shared_ = false;     // K and V lie in the same banks
  KvBanks::Mask late_ = 0;  // banks that V handed over last is written to
  Cycle late_cycle_ = ~Cycle{0};
  const std::uint32_t* list_ = nullptr;         // tokens of the records; none: every item
  std::uint32_t record_bursts_ = 0, left_ = 0;  // bursts a record; records not delivered
  std::uint64_t bursts_ = 0, bank_conflicts_ = 0;
};

}  // namespace winnow::converter
