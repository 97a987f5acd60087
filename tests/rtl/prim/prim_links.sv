// The primitives that no block's lockstep reaches yet, side by side for tests/rtl/prim/test_prim.cpp: links 0 and 1 are
// FIFOs of 4 and of 3 entries, link 2 a skid buffer, all wider than 64 bits; two arbiters, of 4 and of 3 requests.

module prim_links (
  input  logic       clk_i,
  input  logic       rst_ni,
  input  logic       clear_i,       // of the FIFOs
  input  logic [2:0] valid_i,
  output logic [2:0] ready_o,
  input  logic [2:0][95:0] data_i,
  output logic [2:0] valid_o,
  input  logic [2:0] ready_i,
  output logic [2:0][95:0] data_o,
  output logic [2:0] level_4_o,
  output logic [1:0] level_3_o,
  input  logic [3:0] request_4_i,
  input  logic [2:0] request_3_i,
  output logic [3:0] grant_4_o,
  output logic [2:0] grant_3_o,
  output logic [1:0] taker_valid_o,
  output logic [1:0] index_4_o,
  output logic [1:0] index_3_o,
  input  logic [1:0] taker_ready_i
);

  prim_fifo #(
    .Width(96),
    .Depth(4)
  ) u_fifo_4 (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(valid_i[0]),
    .ready_o(ready_o[0]),
    .data_i (data_i[0]),
    .valid_o(valid_o[0]),
    .ready_i(ready_i[0]),
    .data_o (data_o[0]),
    .level_o(level_4_o)
  );

  prim_fifo #(
    .Width(96),
    .Depth(3)
  ) u_fifo_3 (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(valid_i[1]),
    .ready_o(ready_o[1]),
    .data_i (data_i[1]),
    .valid_o(valid_o[1]),
    .ready_i(ready_i[1]),
    .data_o (data_o[1]),
    .level_o(level_3_o)
  );

  prim_skid_buffer #(
    .Width(96)
  ) u_skid (
    .clk_i,
    .rst_ni,
    .valid_i(valid_i[2]),
    .ready_o(ready_o[2]),
    .data_i (data_i[2]),
    .valid_o(valid_o[2]),
    .ready_i(ready_i[2]),
    .data_o (data_o[2])
  );

  prim_rr_arbiter #(
    .Requests(4)
  ) u_arbiter_4 (
    .clk_i,
    .rst_ni,
    .request_i(request_4_i),
    .grant_o  (grant_4_o),
    .valid_o  (taker_valid_o[0]),
    .index_o  (index_4_o),
    .ready_i  (taker_ready_i[0])
  );

  prim_rr_arbiter #(
    .Requests(3)
  ) u_arbiter_3 (
    .clk_i,
    .rst_ni,
    .request_i(request_3_i),
    .grant_o  (grant_3_o),
    .valid_o  (taker_valid_o[1]),
    .index_o  (index_3_o),
    .ready_i  (taker_ready_i[1])
  );

endmodule
