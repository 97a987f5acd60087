// Probability of an exponential: exponential * reciprocal >> 36 rounded, 65535 at most. golden: probability.
//
// exponential <= 2^20, reciprocal <= 2^32.

module arith_probability
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 4
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic [ExpBits-1:0]         exponential_i,
  input  logic [ReciprocalBits-1:0]  reciprocal_i,
  output logic                       valid_o,
  output logic [ProbabilityBits-1:0] probability_o
);

  localparam int unsigned ProductBits = ExpBits + ReciprocalBits;
  localparam int unsigned Drop = 36;

  logic [ProductBits-1:0] product;
  logic [ProbabilityBits-1:0] whole;
  logic unused_bits;

  arith_product #(
    .A(ReciprocalBits),
    .B(ExpBits)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(reciprocal_i),
    .b_i(exponential_i),
    .product_o(product)
  );

  // 2^52 is the most, and the only one with that bit.
  assign whole = product[Drop+:ProbabilityBits];
  assign unused_bits = ^{product[ProductBits-1:Drop+ProbabilityBits+1], product[Drop-2:0]};

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      probability_o <= (product[Drop+ProbabilityBits] || whole == '1) ? '1 : whole + ProbabilityBits'(product[Drop-1]);
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
