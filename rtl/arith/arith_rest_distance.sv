// Distance of the maxima of two passes in log2 units of 2^-12, with its sign, saturated at 64 octaves: beyond 41 a sum is
// saturated or gone. golden: mul_scale, of what rescale_rest takes.

module arith_rest_distance
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 6
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        enable_i,
  input  logic                        valid_i,
  input  logic [MaximaBits-1:0]       maxima_i,
  input  logic [MantissaBits-1:0]     mantissa_i,
  input  logic signed [ShiftBits-1:0] shift_i,
  output logic                        valid_o,
  output logic [RestDistanceBits-1:0] distance_o
);

  localparam int unsigned ProductBits = MaximaBits + MantissaBits;

  logic [ProductBits-1:0] product;
  logic [2:0][6:0] amount_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) amount_q <= {amount_q[1:0], amount((ShiftBits + 1)'(shift_i), (ShiftBits + 1)'(RestDistanceBits))};
  end

  arith_product #(
    .A(MaximaBits),
    .B(MantissaBits),
    .SignedA(1'b1)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(maxima_i),
    .b_i(mantissa_i),
    .product_o(product)
  );

  arith_shift_round #(
    .In    (ProductBits),
    .Out   (RestDistanceBits),
    .Left  (RestDistanceBits),
    .Signed(1'b1),
    .Split (1'b1)
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
