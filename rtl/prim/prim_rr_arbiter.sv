// Round-robin arbiter: the first request at or after the one behind the last granted; a grant holds until taken.
//
// Ties fall in index order, from the turn on. With no request nothing is valid and the turn stands. The grant depends
// on requests and state, never on ready_i; requests must hold until they are taken.

module prim_rr_arbiter #(
  parameter int unsigned Requests = 4,
  localparam int unsigned IndexBits = (Requests > 1) ? $clog2(Requests) : 1
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic [Requests-1:0]  request_i,
  output logic [Requests-1:0]  grant_o,
  output logic                 valid_o,
  output logic [IndexBits-1:0] index_o,
  input  logic                 ready_i
);

  logic [IndexBits-1:0] turn_q;
  logic held_q;  // a grant waits: others that come later do not overtake it
  logic [IndexBits-1:0] pick, index_q;

  always_comb begin
    logic [IndexBits-1:0] at;
    pick = turn_q;
    for (int unsigned i = 0; i < Requests; i++) begin
      at = IndexBits'((32'(turn_q) + Requests - 1 - i) % Requests);
      if (request_i[at]) pick = at;
    end
  end

  assign valid_o = |request_i;
  assign index_o = held_q ? index_q : pick;
  assign grant_o = valid_o ? Requests'(1) << index_o : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      turn_q <= '0;
      held_q <= 1'b0;
      index_q <= '0;
    end else begin
      held_q <= valid_o & ~ready_i;
      index_q <= index_o;
      if (valid_o & ready_i) turn_q <= IndexBits'((32'(index_o) + 1) % Requests);
    end
  end

endmodule
