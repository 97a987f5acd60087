// A row's sum of exponentials as arith_denominator, 64 a cycle. golden: saturating_denominator.

module arith_row_sum
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 4
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic                       first_i,
  input  logic [DenominatorBits-1:0] rest_i,
  input  logic [63:0][ExpBits-1:0]   exponential_i,
  output logic                       valid_o,
  output logic [DenominatorBits-1:0] denominator_o
);

  localparam int unsigned TreeBits = ExpBits + 6;

  logic [63:0][TreeBits-1:0] row;
  logic [15:0][TreeBits-1:0] sixteen_d, sixteen_q;
  logic [3:0][TreeBits-1:0] four_d, four_q;
  logic [1:0][TreeBits-1:0] two;
  logic [TreeBits-1:0] word_q;
  logic [2:0] valid_q, first_q;
  logic [2:0][DenominatorBits-1:0] rest_q;
  logic [DenominatorBits-1:0] sum_before;
  logic [DenominatorBits:0] sum;

  for (genvar i = 0; i < 64; i++) begin : gen_row
    assign row[i] = TreeBits'(exponential_i[i]);
  end

  arith_carry_save #(
    .Rows(64),
    .Bits(TreeBits),
    .Left(16)
  ) u_sixteen (
    .row_i(row),
    .row_o(sixteen_d)
  );
  arith_carry_save #(
    .Rows(16),
    .Bits(TreeBits),
    .Left(4)
  ) u_four (
    .row_i(sixteen_q),
    .row_o(four_d)
  );
  arith_carry_save #(
    .Rows(4),
    .Bits(TreeBits)
  ) u_two (
    .row_i(four_q),
    .row_o(two)
  );

  assign sum_before = first_q[2] ? rest_q[2] : denominator_o;
  assign sum = (DenominatorBits + 1)'(sum_before) + (DenominatorBits + 1)'(word_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable_i) valid_q <= {valid_q[1:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      first_q <= {first_q[1:0], first_i};
      rest_q <= {rest_q[1:0], rest_i};
      sixteen_q <= sixteen_d;
      four_q <= four_d;
      word_q <= two[0] + two[1];
      if (valid_q[2]) denominator_o <= sum[DenominatorBits] ? '1 : sum[DenominatorBits-1:0];
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
