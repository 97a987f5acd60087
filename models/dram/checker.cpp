#include "models/dram/checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace winnow::dram {

CommandChecker::CommandChecker(const Spec& spec, int pseudo_channels, Cycle refresh_phase)
    : rows_(static_cast<std::uint32_t>(spec.rows)),
      columns_(static_cast<std::uint32_t>(spec.columns)),
      groups_(spec.bank_groups),
      banks_(spec.banks),
      refresh_phase_(static_cast<std::int64_t>(refresh_phase)),
      pseudo_(static_cast<std::size_t>(pseudo_channels)) {
  const auto t = [&](const char* name) { return static_cast<std::int64_t>(spec.cycles(name)); };
  n_ = {t("BL"),   t("CL"),   t("CWL"), t("RCDRD"), t("RCDWR"), t("RP"),   t("RAS"),  t("RC"),  t("CCDS"), t("CCDL"),
        t("RRDS"), t("RRDL"), t("FAW"), t("RTP"),   t("WR"),    t("WTRS"), t("WTRL"), t("RFC"), t("REFI"), t("RTW")};
  for (PseudoState& p : pseudo_) {
    p.groups.resize(static_cast<std::size_t>(groups_));
    p.banks.resize(static_cast<std::size_t>(groups_ * banks_));
  }
}

void CommandChecker::command(const IssuedCommand& c) {
  ++commands_;
  const auto t = static_cast<std::int64_t>(c.cycle);
  check_refresh_debt(t);
  const bool in_range = c.pseudo_channel < pseudo_.size() && c.bank_group < groups_ && c.bank < banks_ &&
                        c.row < rows_ && c.column < columns_;
  hold(c, "address out of range", in_range);
  if (!in_range) return;
  PseudoState& p = pseudo_[c.pseudo_channel];
  GroupState& g = p.groups[c.bank_group];
  BankState& b = p.banks[static_cast<std::size_t>(c.bank_group * banks_ + c.bank)];
  const bool column_bus = c.command == Command::read || c.command == Command::write;
  std::int64_t& bus = column_bus ? column_bus_free_ : row_bus_free_;
  at_least(c, column_bus ? "column bus" : "row bus", t, bus, 0);
  bus = std::max(bus, t + (c.command == Command::activate ? 2 : 1));
  switch (c.command) {
    case Command::activate: activate(c, p, b, g); break;
    case Command::precharge:
      hold(c, "PRE to a closed bank", b.open);
      precharge(c, b);
      break;
    case Command::precharge_all:
      at_least(c, "tRFC", t, p.refresh, n_.rfc);
      for (BankState& each : p.banks)
        if (each.open) precharge(c, each);
      break;
    case Command::read:
    case Command::write: column(c, p, b, g); break;
    case Command::refresh: refresh(c, p); break;
  }
}

void CommandChecker::activate(const IssuedCommand& c, PseudoState& p, BankState& b, GroupState& g) {
  const auto t = static_cast<std::int64_t>(c.cycle) + 1;  // complete
  hold(c, "ACT to an open bank", !b.open);
  at_least(c, "tRC", t, b.act, n_.rc);
  at_least(c, "tRP", t, b.precharge, n_.rp);
  at_least(c, "tRRD_L", t, g.act, n_.rrdl);
  at_least(c, "tRRD_S", t, p.last_act, n_.rrds);
  at_least(c, "tFAW", t, p.acts[p.acts_seen % 4], n_.faw);
  at_least(c, "tRFC", t, p.refresh, n_.rfc);
  b.open = true;
  b.row = c.row;
  b.act = g.act = p.last_act = t;
  p.acts[p.acts_seen++ % 4] = t;
}

void CommandChecker::precharge(const IssuedCommand& c, BankState& b) {
  const auto t = static_cast<std::int64_t>(c.cycle);
  at_least(c, "tRAS", t, b.act, n_.ras);
  at_least(c, "tRTP", t, b.read, n_.rtp);
  at_least(c, "tWR", t, b.write + n_.cwl + n_.bl, n_.wr);
  b.open = false;
  b.precharge = t;
}

void CommandChecker::column(const IssuedCommand& c, PseudoState& p, BankState& b, GroupState& g) {
  const auto t = static_cast<std::int64_t>(c.cycle);
  const bool read = c.command == Command::read;
  hold(c, read ? "RD to a closed bank" : "WR to a closed bank", b.open);
  hold(c, read ? "RD to a row that is not open" : "WR to a row that is not open", !b.open || b.row == c.row);
  at_least(c, read ? "tRCDRD" : "tRCDWR", t, b.act, read ? n_.rcdrd : n_.rcdwr);
  at_least(c, "tCCD_S", t, read ? p.read : p.write, n_.ccds);
  at_least(c, "tCCD_L", t, read ? g.read : g.write, n_.ccdl);
  if (read) {
    at_least(c, "tWTR_S", t, p.write + n_.cwl + n_.bl, n_.wtrs);
    at_least(c, "tWTR_L", t, g.write + n_.cwl + n_.bl, n_.wtrl);
  } else {
    at_least(c, "tRTW", t + n_.cwl, p.read + n_.cl + n_.bl, n_.rtw);
  }
  const std::int64_t data = t + (read ? n_.cl : n_.cwl);
  at_least(c, "data bus", data, p.data_busy, 0);
  p.data_busy = std::max(p.data_busy, data + n_.bl);
  (read ? b.read : b.write) = t;
  (read ? g.read : g.write) = t;
  (read ? p.read : p.write) = t;
}

void CommandChecker::refresh(const IssuedCommand& c, PseudoState& p) {
  const auto t = static_cast<std::int64_t>(c.cycle);
  bool open = false;
  std::int64_t precharged = kLongAgo, activated = kLongAgo;
  for (const BankState& b : p.banks) {
    open |= b.open;
    precharged = std::max(precharged, b.precharge);
    activated = std::max(activated, b.act);
  }
  hold(c, "REF with an open row", !open);
  at_least(c, "tRP", t, precharged, n_.rp);
  at_least(c, "tRC", t, activated, n_.rc);
  at_least(c, "tRFC", t, p.refresh, n_.rfc);
  p.refresh = t;
  ++p.refreshes;
}

void CommandChecker::check_refresh_debt(std::int64_t cycle) {
  const std::int64_t intervals = std::max<std::int64_t>(0, cycle - refresh_phase_) / n_.refi;
  for (std::size_t i = 0; i < pseudo_.size(); ++i) {
    PseudoState& p = pseudo_[i];
    ++comparisons_;
    const auto owed = static_cast<std::uint64_t>(intervals);
    if (owed <= p.refreshes + 1 + p.late_reported) continue;
    p.late_reported = owed - p.refreshes - 1;
    report(static_cast<Cycle>(cycle), "tREFI",
           fmt::format("pseudo-channel {} has had {} of {} refreshes", i, p.refreshes, owed));
  }
}

void CommandChecker::finish(Cycle end) { check_refresh_debt(static_cast<std::int64_t>(end)); }

void CommandChecker::at_least(const IssuedCommand& c, const char* rule, std::int64_t time, std::int64_t since,
                              std::int64_t cycles) {
  ++comparisons_;
  if (time >= since + cycles) return;
  report(c.cycle, rule,
         fmt::format("{} to pseudo-channel {} group {} bank {}: {} cycles too early", name(c.command), c.pseudo_channel,
                     c.bank_group, c.bank, since + cycles - time));
}

void CommandChecker::hold(const IssuedCommand& c, const char* rule, bool ok) {
  ++comparisons_;
  if (!ok)
    report(c.cycle, rule,
           fmt::format("{} to pseudo-channel {} group {} bank {} row {} column {}", name(c.command), c.pseudo_channel,
                       c.bank_group, c.bank, c.row, c.column));
}

void CommandChecker::report(Cycle cycle, const char* rule, std::string text) {
  if (++violation_count_ <= 100)
    violations_.push_back({cycle, rule, fmt::format("cycle {}: {}: {}", cycle, rule, text)});
}

}  // namespace winnow::dram
