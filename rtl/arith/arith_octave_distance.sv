// Distance of a score to its row's largest in whole octaves, ties up, 21 at most. A mantissa has 5 bits: five rows are added up. golden: octave_distance; its scale has 11 zeros behind the mantissa.

module arith_octave_distance
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 4
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        enable_i,
  input  logic                        valid_i,
  input  logic [ScoreBits-1:0]        below_i,
  input  logic [OctaveScaleBits-1:0]  mantissa_i,
  input  logic signed [ShiftBits-1:0] shift_i,
  output logic                        valid_o,
  output logic [OctaveBits-1:0]       octaves_o
);

  localparam int unsigned Drop = MantissaBits - OctaveScaleBits;
  localparam int unsigned ProductBits = ScoreBits + OctaveScaleBits;

  logic [OctaveScaleBits-1:0][ProductBits-1:0] row;
  logic [1:0][ProductBits-1:0] two_d, two_q;
  logic [ProductBits-1:0] product_q;
  logic [1:0][6:0] amount_q;

  for (genvar i = 0; i < OctaveScaleBits; i++) begin : gen_row
    assign row[i] = mantissa_i[i] ? ProductBits'(below_i) << i : '0;
  end

  arith_carry_save #(
    .Rows(OctaveScaleBits),
    .Bits(ProductBits)
  ) u_two (
    .row_i(row),
    .row_o(two_d)
  );

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      two_q <= two_d;
      product_q <= two_q[0] + two_q[1];
      amount_q <= {
        amount_q[0], amount((ShiftBits + 1)'(shift_i), (ShiftBits + 1)'(OctaveBits) - (ShiftBits + 1)'(Drop))
      };
    end
  end

  arith_shift_round #(
    .In  (ProductBits),
    .Out (OctaveBits),
    .Left(OctaveBits),
    .Most(OctaveBits'(MostOctaves))
  ) u_round (
    .clk_i,
    .enable_i,
    .x_i(product_q),
    .amount_i(amount_q[1]),
    .y_o(octaves_o)
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
