// Binds the ready/valid rules to every primitive that drives a link, and to the ways in as contracts.

bind prim_fifo prim_handshake_checker #(
  .Width(Width)
) u_out_checker (
  .clk_i,
  .rst_ni,
  .clear_i,
  .valid_i(valid_o),
  .ready_i,
  .data_i (data_o)
);

bind prim_skid_buffer prim_handshake_checker #(
  .Width(Width)
) u_out_checker (
  .clk_i,
  .rst_ni,
  .clear_i(1'b0),
  .valid_i(valid_o),
  .ready_i,
  .data_i (data_o)
);

bind prim_rr_arbiter prim_handshake_checker #(
  .Width(Requests)
) u_out_checker (
  .clk_i,
  .rst_ni,
  .clear_i(1'b0),
  .valid_i(valid_o),
  .ready_i,
  .data_i (grant_o)
);

bind prim_fifo prim_handshake_checker #(
  .Width(Width)
) u_in_checker (
  .clk_i,
  .rst_ni,
  .clear_i(1'b0),
  .valid_i,
  .ready_i(ready_o),
  .data_i
);

bind prim_skid_buffer prim_handshake_checker #(
  .Width(Width)
) u_in_checker (
  .clk_i,
  .rst_ni,
  .clear_i(1'b0),
  .valid_i,
  .ready_i(ready_o),
  .data_i
);

bind prim_rr_arbiter prim_rr_arbiter_checker #(
  .Requests(Requests)
) u_checker (
  .clk_i,
  .rst_ni,
  .request_i,
  .grant_i(grant_o),
  .ready_i
);
