// P x V weight of a survivor over the mean of what was left out, with its sign: (probability - mean) * v16, 2^32 = 1.
// golden: wide_weight_over.

module arith_wide_weight_over
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 6
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic [ProbabilityBits-1:0] probability_i,
  input  logic [MeanBits-1:0]        mean_i,
  input  logic [ProbabilityBits:0]   scale_i,
  output logic                       valid_o,
  output logic [SignedWideBits-1:0]  wide_o
);

  localparam int unsigned Drop = 8;  // a mean keeps 24 fraction bits
  localparam int unsigned OverBits = MeanBits - Drop + 1;
  localparam int unsigned ProductBits = OverBits + ProbabilityBits + 1;

  logic [MeanBits-Drop-1:0] mean_q;
  logic [ProbabilityBits-1:0] probability_q;
  logic [1:0][ProbabilityBits:0] scale_q;
  logic [OverBits-1:0] over_q;
  logic [ProductBits-1:0] product;
  logic unused_bits;

  arith_product #(
    .A(OverBits),
    .B(ProbabilityBits + 1),
    .SignedA(1'b1)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(over_q),
    .b_i(scale_q[1]),
    .product_o(product)
  );
  assign unused_bits = ^{product[ProductBits-1:Drop+SignedWideBits], product[Drop-2:0], mean_i[Drop-2:0]};

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      mean_q <= mean_i[MeanBits-1:Drop] + (MeanBits - Drop)'(mean_i[Drop-1]);
      probability_q <= probability_i;
      scale_q <= {scale_q[0], scale_i};
      over_q <= OverBits'({probability_q, (Drop)'(0)}) - OverBits'(mean_q);
      wide_o <= product[Drop+:SignedWideBits] + SignedWideBits'(product[Drop-1]);
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
