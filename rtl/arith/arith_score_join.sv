// Scores of 64 dimensions, of those of four trees of 16 (arith_dot).

module arith_score_join
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 1
) (
  input  logic                               clk_i,
  input  logic                               rst_ni,
  input  logic                               enable_i,
  input  logic                               valid_i,
  input  logic [3:0][8:0][ScoreWordBits-1:0] part_i,
  output logic                               valid_o,
  output logic [8:0][ScoreWordBits-1:0]      score_o
);

  for (genvar j = 0; j < 9; j++) begin : gen_score
    logic [3:0][ScoreWordBits-1:0] part;
    logic [1:0][ScoreWordBits-1:0] two;
    for (genvar i = 0; i < 4; i++) begin : gen_part
      assign part[i] = part_i[i][j];
    end
    arith_carry_save #(
      .Rows(4),
      .Bits(ScoreWordBits)
    ) u_two (
      .row_i(part),
      .row_o(two)
    );
    always_ff @(posedge clk_i) begin
      if (enable_i) score_o[j] <= two[0] + two[1];
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
