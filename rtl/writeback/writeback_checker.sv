// Write-back's rules: bursts hold until taken, vectors are of a size that it knows and begin at a burst, and between the
// vectors of a full link there is no bubble.

module writeback_checker
  import winnow_links_pkg::*;
(
  input logic          clk_i,
  input logic          rst_ni,
  input logic          vector_valid_i,
  input logic          vector_ready_i,
  input logic [8:0]    words_i,
  input logic [35:0]   address_i,
  input logic          burst_valid_i,
  input logic          burst_ready_i,
  input write_bursts_t burst_i
);

  prim_handshake_checker #(
    .Width($bits(burst_i))
  ) u_burst (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(burst_valid_i),
    .ready_i(burst_ready_i),
    .data_i (burst_i)
  );

  SizeKnown :
  assert property (@(posedge clk_i) disable iff (!rst_ni) vector_valid_i |->
                   words_i[2:0] == '0 && words_i != '0 && words_i <= 9'd256)
  else $error("%m: a vector of %0d words", words_i);

  AtABurst :
  assert property (@(posedge clk_i) disable iff (!rst_ni) vector_valid_i |-> address_i[4:0] == '0)
  else $error("%m: a vector at address %0d", address_i);

  BurstFollows :
  assert property (@(posedge clk_i) disable iff (!rst_ni) rst_ni && vector_valid_i && vector_ready_i |=> burst_valid_i)
  else $error("%m: no burst in the cycle after a vector was taken");

endmodule

bind writeback writeback_checker u_checker (
  .clk_i,
  .rst_ni,
  .vector_valid_i,
  .vector_ready_i(vector_ready_o),
  .words_i       (vector_i.words),
  .address_i     (vector_i.address),
  .burst_valid_i (burst_valid_o),
  .burst_ready_i,
  .burst_i       (burst_o)
);
