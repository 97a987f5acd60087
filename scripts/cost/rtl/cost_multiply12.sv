// A signed product of 12 by 12 bits between registers, to compare with what others publish.

module cost_multiply12 (
  input  logic        clk_i,
  input  logic        enable_i,
  input  logic [11:0] a_i,
  input  logic [11:0] b_i,
  output logic [23:0] product_o
);

  logic [11:0] a_q, b_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      a_q <= a_i;
      b_q <= b_i;
      product_o <= $signed(a_q) * $signed(b_q);
    end
  end

endmodule
