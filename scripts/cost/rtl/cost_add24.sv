// A sum of 24 bits between registers, to compare with what others publish.

module cost_add24 (
  input  logic        clk_i,
  input  logic        enable_i,
  input  logic [23:0] a_i,
  input  logic [23:0] b_i,
  output logic [23:0] sum_o
);

  logic [23:0] a_q, b_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      a_q <= a_i;
      b_q <= b_i;
      sum_o <= a_q + b_q;
    end
  end

endmodule
