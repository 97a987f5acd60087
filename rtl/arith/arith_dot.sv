// Q x K: the tree over 16 dimensions, each with two composable multipliers. Sums of two vectors of 12-bit digits, three of 8,
// six of 4, or with queries of 8 bits nine; each shifted to its digit's place (shift_i) and added to its partial score, of 32 bits.

module arith_dot
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 7
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  logic                            enable_i,
  input  logic                            valid_i,
  input  logic [15:0][WordBits-1:0]       query_i,
  input  logic                            narrow_i,
  input  logic [15:0][8:0][BrickBits-1:0] key_i,
  input  logic                            key_signed_i,
  input  logic [1:0]                      digits_i,
  input  logic [3:0]                      shift_i,
  input  logic [8:0][31:0]                partial_i,
  output logic                            valid_o,
  output logic [8:0][31:0]                score_o
);

  localparam int unsigned Lanes = 16;
  localparam int unsigned TreeBits = ColumnBits + 4;

  logic b_signed_i;
  logic [8:0] b_signed;
  logic [3:0][1:0] digits_q;
  logic [4:0][3:0] shift_q;
  logic [5:0][8:0][31:0] partial_q;
  logic [Lanes-1:0][8:0][ColumnBits-1:0] column;
  logic [3:0][8:0][TreeBits-1:0] quarter_q;
  logic [8:0][TreeBits-1:0] sum_q;
  logic [8:0][TreeBits+7:0] word;
  logic [8:0][31:0] placed_q;

  assign b_signed_i = key_signed_i;

  // Of a word's digits only the first has its sign.
  always_comb begin
    b_signed = '0;
    for (int unsigned j = 0; j < 9; j++) begin
      b_signed[j] = b_signed_i & (~digits_i[1] | (digits_i[0] ? j % 3 == 2 : j % 2 == 1));
    end
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    arith_brick_pair u_pair (
      .clk_i,
      .enable_i,
      .a_i(query_i[i]),
      .a_signed_i(1'b1),
      .narrow_i,
      .b_i(key_i[i]),
      .b_signed_i(b_signed),
      .column_o(column[i])
    );
  end

  function automatic logic [TreeBits-1:0] widen(logic [ColumnBits-1:0] x);
    return {{(TreeBits - ColumnBits) {x[ColumnBits-1]}}, x};
  endfunction

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      digits_q <= {digits_q[2:0], digits_i};
      shift_q <= {shift_q[3:0], shift_i};
      partial_q <= {partial_q[4:0], partial_i};
      for (int unsigned j = 0; j < 9; j++) begin
        for (int unsigned i = 0; i < 4; i++) begin
          quarter_q[i][j] <= widen(column[4*i][j]) + widen(column[4*i+1][j]) + widen(column[4*i+2][j]) +
            widen(column[4*i+3][j]);
        end
        sum_q[j] <= quarter_q[0][j] + quarter_q[1][j] + quarter_q[2][j] + quarter_q[3][j];
        placed_q[j] <= {{(32 - TreeBits - 8) {word[j][TreeBits+7]}}, word[j]} << shift_q[4];
        score_o[j] <= placed_q[j] + partial_q[5][j];
      end
    end
  end

  arith_columns #(
    .Bits(TreeBits)
  ) u_columns (
    .clk_i,
    .enable_i,
    .digits_i(digits_q[3]),
    .column_i(sum_q),
    .word_o(word)
  );

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
