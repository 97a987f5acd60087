#pragma once
// Watches a command stream of HBM2 and names every rule it breaks. Written from the rules of the standard and the
// numbers of hbm2.yaml alone: neither the constraint table nor any state of the controller is used.
//
// A delay counts from the cycle in which a command is complete; ACT takes two cycles of the row bus and counts
// from its second. Rules, by the names violations carry:
//   state        "ACT to an open bank", "PRE to a closed bank", "RD/WR to a closed bank", "RD/WR to a row that is
//                not open", "REF with an open row", "address out of range"
//   buses        "row bus", "column bus", "data bus"
//   bank         tRC, tRCDRD, tRCDWR, tRAS, tRP, tRTP, tWR
//   group        tCCD_L, tRRD_L, tWTR_L
//   pseudo       tCCD_S, tRRD_S, tFAW, tWTR_S, tRTW, tRFC, tREFI (at most one refresh behind)
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/dram/channel.h"

namespace winnow::dram {

class CommandChecker : public CommandSink {
 public:
  struct Violation {
    Cycle cycle = 0;
    std::string rule, text;
  };

  CommandChecker(const Spec& spec, int pseudo_channels, Cycle refresh_phase = 0);

  void command(const IssuedCommand& c) override;
  void finish(Cycle end);  // no command came until `end`

  std::uint64_t commands() const { return commands_; }        // seen
  std::uint64_t comparisons() const { return comparisons_; }  // rules held against a command
  std::uint64_t violation_count() const { return violation_count_; }
  const std::vector<Violation>& violations() const { return violations_; }  // the first 100

 private:
  static constexpr std::int64_t kLongAgo = -1'000'000;
  struct BankState {
    bool open = false;
    std::uint32_t row = 0;
    std::int64_t act = kLongAgo, precharge = kLongAgo, read = kLongAgo, write = kLongAgo;
  };
  struct GroupState {
    std::int64_t act = kLongAgo, read = kLongAgo, write = kLongAgo;
  };
  struct PseudoState {
    std::vector<BankState> banks;
    std::vector<GroupState> groups;
    std::array<std::int64_t, 4> acts{kLongAgo, kLongAgo, kLongAgo,
                                     kLongAgo};  // the last four, oldest at `acts_seen % 4`
    std::uint64_t acts_seen = 0, refreshes = 0;
    std::int64_t last_act = kLongAgo, read = kLongAgo, write = kLongAgo, refresh = kLongAgo;
    std::int64_t data_busy = kLongAgo;  // first cycle in which the data bus is free
    std::uint64_t late_reported = 0;
  };

  void activate(const IssuedCommand& c, PseudoState& p, BankState& b, GroupState& g);
  void precharge(const IssuedCommand& c, BankState& b);
  void column(const IssuedCommand& c, PseudoState& p, BankState& b, GroupState& g);
  void refresh(const IssuedCommand& c, PseudoState& p);
  void check_refresh_debt(std::int64_t cycle);
  void at_least(const IssuedCommand& c, const char* rule, std::int64_t time, std::int64_t since, std::int64_t cycles);
  void hold(const IssuedCommand& c, const char* rule, bool ok);
  void report(Cycle cycle, const char* rule, std::string text);

  struct Numbers {
    std::int64_t bl, cl, cwl, rcdrd, rcdwr, rp, ras, rc, ccds, ccdl, rrds, rrdl, faw, rtp, wr, wtrs, wtrl, rfc, refi,
        rtw;
  } n_;
  std::uint32_t rows_, columns_;
  int groups_, banks_;
  std::int64_t refresh_phase_;
  std::vector<PseudoState> pseudo_;
  std::int64_t row_bus_free_ = kLongAgo, column_bus_free_ = kLongAgo;
  std::uint64_t commands_ = 0, comparisons_ = 0, violation_count_ = 0;
  std::vector<Violation> violations_;
};

}  // namespace winnow::dram
