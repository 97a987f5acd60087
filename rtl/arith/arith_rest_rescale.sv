// What earlier passes left out, moved to the next pass's maximum: rest * 2^(distance / 2^12), floor, saturated at 40 bits.
// golden: rescale_rest.
//
// The distance is whole octaves and a fraction below them, whatever its sign; the whole ones are a shift to either side.

module arith_rest_rescale
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 10
) (
  input  logic                               clk_i,
  input  logic                               rst_ni,
  input  logic                               enable_i,
  input  logic                               valid_i,
  input  logic [DenominatorBits-1:0]         rest_i,
  input  logic signed [RestDistanceBits-1:0] distance_i,
  output logic                               valid_o,
  output logic [DenominatorBits-1:0]         moved_o
);

  localparam int unsigned DownBits = RestDistanceBits + 1;
  localparam int unsigned WholeBits = DownBits - LogFraction;
  localparam int unsigned ProductBits = DenominatorBits + ExpBits;
  localparam int unsigned MostUp = 40;  // octaves; any more saturate whatever there is
  localparam int unsigned Wide = ProductBits + MostUp - ExpFraction;

  logic [DownBits-1:0] down_q;
  logic signed [WholeBits-1:0] whole;
  logic [4:1][DenominatorBits-1:0] rest_q;
  logic [ExpBits-1:0] power;
  logic [ProductBits-1:0] product;
  logic [7:2][6:0] amount_q;
  logic [8:8][2:0] fine_q;
  logic [9:2] over_q;
  logic [Wide-1:0] coarse_q, shifted_q;

  assign whole = down_q[DownBits-1:LogFraction];

  arith_power u_power (
    .clk_i,
    .enable_i,
    .fraction_i(down_q[LogFraction-1:0]),
    .power_o(power)
  );

  arith_product #(
    .A(DenominatorBits),
    .B(ExpBits)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i(rest_q[4]),
    .b_i(power),
    .product_o(product)
  );

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      rest_q <= {rest_q[3:1], rest_i};
      down_q <= -DownBits'(distance_i);
      amount_q <= {amount_q[6:2], amount((ShiftBits + 1)'(whole), (ShiftBits + 1)'(MostUp))};
      over_q <= {over_q[8:2], whole < -signed'(WholeBits'(MostUp)) && rest_q[1] != '0};
      coarse_q <= {product, (MostUp - ExpFraction)'(0)} >> {amount_q[7][6:3], 3'd0};
      fine_q <= amount_q[7][2:0];
      shifted_q <= coarse_q >> fine_q[8];
      moved_o <= (over_q[9] || shifted_q[Wide-1:DenominatorBits] != '0) ? '1 : shifted_q[DenominatorBits-1:0];
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
