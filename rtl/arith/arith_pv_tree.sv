// P x V: as arith_pv_accumulate, eight products a cycle, of as many tokens. The tree adds rows of products, not products.

module arith_pv_tree
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 6
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     enable_i,
  input  logic                     valid_i,
  input  logic                     first_i,
  input  logic [SumBits-1:0]       start_i,
  input  logic [7:0][WordBits:0]   weight_i,
  input  logic [7:0][WordBits-1:0] value_i,
  output logic                     valid_o,
  output logic [SumBits-1:0]       sum_o
);

  localparam int unsigned RowBits = WordBits + 5;
  localparam int unsigned TreeBits = 2 * WordBits + 4;  // of eight products

  logic [23:0][RowBits-1:0] row_q;  // weight times a digit of value, the last of three signed
  logic [23:0][TreeBits-1:0] placed;
  logic [3:0][TreeBits-1:0] four_d, four_q;
  logic [1:0][TreeBits-1:0] two;
  logic [2:0] valid_q, first_q;
  logic [2:0][SumBits-1:0] start_q;
  logic [TreeBits-1:0] word_q;

  for (genvar k = 0; k < 24; k++) begin : gen_row
    assign placed[k] = TreeBits'({{TreeBits{row_q[k][RowBits-1]}}, row_q[k]} << (4 * (k % 3)));
  end

  arith_carry_save #(
    .Rows(24),
    .Bits(TreeBits),
    .Left(4)
  ) u_four (
    .row_i(placed),
    .row_o(four_d)
  );
  arith_carry_save #(
    .Rows(4),
    .Bits(TreeBits)
  ) u_two (
    .row_i(four_q),
    .row_o(two)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable_i) valid_q <= {valid_q[1:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      for (int unsigned k = 0; k < 24; k++) begin
        row_q[k] <= {{4{weight_i[k/3][WordBits]}}, weight_i[k/3]} *
                  {{(RowBits - 4) {k % 3 == 2 && value_i[k/3][WordBits-1]}}, value_i[k/3][4*(k%3)+:4]};
      end
      first_q <= {first_q[1:0], first_i};
      start_q <= {start_q[1:0], start_i};
      four_q <= four_d;
      word_q <= two[0] + two[1];
    end
  end

  arith_accumulate #(
    .Bits(TreeBits)
  ) u_accumulate (
    .clk_i,
    .rst_ni,
    .enable_i,
    .valid_i(valid_q[2]),
    .first_i(first_q[2]),
    .start_i(start_q[2]),
    .add_i(word_q),
    .sum_o
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
