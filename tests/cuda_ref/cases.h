#pragma once
// Policies and traces that between them reach every path of the kernels.
#include <ostream>
#include <string>
#include <vector>

#include "golden/policies/policy.h"

namespace winnow::cuda_ref::test {

struct Case {
  std::string name, trace;
  golden::Policy policy;
  // GoogleTest would print the object's bytes, pointers and all.
  friend void PrintTo(const Case& c, std::ostream* os) { *os << c.trace; }
};

inline const std::string kDecode =
    "synthetic:layers=4,heads=6,kv_heads=2,head_dim=16,tokens=30,prompt=24,causal=1,seed=";
inline const std::string kEncoder = "synthetic:layers=4,heads=4,kv_heads=4,head_dim=24,tokens=26,causal=0,seed=";

inline std::vector<Case> cases() {
  using golden::make_policy;
  std::vector<Case> all;
  const auto add = [&](const std::string& name, const std::string& trace, golden::Policy p, auto change) {
    // Prompts prune too, and outputs are scaled by the reference, but where a case asks otherwise: `skip`, `value`
    // below.
    p.local_value_resident = golden::ResidentValues::prune;
    p.out_scale = golden::OutScale::reference;
    change(p);
    all.push_back({name, trace, p});
  };
  const auto as_is = [](golden::Policy&) {};
  for (const auto& e : golden::policies()) {
    // The kernels have no greedy search, and no keys in a basis of their own.
    if (e.make().searches() || e.make().codes_keys()) continue;
    std::string name = e.name;
    for (char& c : name) c = c == '-' ? '_' : c;
    add(name + "_decode", kDecode + "1", e.make(), as_is);
    add(name + "_encoder", kEncoder + "2", e.make(), as_is);
  }
  const golden::Policy spatten = make_policy("spatten"), select = make_policy("select"), dense = make_policy("dense");
  add("score_threshold", kDecode + "8", dense, [](golden::Policy& p) { p.score_threshold = 0.05; });
  add("mid_width_image", kDecode + "3", dense, [](golden::Policy& p) { p.k_digits = {7}, p.v_bits = 5; });
  add("token_scales", kDecode + "4", spatten, [](golden::Policy& p) { p.v_scale = golden::ValueScale::token; });
  add("always_refetch", kDecode + "5", spatten, [](golden::Policy& p) { p.threshold = 1; });
  add("sometimes_refetch", kDecode + "6", spatten, [](golden::Policy& p) { p.threshold = 0.3, p.k_digits = {6, 4}; });
  add("truncate", kDecode + "7", spatten, [](golden::Policy& p) { p.msb = golden::MsbRule::truncate; });
  add("round", kDecode + "8", spatten, [](golden::Policy& p) { p.msb = golden::MsbRule::round, p.k_digits = {4, 4}; });
  add("permanent", kDecode + "9", spatten,
      [](golden::Policy& p) { p.permanent = true, p.tokens = {0.8, 0.4}, p.heads = {1, 0.4}; });
  add("normalised", kDecode + "10", spatten,
      [](golden::Policy& p) { p.importance = golden::ImportanceRule::normalised, p.tokens = {0.7, 0.4}; });
  add("decay", kDecode + "11", spatten, [](golden::Policy& p) {
    p.importance = golden::ImportanceRule::decay, p.decay_shift = 2, p.tokens = {0.7, 0.4};
  });
  add("per_kv_head", kDecode + "12", spatten,
      [](golden::Policy& p) { p.scope = golden::ImportanceScope::kv_head, p.tokens = {0.6, 0.5}; });
  add("per_kv_head_decay", kDecode + "13", spatten, [](golden::Policy& p) {
    p.scope = golden::ImportanceScope::kv_head, p.importance = golden::ImportanceRule::decay, p.protect_newest = 6;
  });
  add("by_place", kDecode + "43", spatten, [](golden::Policy& p) {
    p.scope = golden::ImportanceScope::kv_head, p.tokens = {0, 0}, p.tokens_free = 0, p.protect_first = 2,
    p.protect_newest_share = 0.3, p.shards = 3, p.shard_block = 4, p.full_heads = 0.4;
  });
  add("ranked_beside_places", kDecode + "44", select, [](golden::Policy& p) {
    p.scope = golden::ImportanceScope::kv_head, p.tokens = {0.6, 0.4}, p.protect_newest_share = 0.2, p.shards = 2,
    p.full_heads = 0.25;
  });
  add("recycled", kDecode + "47", spatten, [](golden::Policy& p) {
    p.scope = golden::ImportanceScope::kv_head, p.tokens = {0.6, 0.3}, p.full_every = 3, p.protect_first = 1;
  });
  add("by_block", kDecode + "48", spatten, [](golden::Policy& p) {
    p.scope = golden::ImportanceScope::kv_head, p.tokens = {0.7, 0.5}, p.importance_block = 4, p.protect_first = 1;
  });
  add("bound_two_digits", kDecode + "45", make_policy("early-exit"),
      [](golden::Policy& p) { p.k_digits = {5, 4}, p.score_threshold = 0.05; });
  add("bound_rounded", kDecode + "46", make_policy("early-exit"),
      [](golden::Policy& p) { p.k_digits = {4, 3, 2}, p.msb = golden::MsbRule::round, p.score_threshold = 0.3; });
  add("pages_bounds", kDecode + "47", make_policy("quest"),
      [](golden::Policy& p) { p.pages = 4, p.page_bits = 3, p.page_keep = 0.4, p.protect_first = 3; });
  add("pages_mean_select", kDecode + "48", select,
      [](golden::Policy& p) { p.pages = 2, p.page_bits = 4, p.page_keep = 0.5, p.tokens_free = 0.3; });
  add("pages_landmark_values", kDecode + "49", dense, [](golden::Policy& p) {
    p.pages = 8, p.page_key = golden::PageKey::landmark, p.page_keep = 0.5, p.local_value = 0.3, p.heads = {1, 0.5};
  });
  add("anchor_midpoint", kDecode + "50", make_policy("anchor"), [](golden::Policy& p) {
    p.k_digits = {5, 3}, p.msb = golden::MsbRule::midpoint, p.score_threshold = 0.5, p.protect_newest_share = 0.2;
  });
  add("sigmoid_cascade", kDecode + "51", make_policy("sigmoid"),
      [](golden::Policy& p) { p.tokens = {0.7, 0.5}, p.heads = {1, 0.6}, p.local_value = 0.4, p.threshold = 0.02; });
  add("merged_token_scales", kDecode + "52", make_policy("razor-attention"), [](golden::Policy& p) {
    p.k_digits = {6}, p.k_scale = golden::KeyScale::channel, p.v_bits = 5, p.v_scale = golden::ValueScale::token;
  });
  add("masked_full_by_distance", kDecode + "53", make_policy("masked"), [](golden::Policy& p) {
    p.full_heads = 0.3, p.full_heads_by = golden::HeadMeasure::distances, p.protect_first = 2, p.protect_newest = 3;
  });
  add("clusters_local_values", kDecode + "54", make_policy("routing"),
      [](golden::Policy& p) { p.local_value = 0.4, p.renormalise = true, p.k_digits = {6, 4}, p.threshold = 0.2; });
  add("gated_compensate", kDecode + "55", make_policy("gated"),
      [](golden::Policy& p) { p.compensate = true, p.v_bits = 7; });
  add("gated_cascade", kEncoder + "56", spatten,
      [](golden::Policy& p) { p.head_weights = golden::HeadWeights::gate, p.renormalise = true; });
  add("routed_select", kDecode + "57", select,
      [](golden::Policy& p) { p.head_weights = golden::HeadWeights::route, p.tokens = {0.8, 0.5}; });
  add("renormalise", kDecode + "14", spatten, [](golden::Policy& p) { p.renormalise = true, p.local_value = 0.2; });
  add("one_value", kDecode + "15", spatten, [](golden::Policy& p) { p.local_value = 0.001; });
  for (const std::string& trace : {kDecode + "33", kEncoder + "34"})
    add(trace == kEncoder + "34" ? "resident_values_encoder" : "resident_values_decode", trace, spatten,
        [](golden::Policy& p) { p.local_value_resident = golden::ResidentValues::skip; });
  add("out_by_value", kDecode + "35", spatten, [](golden::Policy& p) { p.out_scale = golden::OutScale::value; });
  add("few_tokens_and_heads", kEncoder + "16", spatten,
      [](golden::Policy& p) { p.tokens = {0.5, 0}, p.heads = {0.6, 0}; });
  add("protect_more_than_kept", kDecode + "17", spatten,
      [](golden::Policy& p) { p.protect_first = 5, p.protect_newest = 9, p.tokens = {0.4, 0.2}; });
  add("select_count", kDecode + "18", select,
      [](golden::Policy& p) { p.select = golden::SelectRule::count, p.select_keep = {0.3}; });
  add("select_midpoint_rest", kDecode + "19", select, [](golden::Policy& p) { p.msb = golden::MsbRule::midpoint; });
  add("select_no_rest", kDecode + "20", select, [](golden::Policy& p) { p.rest = false; });
  add("select_two_stages", kDecode + "21", select,
      [](golden::Policy& p) { p.k_digits = {2, 2, 4}, p.select_keep = {0.99, 0.8}; });
  add("select_three_stages", kDecode + "22", select, [](golden::Policy& p) {
    p.k_digits = {3, 2, 2, 2}, p.select_keep = {0.95, 0.9, 0.7}, p.msb = golden::MsbRule::midpoint;
  });
  add("select_count_two_stages", kDecode + "23", select, [](golden::Policy& p) {
    p.select = golden::SelectRule::count, p.k_digits = {3, 3, 2}, p.select_keep = {0.6, 0.5},
    p.msb = golden::MsbRule::truncate;
  });
  add("select_in_cascade", kDecode + "24", select,
      [](golden::Policy& p) { p.tokens = {0.8, 0.5}, p.heads = {1, 0.5}; });
  add("select_all_mass", kDecode + "25", select, [](golden::Policy& p) { p.select_keep = {1}; });
  add("select_least_mass", kDecode + "26", select, [](golden::Policy& p) { p.select_keep = {0.0001}; });
  // The crude first pass, each option alone and together.
  add("first_q_8", kDecode + "33", select, [](golden::Policy& p) { p.first_q_bits = 8; });
  add("first_q_2_midpoint", kDecode + "34", select,
      [](golden::Policy& p) { p.first_q_bits = 2, p.msb = golden::MsbRule::midpoint; });
  add("first_pow2", kDecode + "35", select, [](golden::Policy& p) { p.first_exp = golden::FirstExp::pow2; });
  add("first_crude_three_stages", kDecode + "36", select, [](golden::Policy& p) {
    p.k_digits = {3, 2, 2, 2}, p.select_keep = {0.95, 0.9, 0.7}, p.msb = golden::MsbRule::midpoint;
    p.first_q_bits = 5, p.first_exp = golden::FirstExp::pow2;
  });
  add("first_crude_count", kDecode + "37", select, [](golden::Policy& p) {
    p.select = golden::SelectRule::count, p.select_keep = {0.3}, p.first_q_bits = 4;
    p.first_exp = golden::FirstExp::pow2;
  });
  // Some steps too short to select.
  add("select_from", kDecode + "43", select, [](golden::Policy& p) { p.select_from = 28, p.compensate = true; });
  // Compensation, alone, with everything crude, over several stages and heads, with other widths and scales of V.
  add("compensate", kDecode + "38", select, [](golden::Policy& p) { p.compensate = true, p.select_keep = {0.9}; });
  add("compensate_crude", kDecode + "39", select, [](golden::Policy& p) {
    p.compensate = true, p.first_q_bits = 8, p.first_exp = golden::FirstExp::pow2, p.select_keep = {0.8}, p.v_bits = 6;
  });
  add("compensate_stages", kDecode + "40", select, [](golden::Policy& p) {
    p.compensate = true, p.k_digits = {2, 2, 4}, p.select_keep = {0.95, 0.7}, p.v_bits = 12, p.heads = {1, 0.5};
  });
  add("compensate_one_scale", kDecode + "41", select, [](golden::Policy& p) {
    p.compensate = true, p.v_scale = golden::ValueScale::tensor, p.v_bits = 2, p.select_keep = {0.6};
  });
  add("compensate_group_of_9", "synthetic:layers=2,heads=9,kv_heads=1,head_dim=72,tokens=40,prompt=37,causal=1,seed=42",
      select, [](golden::Policy& p) { p.compensate = true, p.select_keep = {0.5}; });
  // Coarse codes: many equal probabilities, so that ties decide.
  add("ties", kDecode + "27", spatten,
      [](golden::Policy& p) { p.k_digits = {2}, p.threshold = 0, p.local_value = 0.5, p.tokens = {0.7, 0.5}; });
  add("ties_select", kDecode + "28", select, [](golden::Policy& p) { p.k_digits = {2, 2}, p.select_keep = {0.6}; });
  add("group_of_9", "synthetic:layers=2,heads=9,kv_heads=1,head_dim=64,tokens=20,prompt=17,causal=1,seed=29", select,
      as_is);
  add("head_dim_8", "synthetic:layers=3,heads=2,kv_heads=2,head_dim=8,tokens=70,prompt=66,causal=1,seed=30", spatten,
      as_is);
  add("head_dim_128", "synthetic:layers=2,heads=2,kv_heads=1,head_dim=128,tokens=12,prompt=10,causal=1,seed=31", select,
      as_is);
  add("one_token", "synthetic:layers=2,heads=2,kv_heads=1,head_dim=8,tokens=2,prompt=1,causal=1,seed=32", spatten,
      as_is);
  return all;
}

}  // namespace winnow::cuda_ref::test
