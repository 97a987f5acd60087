// A token's selection score: the sum, or the largest, of its probabilities over a group's query heads.
// models/softmax: Softmax::divide.

module arith_selection_score
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 1
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic                       first_i,
  input  logic                       largest_i,
  input  logic [SelectionBits-1:0]   score_i,
  input  logic [ProbabilityBits-1:0] probability_i,
  output logic                       valid_o,
  output logic [SelectionBits-1:0]   score_out_o
);

  logic [SelectionBits-1:0] probability;
  assign probability = SelectionBits'(probability_i);

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      if (first_i) score_out_o <= probability;
      else if (largest_i) score_out_o <= (score_i > probability) ? score_i : probability;
      else score_out_o <= score_i + probability;
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
