// Pipelined product: a row for each bit of b_i, brought to four rows, to two, to their sum. Three stages.
//
// a_i is signed if SignedA, b_i is not.

module arith_product #(
  parameter int unsigned A = 33,
  parameter int unsigned B = 16,
  parameter bit SignedA = 1'b0,
  localparam int unsigned Depth = 3
) (
  input  logic           clk_i,
  input  logic           enable_i,
  input  logic [A-1:0]   a_i,
  input  logic [B-1:0]   b_i,
  output logic [A+B-1:0] product_o
);

  logic [A+B-1:0] wide;
  logic [B-1:0][A+B-1:0] row;
  logic [3:0][A+B-1:0] four_d, four_q;
  logic [1:0][A+B-1:0] two_d, two_q;

  assign wide = {{B{SignedA & a_i[A-1]}}, a_i};

  for (genvar i = 0; i < B; i++) begin : gen_row
    assign row[i] = b_i[i] ? wide << i : '0;
  end

  arith_carry_save #(
    .Rows(B),
    .Bits(A + B),
    .Left(4)
  ) u_four (
    .row_i(row),
    .row_o(four_d)
  );

  arith_carry_save #(
    .Rows(4),
    .Bits(A + B)
  ) u_two (
    .row_i(four_q),
    .row_o(two_d)
  );

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      four_q <= four_d;
      two_q <= two_d;
      product_o <= two_q[0] + two_q[1];
    end
  end

endmodule
