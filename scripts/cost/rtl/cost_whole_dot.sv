// What scripts/cost/technology measures of a machine with whole multipliers: 16 products of 12 by 12 bits, and the tree
// and partial sum behind them. Registers as in the composable twin, rtl/arith/arith_dot.sv.

module cost_whole_dot #(
  localparam int unsigned Lanes = 16,
  localparam int unsigned WordBits = 12
) (
  input  logic                           clk_i,
  input  logic                           enable_i,
  input  logic [Lanes-1:0][WordBits-1:0] query_i,
  input  logic [Lanes-1:0][WordBits-1:0] key_i,
  input  logic [31:0]                    partial_i,
  output logic [31:0]                    score_o
);

  logic signed [Lanes-1:0][2*WordBits-1:0] product_q;
  logic signed [3:0][2*WordBits+1:0] quarter_q;
  logic signed [2*WordBits+3:0] sum_q;
  logic [2:0][31:0] partial_q;

  function automatic logic [2*WordBits+1:0] widen(logic [2*WordBits-1:0] x);
    return {{2{x[2*WordBits-1]}}, x};
  endfunction
  function automatic logic [2*WordBits+3:0] widen_more(logic [2*WordBits+1:0] x);
    return {{2{x[2*WordBits+1]}}, x};
  endfunction

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      for (int unsigned i = 0; i < Lanes; i++) product_q[i] <= $signed(query_i[i]) * $signed(key_i[i]);
      for (int unsigned i = 0; i < 4; i++) begin
        quarter_q[i] <= widen(product_q[4*i]) + widen(product_q[4*i+1]) + widen(product_q[4*i+2]) +
          widen(product_q[4*i+3]);
      end
      sum_q <= widen_more(quarter_q[0]) + widen_more(quarter_q[1]) + widen_more(quarter_q[2]) +
        widen_more(quarter_q[3]);
      partial_q <= {partial_q[1:0], partial_i};
      score_o <= {{4{sum_q[2*WordBits+3]}}, sum_q} + partial_q[2];
    end
  end

endmodule
