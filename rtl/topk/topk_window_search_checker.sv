// The rule count never misses the window, and a boundary is always within what is left.

module topk_window_search_checker
  import topk_pkg::*;
#(
  parameter int unsigned TargetBits = 30,
  parameter int unsigned ItemsBits = 11
) (
  input logic                  clk_i,
  input logic                  rst_ni,
  input logic                  start_i,
  input search_e               state_i,
  input logic                  mass_i,
  input logic                  one_value_i,  // a bin is of one value
  input logic [TargetBits-1:0] target_i,
  input logic [TargetBits-1:0] over_window_i,
  input logic [ItemsBits-1:0]  inside_i,
  input logic [ItemsBits-1:0]  reached_i,
  input logic [ItemsBits-1:0]  over_i
);

  StartsIdle :
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> state_i == SearchIdle)
  else $error("%m: counts come while a search is under way");

  CountInWindow :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    state_i == SearchAim && !mass_i |-> over_window_i < target_i
      && target_i - over_window_i <= TargetBits'(inside_i))
  else $error("%m: the k-th item is not in the window");

  // Of an estimate that need not be so: what it counts on may lie beyond the limit.
  BinHoldsItems :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    state_i == SearchHalve && (!mass_i || one_value_i) |-> reached_i > over_i)
  else $error("%m: no item is in the bins that are possible");

endmodule
