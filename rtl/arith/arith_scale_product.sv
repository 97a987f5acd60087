// Product of two scales, the mantissa cut to 16 bits: an output's scale over the probability that was kept. golden: mul.

module arith_scale_product
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 4
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          enable_i,
  input  logic                          valid_i,
  input  logic [MantissaBits-1:0]       a_i,
  input  logic signed [ShiftBits-1:0]   a_shift_i,
  input  logic [MantissaBits-1:0]       b_i,
  input  logic signed [ShiftBits-1:0]   b_shift_i,
  output logic                          valid_o,
  output logic [MantissaBits-1:0]       mantissa_o,
  output logic signed [ShiftBits+1:0]   shift_o
);

  localparam int unsigned ProductBits = 2 * MantissaBits;

  logic [ProductBits-1:0] product;
  logic signed [2:0][ShiftBits:0] shift_q;
  logic top, none;
  logic unused_bits;

  arith_product #(
    .A(MantissaBits),
    .B(MantissaBits)
  ) u_product (
    .clk_i,
    .enable_i,
    .a_i,
    .b_i,
    .product_o(product)
  );

  // Of two mantissas with their top bits set the product has that bit or the next set; of a 0 none.
  assign top = product[ProductBits-1];
  assign none = ~top & ~product[ProductBits-2];
  assign unused_bits = ^product[MantissaBits-2:0];

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      shift_q <= {shift_q[1:0], (ShiftBits + 1)'(a_shift_i) + (ShiftBits + 1)'(b_shift_i)};
      mantissa_o <= top ? product[ProductBits-1-:MantissaBits] : product[ProductBits-2-:MantissaBits];
      shift_o <= none ? '0 : (ShiftBits + 2)'(signed'(shift_q[2])) - (ShiftBits + 2)'(MantissaBits - 1) -
        (ShiftBits + 2)'(top);
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
