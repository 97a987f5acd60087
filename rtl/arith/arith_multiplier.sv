// Two composable multipliers, 18 bricks: a times two words of 12 bits, three of 8, six of 4, or an a of 8 bits times nine of
// 4. What the words' digits are is in b_i, the lowest first, 1 to 3 (digits_i) a word.

module arith_multiplier
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 3
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic [WordBits-1:0]        a_i,
  input  logic                       a_signed_i,
  input  logic                       narrow_i,
  input  logic [8:0][BrickBits-1:0]  b_i,
  input  logic                       b_signed_i,
  input  logic [1:0]                 digits_i,
  output logic                       valid_o,
  output logic [8:0][ColumnBits+7:0] product_o
);

  logic [8:0] b_signed;
  logic [1:0][1:0] digits_q;
  logic [8:0][ColumnBits-1:0] column;

  // Of a word's digits only the first has its sign.
  always_comb begin
    b_signed = '0;
    for (int unsigned j = 0; j < 9; j++) begin
      b_signed[j] = b_signed_i & (~digits_i[1] | (digits_i[0] ? j % 3 == 2 : j % 2 == 1));
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) digits_q <= {digits_q[0], digits_i};
  end

  arith_brick_pair u_pair (
    .clk_i,
    .enable_i,
    .a_i,
    .a_signed_i,
    .narrow_i,
    .b_i,
    .b_signed_i(b_signed),
    .column_o(column)
  );

  arith_columns #(
    .Bits(ColumnBits)
  ) u_columns (
    .clk_i,
    .enable_i,
    .digits_i(digits_q[1]),
    .column_i(column),
    .word_o(product_o)
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
