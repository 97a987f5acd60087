// Events of the selection that write the same registers never meet, since there the last assignment would win.

module topk_quick_select_checker (
  input logic clk_i,
  input logic rst_ni,
  input logic start_i,
  input logic valid_i,
  input logic decide_i,
  input logic divide_i,
  input logic target_known_i,
  input logic pop_i
);

  EventsExclude :
  assert property (@(posedge clk_i) disable iff (!rst_ni) $onehot0({start_i, valid_i, decide_i, divide_i}))
  else $error("%m: two of start, row, decision and division in one cycle");

  TargetExcludes :
  assert property (@(posedge clk_i) disable iff (!rst_ni) target_known_i |-> !(start_i || decide_i || divide_i))
  else $error("%m: the target of a mass comes with another event that writes it");

  PopsInPass :
  assert property (@(posedge clk_i) disable iff (!rst_ni) pop_i |-> !(start_i || decide_i || divide_i))
  else $error("%m: a side is read outside of a pass");

endmodule
