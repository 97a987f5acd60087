// A row's division: floor(2^52 / denominator), denominator in [2^20, 2^40). golden: reciprocal.

module arith_reciprocal
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 18
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic [DenominatorBits-1:0] denominator_i,
  output logic                       valid_o,
  output logic [ReciprocalBits-1:0]  reciprocal_o
);

  localparam int unsigned Steps = 17;
  logic [2*Steps-1:0] quotient;
  logic unused_top;  // 2^32 at most

  arith_divider #(
    .Bits(DenominatorBits),
    .StartBit(18),
    .Steps(Steps)
  ) u_divider (
    .clk_i,
    .enable_i,
    .divisor_i(denominator_i),
    .quotient_o(quotient)
  );

  assign {unused_top, reciprocal_o} = quotient;

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
