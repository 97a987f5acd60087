// The decision's rules: both verdicts leave in the same cycle, a row without a verdict never waits, and theta is a share.

module progressive_checker (
  input logic        clk_i,
  input logic        rst_ni,
  input logic [16:0] theta16_i,
  input logic        row_valid_i,
  input logic        row_ready_i,
  input logic        verdict_i,
  input logic        softmax_valid_i,
  input logic        softmax_ready_i,
  input logic        controller_valid_i,
  input logic        controller_ready_i
);

  BothOrNeither :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   (softmax_valid_i & softmax_ready_i) == (controller_valid_i & controller_ready_i))
  else $error("%m: a verdict went to one of two");

  VerdictWithRow :
  assert property (@(posedge clk_i) disable iff (!rst_ni) softmax_valid_i & softmax_ready_i |->
                   row_valid_i & row_ready_i)
  else $error("%m: a verdict left and its row did not");

  OthersPass :
  assert property (@(posedge clk_i) disable iff (!rst_ni) row_valid_i & ~verdict_i |-> row_ready_i)
  else $error("%m: a row waits that needs no verdict");

  ThetaIsAShare :
  assert property (@(posedge clk_i) disable iff (!rst_ni) theta16_i <= 17'd65536)
  else $error("%m: theta16 is %0d", theta16_i);

endmodule

bind progressive progressive_checker u_checker (
  .clk_i,
  .rst_ni,
  .theta16_i,
  .row_valid_i,
  .row_ready_i       (row_ready_o),
  .verdict_i         (verdict),
  .softmax_valid_i   (softmax_valid_o),
  .softmax_ready_i,
  .controller_valid_i(controller_valid_o),
  .controller_ready_i
);
