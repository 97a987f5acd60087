// Round-robin arbiter: one grant, of a request, held until taken; and no request waits for more than Requests - 1 others.
module proof_arbiter #(
  parameter int unsigned Requests = 4
) (
  input logic                clk_i,
  input logic [Requests-1:0] new_i,
  input logic                ready_i,
  input logic [$clog2(Requests)-1:0] one_i
);

  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  // Requests hold until taken.
  logic [Requests-1:0] waiting_q, request, grant, last_grant_q;
  logic valid, held_q;
  logic [$clog2(Requests)-1:0] index;
  assign request = started_q ? (waiting_q | new_i) : '0;

  prim_rr_arbiter #(
    .Requests(Requests)
  ) u_dut (
    .clk_i,
    .rst_ni(started_q),
    .request_i(request),
    .grant_o(grant),
    .valid_o(valid),
    .index_o(index),
    .ready_i
  );

  logic [$clog2(Requests)-1:0] one;  // free, then constant
  always_ff @(posedge clk_i) if (!started_q) one <= one_i;
  logic [3:0] others_q;

  always_ff @(posedge clk_i) begin
    if (!started_q) begin
      waiting_q <= '0;
      held_q <= 1'b0;
      others_q <= '0;
    end else begin
      waiting_q <= request & ~((valid && ready_i) ? grant : '0);
      held_q <= valid && !ready_i;
      last_grant_q <= grant;
      if (!request[one] || (grant[one] && ready_i)) others_q <= '0;
      else if (valid && ready_i) others_q <= others_q + 4'd1;
    end
  end

  always_comb begin
    if (started_q) begin
      assert (valid == |request);
      assert ((grant & (grant - Requests'(1))) == '0);
      assert ((grant & ~request) == '0);
      if (valid) assert (grant[index]);
      if (held_q) assert (grant == last_grant_q);
      if (32'(one) < Requests) assert (others_q < 4'(Requests));
    end
  end

endmodule
