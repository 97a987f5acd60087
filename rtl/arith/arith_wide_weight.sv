// P x V weight before the row's exponent: probability * v16. golden: wide_weight.

module arith_wide_weight
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 3
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic [ProbabilityBits-1:0] probability_i,
  input  logic [ProbabilityBits:0]   scale_i,
  output logic                       valid_o,
  output logic [WideBits-1:0]        wide_o
);

  arith_product #(
    .A(ProbabilityBits + 1),
    .B(ProbabilityBits)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(scale_i),
    .b_i(probability_i),
    .product_o(wide_o)
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
