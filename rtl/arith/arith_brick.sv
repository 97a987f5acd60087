// A brick: 4 by 4 bits, each operand signed or not.

module arith_brick
  import arith_pkg::*;
(
  input  logic [BrickBits-1:0] a_i,
  input  logic                 a_signed_i,
  input  logic [BrickBits-1:0] b_i,
  input  logic                 b_signed_i,
  output logic [2*BrickBits:0] product_o
);

  logic signed [2*BrickBits:0] a, b;

  assign a = (2 * BrickBits + 1)'(signed'({a_signed_i & a_i[BrickBits-1], a_i}));
  assign b = (2 * BrickBits + 1)'(signed'({b_signed_i & b_i[BrickBits-1], b_i}));
  assign product_o = a * b;

endmodule
