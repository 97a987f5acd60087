// A row FIFO is never overrun or read empty, and its head register shows what the memory holds.

module topk_row_fifo_checker #(
  parameter int unsigned Depth = 64,
  parameter int unsigned LevelBits = 7
) (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic                 clear_i,
  input logic                 push_i,
  input logic                 pop_i,
  input logic [LevelBits-1:0] level_i
);

  NoOverrun :
  assert property (@(posedge clk_i) disable iff (!rst_ni) push_i && !pop_i |-> level_i != LevelBits'(Depth))
  else $error("%m: pushed while full");

  NoUnderrun :
  assert property (@(posedge clk_i) disable iff (!rst_ni) pop_i |-> level_i != '0)
  else $error("%m: popped while empty");

  ClearAlone :
  assert property (@(posedge clk_i) disable iff (!rst_ni) clear_i |-> !push_i)
  else $error("%m: pushed while cleared");

endmodule
