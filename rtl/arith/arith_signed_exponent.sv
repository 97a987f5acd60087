// A compensated row's power-of-two exponent, of its largest |weight| and its mean. golden: signed_exponent.

module arith_signed_exponent
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 2
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    enable_i,
  input  logic                    valid_i,
  input  logic [WideBits-1:0]     largest_i,
  input  logic [MeanBits-1:0]     mean_i,
  output logic                    valid_o,
  output logic [ExponentBits-1:0] exponent_o
);

  localparam int unsigned Weights = WordBits - 1;  // bits that a weight has beside its sign
  localparam int unsigned Means = 20;  // bits of a mean with which V's sum stays below 2^45

  logic [ExponentBits-1:0] of_weights, of_mean, of_weights_q, of_mean_q;

  always_comb begin
    of_weights = '0;
    for (int unsigned i = Weights; i < WideBits; i++) begin
      if (largest_i[i]) of_weights = ExponentBits'(i - Weights + 1);
    end
    of_mean = '0;
    for (int unsigned i = Means; i < MeanBits; i++) begin
      if (mean_i[i]) of_mean = ExponentBits'(i - Means + 1);
    end
  end

  logic unused_bits;
  assign unused_bits = ^{largest_i[Weights-1:0], mean_i[Means-1:0]};

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      of_weights_q <= of_weights;
      of_mean_q <= of_mean;
      exponent_o <= (of_weights_q > of_mean_q) ? of_weights_q : of_mean_q;
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
