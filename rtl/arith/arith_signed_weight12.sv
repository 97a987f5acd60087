// A signed wide weight rounded to 12 bits under its row's exponent, symmetric. golden: signed_weight12.

module arith_signed_weight12
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 2
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic                      enable_i,
  input  logic                      valid_i,
  input  logic [SignedWideBits-1:0] wide_i,
  input  logic [ExponentBits-1:0]   exponent_i,
  output logic                      valid_o,
  output logic [WordBits-1:0]       weight_o
);

  arith_shift_round #(
    .In    (SignedWideBits),
    .Out   (WordBits),
    .Left  (0),
    .Signed(1'b1)
  ) u_round (
    .clk_i,
    .enable_i,
    .x_i(wide_i),
    .amount_i(7'(exponent_i)),
    .y_o(weight_o)
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
