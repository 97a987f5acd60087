// The contract of an arbiter's users: a request holds until it is granted and taken. And the grant: one, of a request.

module prim_rr_arbiter_checker #(
  parameter int unsigned Requests = 4
) (
  input logic                clk_i,
  input logic                rst_ni,
  input logic [Requests-1:0] request_i,
  input logic [Requests-1:0] grant_i,
  input logic                ready_i
);

  logic [Requests-1:0] waiting_q;  // requests that were not taken
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) waiting_q <= '0;
    else waiting_q <= request_i & ~(ready_i ? grant_i : '0);
  end

  RequestsHold :
  assert property (@(posedge clk_i) disable iff (!rst_ni) (waiting_q & ~request_i) == '0)
  else $error("%m: a request fell before it was taken");

  OneGrant :
  assert property (@(posedge clk_i) disable iff (!rst_ni) $onehot0(grant_i) && (grant_i & ~request_i) == '0)
  else $error("%m: two grants, or one without a request");

endmodule
