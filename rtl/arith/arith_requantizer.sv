// Sum of weight * v to a 12-bit output: times the scale, the row's exponent taken back, rounded, saturated at +-2047.
// golden: requantize_out.

module arith_requantizer
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 6
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        enable_i,
  input  logic                        valid_i,
  input  logic [SumBits-1:0]          sum_i,
  input  logic [MantissaBits-1:0]     mantissa_i,
  input  logic signed [ShiftBits-1:0] shift_i,
  input  logic [ExponentBits-1:0]     exponent_i,
  output logic                        valid_o,
  output logic [WordBits-1:0]         out_o
);

  localparam int unsigned ProductBits = SumBits + MantissaBits;

  logic [ProductBits-1:0] product;
  logic signed [ShiftBits:0] shift_q;
  logic [2:1][6:0] amount_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      shift_q <= (ShiftBits + 1)'(shift_i) - signed'((ShiftBits + 1)'(exponent_i));
      amount_q <= {amount_q[1], amount(shift_q, (ShiftBits + 1)'(WordBits))};
    end
  end

  arith_product #(
    .A(SumBits),
    .B(MantissaBits),
    .SignedA(1'b1)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(sum_i),
    .b_i(mantissa_i),
    .product_o(product)
  );

  arith_shift_round #(
    .In    (ProductBits),
    .Out   (WordBits),
    .Left  (WordBits),
    .Signed(1'b1),
    .Split (1'b1)
  ) u_round (
    .clk_i,
    .enable_i,
    .x_i(product),
    .amount_i(amount_q[2]),
    .y_o(out_o)
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
