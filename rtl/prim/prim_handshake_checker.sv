// Ready/valid rules of one link: once valid, valid and data hold until ready. Bound to what drives the link.

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

  ValidHolds :
  assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i) valid_i && !ready_i |=> valid_i)
  else $error("%m: valid fell before ready");

  DataHolds :
  assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i) valid_i && !ready_i |=> $stable(data_i))
  else $error("%m: data changed before ready");

endmodule
