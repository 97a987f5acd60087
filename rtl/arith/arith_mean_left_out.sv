// Mean probability of the tokens left out, 2^32 = 1: their share of the row, over their number. golden: mean_left_out.
// The number comes as 65536 / number (arith_renormaliser). rest * reciprocal <= 2^52.

module arith_mean_left_out
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 9
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic [DenominatorBits-1:0] rest_i,
  input  logic [ReciprocalBits-1:0]  reciprocal_i,
  input  logic [MantissaBits-1:0]    mantissa_i,
  input  logic [4:0]                 shift_i,
  output logic                       valid_o,
  output logic [MeanBits-1:0]        mean_o
);

  localparam int unsigned ShareBits = DenominatorBits + ReciprocalBits;
  localparam int unsigned Drop = 20;
  localparam int unsigned ProductBits = MeanBits + MantissaBits;

  logic [ShareBits-1:0] share;
  logic [MeanBits-1:0] share_q;
  logic [3:0][MantissaBits-1:0] mantissa_q;
  logic [6:0][4:0] shift_q;
  logic [ProductBits-1:0] product;
  logic unused_bits;

  arith_product #(
    .A(DenominatorBits),
    .B(ReciprocalBits)
  ) u_share (
    .clk_i,
    .enable_i,
    .a_i(rest_i),
    .b_i(reciprocal_i),
    .product_o(share)
  );
  assign unused_bits = ^{share[ShareBits-1:Drop+MeanBits], share[Drop-2:0]};

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      share_q <= share[Drop+:MeanBits] + MeanBits'(share[Drop-1]);
      mantissa_q <= {mantissa_q[2:0], mantissa_i};
      shift_q <= {shift_q[5:0], shift_i};
    end
  end

  arith_product #(
    .A(MeanBits),
    .B(MantissaBits)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(share_q),
    .b_i(mantissa_q[3]),
    .product_o(product)
  );

  arith_shift_round #(
    .In  (ProductBits),
    .Out (MeanBits),
    .Left(0)
  ) u_round (
    .clk_i,
    .enable_i,
    .x_i(product),
    .amount_i(7'(shift_q[6]) + 7'(MantissaBits)),
    .y_o(mean_o)
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
