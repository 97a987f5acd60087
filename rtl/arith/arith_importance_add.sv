// A token's importance and what a group adds to it. The upper half is a stage later.

module arith_importance_add
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 2
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic                      enable_i,
  input  logic                      valid_i,
  input  logic [ImportanceBits-1:0] importance_i,
  input  logic [SelectionBits-1:0]  score_i,
  output logic                      valid_o,
  output logic [ImportanceBits-1:0] importance_out_o
);

  localparam int unsigned HalfBits = ImportanceBits / 2;

  logic [HalfBits:0] low_q;
  logic [HalfBits-1:0] high_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      low_q <= (HalfBits + 1)'(importance_i[HalfBits-1:0]) + (HalfBits + 1)'(score_i);
      high_q <= importance_i[ImportanceBits-1:HalfBits];
      importance_out_o <= {high_q + HalfBits'(low_q[HalfBits]), low_q[HalfBits-1:0]};
    end
  end

  arith_valid #(
    .Depth(Depth)
  ) u_valid (
    .clk_i,
    .rst_ni,
    .enable_i,
    .valid_i,
    .valid_o
  );

endmodule
