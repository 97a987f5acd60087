// A row's largest score, 64 scores a cycle: a tree of comparisons, one level a stage. first_i begins a row.
// models/softmax: Softmax::gather.

module arith_row_largest
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 7
) (
  input  logic                           clk_i,
  input  logic                           rst_ni,
  input  logic                           enable_i,
  input  logic                           valid_i,
  input  logic                           first_i,
  input  logic [63:0][ScoreWordBits-1:0] score_i,
  output logic                           valid_o,
  output logic [ScoreWordBits-1:0]       largest_o
);

  localparam int unsigned Levels = Depth - 1;

  logic [ScoreWordBits-1:0] largest;  // of a cycle's scores
  logic [Levels-1:0] valid_q, first_q;

  for (genvar l = 1; l <= Levels; l++) begin : gen_level
    localparam int unsigned Left = 64 >> l;
    logic [2*Left-1:0][ScoreWordBits-1:0] scores;
    logic [Left-1:0][ScoreWordBits-1:0] larger_q;
    if (l == 1) begin : gen_first
      assign scores = score_i;
    end else begin : gen_later
      assign scores = gen_level[l-1].larger_q;
    end
    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        for (int unsigned i = 0; i < Left; i++) begin
          larger_q[i] <= (signed'(scores[2*i]) > signed'(scores[2*i+1])) ? scores[2*i] : scores[2*i+1];
        end
      end
    end
  end
  assign largest = gen_level[Levels].larger_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable_i) valid_q <= {valid_q[Levels-2:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      first_q <= {first_q[Levels-2:0], first_i};
      // What comes in a gap is no score.
      if (valid_q[Levels-1] && (first_q[Levels-1] || signed'(largest) > signed'(largest_o))) begin
        largest_o <= largest;
      end
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
