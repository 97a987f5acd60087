#pragma once
// Controller -> P x V: a group whose probabilities are final and whose values are known; and what comes back.
#include <cstdint>

#include "models/prim/link.h"
#include "models/prim/refs.h"

namespace winnow {

struct PvJob {
  std::uint16_t store = 0;
  std::uint8_t half = 0;       // of V and its scales
  bool resident = false;       // V slots are list places, not places among the kept
  bool compensated = false;    // what was left out gets its mean V: weights are over the mean, the sum of V is added
  bool all = true;             // every slot is kept
  bool last = false;           // nobody reads this half of V after this job
  ConstantsRef constants = 0;  // the head's output scales
  std::uint64_t address = 0;   // of the group's first query head's output vector
  std::uint32_t address_stride = 0;
  std::uint16_t first_head = 0;  // query head of group 0, behind those of the sequences before
  std::uint8_t epoch = 0;        // layer that products are counted for, as FetchJob::epoch

  template <class V>
  void fields(V&& v) {
    v("store", store, 4), v("half", half, 3), v("resident", resident, 1), v("compensated", compensated, 1),
        v("all", all, 1), v("last", last, 1);
    v("constants", constants, 12), v("address", address, 36), v("address_stride", address_stride, 11);
    v("first_head", first_head, 16), v("epoch", epoch, 6);
  }
};
// The last probability of the group was read.
struct StoreReleased {
  std::uint16_t store = 0;

  template <class V>
  void fields(V&& v) {
    v("store", store, 4);
  }
};
// The last V vector of the group was.
struct PvDone {
  std::uint8_t half = 0;
  bool last = false;

  template <class V>
  void fields(V&& v) {
    v("half", half, 3), v("last", last, 1);
  }
};

struct PvJobs {
  using Payload = PvJob;
  static constexpr LinkInfo kInfo{"pv_jobs", "controller", "pv", "groups of a prompt that follow one another", true};
  static std::size_t depth(const Sizes&) { return 32; }
};
struct StoresReleased {
  using Payload = StoreReleased;
  static constexpr LinkInfo kInfo{"stores_released", "pv", "controller", "short groups follow each other closely"};
  static std::size_t depth(const Sizes&) { return 8; }
};
struct PvAnswers {
  using Payload = PvDone;
  static constexpr LinkInfo kInfo{"pv_answers", "pv", "controller", "short groups follow each other closely"};
  static std::size_t depth(const Sizes&) { return 8; }
};

}  // namespace winnow
