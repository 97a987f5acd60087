// Properties of energy: linear in events, a sum over blocks, never less for a longer run, finite for very many events,
// leakage alone where nothing happens. On random components and on those of a shipped machine's logic.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>

#include "sim/cost/energy.h"
#include "sim/cost/logic.h"
#include "sim/cost/memory_peak.h"
#include "sim/cost/tables.h"

namespace winnow::cost {
namespace {

constexpr int kEvents = 12;

std::string event_name(int i) { return "block.event" + std::to_string(i); }

std::vector<Component> random_components(std::mt19937_64& r) {
  std::uniform_real_distribution<double> figure(0, 50);
  std::vector<Component> all;
  for (int i = 0; i < 20; ++i) {
    Component c{"block" + std::to_string(r() % 5), "part" + std::to_string(i), "logic"};
    c.area_um2 = figure(r) * 1000, c.leakage_w = figure(r) * 1e-6;
    for (int k = 0; k < 3; ++k)
      c.actions.push_back({event_name(static_cast<int>(r() % kEvents)), "act", figure(r), figure(r)});
    all.push_back(std::move(c));
  }
  return all;
}

Events random_events(std::mt19937_64& r, std::uint64_t most) {
  Events e;
  for (int i = 0; i < kEvents; ++i) e[event_name(i)] = r() % most;
  return e;
}

Events none_of(const std::vector<Component>& components) {
  Events e;
  for (const Component& c : components)
    for (const Action& a : c.actions) e[a.event] = 0;
  return e;
}

void near(double a, double b) { EXPECT_NEAR(a, b, 1e-12 * std::max(std::abs(a), std::abs(b)) + 1e-30); }

TEST(Energy, IsLinearInEvents) {
  std::mt19937_64 r(1);
  int compared = 0;
  for (int i = 0; i < 200; ++i) {
    const auto components = random_components(r);
    const Events a = random_events(r, 1'000'000), b = random_events(r, 1'000'000);
    Events sum, triple;
    for (const auto& [name, n] : a) sum[name] = n + b.at(name), triple[name] = 3 * n;
    const auto dynamic = [&](const Events& e) { return energy_of(components, e, 1000, 1).dynamic_j(); };
    near(dynamic(sum), dynamic(a) + dynamic(b));
    near(dynamic(triple), 3 * dynamic(a));
    compared += 2;
  }
  printf("energy: %d sums compared\n", compared);
}

TEST(Energy, AddsUpOverBlocks) {
  std::mt19937_64 r(2);
  for (int i = 0; i < 100; ++i) {
    const auto components = random_components(r);
    const Events events = random_events(r, 1'000'000);
    const Energy whole = energy_of(components, events, 5000, 1.5);
    double blocks = 0, alone = 0;
    for (const BlockEnergy& b : whole.blocks) blocks += b.total_j();
    for (const Component& c : components) alone += energy_of({c}, events, 5000, 1.5).total_j();
    near(whole.total_j(), blocks);
    near(whole.total_j(), alone);
  }
}

TEST(Energy, ALongerRunNeverCostsLess) {
  std::mt19937_64 r(3);
  for (int i = 0; i < 100; ++i) {
    const auto components = random_components(r);
    Events events = random_events(r, 1'000'000);
    double before = 0;
    for (std::uint64_t cycles = 1; cycles < 1'000'000; cycles *= 7) {
      events[event_name(static_cast<int>(r() % kEvents))] += r() % 100;
      const double now = energy_of(components, events, cycles, 1).total_j();
      EXPECT_GE(now, before);
      before = now;
    }
  }
}

TEST(Energy, NoEventsCostLeakageAlone) {
  const auto components = logic_of(load_machine("spatten"), load_technology("paper40"));
  const Energy e = energy_of(components, none_of(components), 1'000'000, 1);
  EXPECT_EQ(e.dynamic_j(), 0);
  double leakage = 0;
  for (const Component& c : components) leakage += c.leakage_w;
  near(e.leakage_j(), leakage * 1e-3);
  EXPECT_GT(e.leakage_j(), 0);
}

TEST(Energy, DoesNotOverflow) {
  const auto components = logic_of(load_machine("winnow"), load_technology("paper40"));
  Events events = none_of(components), one = events;
  for (auto& [name, n] : events) n = 1'000'000'000'000, one[name] = 1;
  const double many = energy_of(components, events, 1'000'000'000'000, 1).dynamic_j();
  EXPECT_TRUE(std::isfinite(many));
  EXPECT_NEAR(many / energy_of(components, one, 1, 1).dynamic_j() * 1e-12, 1, 1e-9);
  events.begin()->second = ~std::uint64_t{0};
  EXPECT_TRUE(std::isfinite(energy_of(components, events, ~std::uint64_t{0}, 1).total_j()));
}

TEST(Energy, AnEventThatNobodyCountsIsAnErrorOfTheProgram) {
  const Component c{"qk", "dot", "logic", 1, 1, 1, {{"qk.forgotten", "multiply", 1, 1}}, "", false};
  EXPECT_THROW(energy_of({c}, {}, 1, 1), std::logic_error);
}

TEST(Energy, WhatCannotBeStopsTheProgram) {
  Limits limits{100, 3200, 32, {"qk"}};
  EXPECT_NO_THROW(require_possible({{"qk.busy", 100}}, limits));
  EXPECT_THROW(require_possible({{"qk.busy", 101}}, limits), std::logic_error);
  limits.bytes = 3201;
  EXPECT_THROW(require_possible({{"qk.busy", 100}}, limits), std::logic_error);
}

TEST(Cost, BlocksAddUpAndPeakIsAboveLeakage) {
  std::mt19937_64 r(4);
  const auto components = random_components(r);
  double area = 0, leakage = 0, sum = 0, leaks = 0;
  for (const Component& c : components) area += c.area_um2 * 1e-6, leakage += c.leakage_w;
  for (const BlockCost& b : block_costs(components, 1)) {
    sum += b.area_mm2, leaks += b.leakage_w;
    EXPECT_GE(b.peak_w, b.leakage_w);
  }
  near(sum, area);
  near(leaks, leakage);
}

// A run cannot take more than the peak: all events at their most in every cycle.
TEST(Cost, PeakIsTheMostThatARunCanTake) {
  const auto components = logic_of(load_machine("spatten"), load_technology("paper40"));
  double peak = 0;
  for (const BlockCost& b : block_costs(components, 1)) peak += b.peak_w;
  std::map<std::string, double> most;
  for (const Component& c : components)
    for (const Action& a : c.actions) {
      const auto at = most.try_emplace(a.event, a.most_cycle).first;
      at->second = std::min(at->second, a.most_cycle);
    }
  constexpr std::uint64_t kCycles = 1'000'000;
  Events events;
  for (const auto& [name, n] : most) events[name] = static_cast<std::uint64_t>(n * kCycles);
  const double watts = energy_of(components, events, kCycles, 1).total_j() / (kCycles * 1e-9);
  EXPECT_LE(watts, peak * (1 + 1e-9));
  EXPECT_GT(watts, 0.5 * peak);
}

TEST(Cost, MoreMultipliersCostMoreAndWidthsBetweenAreEstimates) {
  const Technology t = load_technology("paper40");
  const auto area = [&](const Machine& m) {
    double sum = 0;
    for (const Component& c : logic_of(m, t)) sum += c.area_um2;
    return sum;
  };
  Machine m = load_machine("spatten"), more = m;
  more.qk.multipliers *= 2;
  EXPECT_GT(area(more), 1.3 * area(m));
  more = m, more.topk.parallelism = 32;
  int estimates = 0;
  for (const Component& c : logic_of(more, t)) estimates += c.estimate && c.name.starts_with("topk_engine");
  EXPECT_EQ(estimates, 2);
}

// By hand: 16 channels of 2 pseudo-channels, 32 bytes in two cycles, four rows in 15 cycles, a refresh in 3,900.
TEST(Cost, PeakOfTheMemoryByHand) {
  const double expected = 32 * (128 * (2.68 + 0.80) + 4.0 / 15 * 909 + 30420.0 / 3900) * 1e-3 + 16 * 66 * 1e-3;
  EXPECT_NEAR(memory_peak_w(load_machine("spatten")), expected, 1e-9);
}

TEST(Tables, ActionCountsAreWhatAccelergyReads) {
  const Component c{"qk", "dot", "logic", 32, 1, 1, {{"qk.multiplications", "multiply", 1, 512}}, "", false};
  EXPECT_EQ(accelergy_counts("spatten", {c}, {{"qk.multiplications", 42}}),
            "action_counts:\n  version: 0.4\n  local:\n  - name: spatten.qk.dot\n    action_counts:\n"
            "    - name: multiply\n      counts: 42\n");
}

}  // namespace
}  // namespace winnow::cost
