// How far a score lies below its row's largest. models/softmax: Softmax::exponentiate.

module arith_score_below
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 1
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     enable_i,
  input  logic                     valid_i,
  input  logic [ScoreWordBits-1:0] largest_i,
  input  logic [ScoreWordBits-1:0] score_i,
  output logic                     valid_o,
  output logic [ScoreBits-1:0]     below_o
);

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      below_o <= {largest_i[ScoreWordBits-1], largest_i} - {score_i[ScoreWordBits-1], score_i};
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
