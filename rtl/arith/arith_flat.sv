// The progressive decision: is a row's largest probability below the threshold? golden: is_flat.

module arith_flat
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 4
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic [ExpBits-1:0]         largest_i,
  input  logic [DenominatorBits-1:0] denominator_i,
  input  logic [ProbabilityBits:0]   theta_i,
  output logic                       valid_o,
  output logic                       flat_o
);

  localparam int unsigned ProductBits = DenominatorBits + ProbabilityBits + 1;

  logic [ProductBits-1:0] product;
  logic [2:0][ExpBits-1:0] largest_q;

  arith_product #(
    .A(DenominatorBits),
    .B(ProbabilityBits + 1)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(denominator_i),
    .b_i(theta_i),
    .product_o(product)
  );

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      largest_q <= {largest_q[1:0], largest_i};
      flat_o <= ProductBits'({largest_q[2], (ProbabilityBits)'(0)}) < product;
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
