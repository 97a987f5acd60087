// 2^-octaves with 20 fraction bits: one hot bit, or none for 21 octaves. golden: pow2_exponential.

module arith_pow2_exponential
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 1
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  enable_i,
  input  logic                  valid_i,
  input  logic [OctaveBits-1:0] octaves_i,
  output logic                  valid_o,
  output logic [ExpBits-1:0]    exponential_o
);

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      for (int unsigned i = 0; i < ExpBits; i++) exponential_o[ExpFraction-i] <= octaves_i == OctaveBits'(i);
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
