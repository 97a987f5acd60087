// Pipelined product: one row for each digit of 4 bits of b_i, sums of up to three rows, their sum. Three stages.
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

  localparam int unsigned Rows = (B + 3) / 4;
  localparam int unsigned Groups = (Rows + 2) / 3;
  localparam int unsigned RowBits = A + 4;
  localparam int unsigned GroupBits = A + 12;

  logic [3*Groups-1:0][3:0] digits;
  logic [3*Groups-1:0][RowBits-1:0] row_d, row_q;  // those beyond Rows are 0
  logic [Groups-1:0][GroupBits-1:0] group_d, group_q;
  logic [A+B-1:0] sum;

  assign digits = (12 * Groups)'(b_i);

  for (genvar r = 0; r < 3 * Groups; r++) begin : gen_row
    if (SignedA) begin : gen_signed
      assign row_d[r] = RowBits'(signed'(a_i)) * RowBits'(digits[r]);
    end else begin : gen_unsigned
      assign row_d[r] = RowBits'(a_i) * RowBits'(digits[r]);
    end
  end

  function automatic logic [GroupBits-1:0] widen(logic [RowBits-1:0] row);
    return {{(GroupBits - RowBits) {SignedA & row[RowBits-1]}}, row};
  endfunction

  for (genvar g = 0; g < Groups; g++) begin : gen_group
    assign group_d[g] = widen(row_q[3*g]) + (widen(row_q[3*g+1]) << 4) + (widen(row_q[3*g+2]) << 8);
  end

  function automatic logic [A+B-1:0] place(logic [GroupBits-1:0] group, int unsigned at);
    return (A + B)'({{(A + B) {SignedA & group[GroupBits-1]}}, group} << at);
  endfunction

  always_comb begin
    sum = '0;
    for (int unsigned g = 0; g < Groups; g++) sum = sum + place(group_q[g], 12 * g);
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      row_q <= row_d;
      group_q <= group_d;
      product_o <= sum;
    end
  end

endmodule
