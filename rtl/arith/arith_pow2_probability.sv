// Probability of an exponential that is a power of two: the reciprocal shifted right and rounded. golden: pow2_probability.

module arith_pow2_probability
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 2
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic [OctaveBits-1:0]      octaves_i,
  input  logic [ReciprocalBits-1:0]  reciprocal_i,
  output logic                       valid_o,
  output logic [ProbabilityBits-1:0] probability_o
);

  logic [6:0] by;

  // 21 octaves and more leave nothing of 33 bits.
  assign by = 7'(octaves_i) + 7'(ProbabilityBits);

  arith_shift_round #(
    .In  (ReciprocalBits),
    .Out (ProbabilityBits),
    .Left(0)
  ) u_round (
    .clk_i,
    .enable_i,
    .x_i(reciprocal_i),
    .amount_i(by),
    .y_o(probability_o)
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
