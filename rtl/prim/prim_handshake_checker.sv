// Ready/valid rules of one link: valid is known, and so is data while valid; once valid, both hold until ready. Bound to
// what drives the link, or to what takes it, as a contract.
//
// Quiet in reset. (A simulator with two values knows everything: there, registers that start at random and the comparison
// stand in for the first two.)

module prim_handshake_checker #(
  parameter int unsigned Width = 8
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             clear_i,
  input logic             valid_i,
  input logic             ready_i,
  input logic [Width-1:0] data_i
);

  ValidKnown :
  assert property (@(posedge clk_i) disable iff (!rst_ni) !$isunknown(valid_i))
  else $error("%m: valid is unknown");

  DataKnown :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_i |-> !$isunknown(data_i))
  else $error("%m: valid data is unknown");

  ValidHolds :
  assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i) valid_i && !ready_i |=> valid_i)
  else $error("%m: valid fell before ready");

  DataHolds :
  assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i) valid_i && !ready_i |=> $stable(data_i))
  else $error("%m: data changed before ready");

endmodule
