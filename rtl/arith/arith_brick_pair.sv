// Two composable multipliers that share an operand a: 18 bricks. Two stages.
//
// Column j < 6 is a times digit b_i[j], of 4 bits. With an a of 8 bits (narrow_i) a column needs two bricks, and the six
// third ones make columns 6..8. What words the columns are of is the reader's to say: arith_columns.

module arith_brick_pair
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 2
) (
  input  logic                     clk_i,
  input  logic                     enable_i,
  input  logic [WordBits-1:0]      a_i,
  input  logic                     a_signed_i,
  input  logic                     narrow_i,
  input  logic [8:0][BrickBits-1:0] b_i,
  input  logic [8:0]               b_signed_i,
  output logic [8:0][ColumnBits-1:0] column_o
);

  localparam int unsigned ProductBits = 2 * BrickBits + 1;

  logic [5:0][2:0][ProductBits-1:0] product_d, product_q;  // column, digit of a
  logic narrow_q;
  logic [2:0][BrickBits-1:0] a;

  assign a = a_i;

  for (genvar j = 0; j < 6; j++) begin : gen_column
    arith_brick u_low (
      .a_i(a[0]),
      .a_signed_i(1'b0),
      .b_i(b_i[j]),
      .b_signed_i(b_signed_i[j]),
      .product_o(product_d[j][0])
    );
    arith_brick u_middle (
      .a_i(a[1]),
      .a_signed_i(narrow_i & a_signed_i),
      .b_i(b_i[j]),
      .b_signed_i(b_signed_i[j]),
      .product_o(product_d[j][1])
    );
    // Of a narrow a: its digit 0 or 1 for column 6 + j / 2.
    logic [BrickBits-1:0] third_a, third_b;
    logic third_a_signed, third_b_signed;
    assign third_a = narrow_i ? a[j%2] : a[2];
    assign third_b = narrow_i ? b_i[6+j/2] : b_i[j];
    assign third_a_signed = a_signed_i & ~(narrow_i & (j % 2 == 0));
    assign third_b_signed = narrow_i ? b_signed_i[6+j/2] : b_signed_i[j];
    arith_brick u_third (
      .a_i(third_a),
      .a_signed_i(third_a_signed),
      .b_i(third_b),
      .b_signed_i(third_b_signed),
      .product_o(product_d[j][2])
    );
  end

  function automatic logic [ColumnBits-1:0] place(logic [ProductBits-1:0] product, int unsigned at);
    return ColumnBits'({{ColumnBits{product[ProductBits-1]}}, product} << at);
  endfunction

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      product_q <= product_d;
      narrow_q <= narrow_i;
      for (int unsigned j = 0; j < 6; j++) begin
        column_o[j] <= place(product_q[j][0], 0) + place(product_q[j][1], BrickBits) +
          (narrow_q ? '0 : place(product_q[j][2], 2 * BrickBits));
      end
      for (int unsigned j = 0; j < 3; j++) begin
        column_o[6+j] <= narrow_q ? place(product_q[2*j][2], 0) + place(product_q[2*j+1][2], BrickBits) : '0;
      end
    end
  end

endmodule
