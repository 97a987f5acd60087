// Where a compensated row's sum starts: a word of V's sum times the mean. golden: mul_scale, of V's sum and sum_scale.
// Saturated at 45 bits and a sign; a row's exponent keeps it below.

module arith_sum_start
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 6
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        enable_i,
  input  logic                        valid_i,
  input  logic [ValueSumBits-1:0]     word_i,
  input  logic [MantissaBits-1:0]     mantissa_i,
  input  logic signed [ShiftBits-1:0] shift_i,
  output logic                        valid_o,
  output logic [SumBits-1:0]          start_o
);

  localparam int unsigned ProductBits = ValueSumBits + MantissaBits;
  localparam int unsigned Left = SumBits - MantissaBits + 1;  // so far to the left nothing but 0 fits

  logic [ProductBits-1:0] product;
  logic [2:0][6:0] amount_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) amount_q <= {amount_q[1:0], amount((ShiftBits + 1)'(shift_i), (ShiftBits + 1)'(Left))};
  end

  arith_product #(
    .A(ValueSumBits),
    .B(MantissaBits),
    .SignedA(1'b1)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(word_i),
    .b_i(mantissa_i),
    .product_o(product)
  );

  arith_shift_round #(
    .In    (ProductBits),
    .Out   (SumBits),
    .Left  (Left),
    .Signed(1'b1),
    .Split (1'b1)
  ) u_round (
    .clk_i,
    .enable_i,
    .x_i(product),
    .amount_i(amount_q[2]),
    .y_o(start_o)
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
