// Distance of a score to its row's largest in log2 units of 2^-12, saturated at 17 bits, beyond which no power is left.
// golden: log2_distance.

module arith_log2_distance
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 5
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        enable_i,
  input  logic                        valid_i,
  input  logic [ScoreBits-1:0]        below_i,
  input  logic [MantissaBits-1:0]     mantissa_i,
  input  logic signed [ShiftBits-1:0] shift_i,
  output logic                        valid_o,
  output logic [DistanceBits-1:0]     distance_o
);

  localparam int unsigned ProductBits = ScoreBits + MantissaBits;

  logic [ProductBits-1:0] product;
  logic [2:0][6:0] amount_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) amount_q <= {amount_q[1:0], amount((ShiftBits + 1)'(shift_i), (ShiftBits + 1)'(DistanceBits))};
  end

  arith_product #(
    .A(ScoreBits),
    .B(MantissaBits)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(below_i),
    .b_i(mantissa_i),
    .product_o(product)
  );

  arith_shift_round #(
    .In  (ProductBits),
    .Out (DistanceBits),
    .Left(DistanceBits)
  ) u_round (
    .clk_i,
    .enable_i,
    .x_i(product),
    .amount_i(amount_q[2]),
    .y_o(distance_o)
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
