// A row's sum of exponentials, saturated at 40 bits: eight a cycle. first_i begins a row with rest_i, what a pass left out, or 0.
// golden: saturating_denominator. Once saturated it stays so: nothing is negative.

module arith_denominator
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 3
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       enable_i,
  input  logic                       valid_i,
  input  logic                       first_i,
  input  logic [DenominatorBits-1:0] rest_i,
  input  logic [7:0][ExpBits-1:0]    exponential_i,
  output logic                       valid_o,
  output logic [DenominatorBits-1:0] denominator_o
);

  logic [1:0] valid_q, first_q;
  logic [1:0][DenominatorBits-1:0] rest_q;
  logic [1:0][ExpBits+1:0] half_q;
  logic [ExpBits+2:0] row_q;
  logic [DenominatorBits-1:0] sum_before;
  logic [DenominatorBits:0] sum;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable_i) valid_q <= {valid_q[0], valid_i};
  end

  assign sum_before = first_q[1] ? rest_q[1] : denominator_o;
  assign sum = (DenominatorBits + 1)'(sum_before) + (DenominatorBits + 1)'(row_q);

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      first_q <= {first_q[0], first_i};
      rest_q <= {rest_q[0], rest_i};
      for (int unsigned h = 0; h < 2; h++) begin
        half_q[h] <= (ExpBits + 2)'(exponential_i[4*h]) + (ExpBits + 2)'(exponential_i[4*h+1]) +
                   (ExpBits + 2)'(exponential_i[4*h+2]) + (ExpBits + 2)'(exponential_i[4*h+3]);
      end
      row_q <= (ExpBits + 3)'(half_q[0]) + (ExpBits + 3)'(half_q[1]);
      if (valid_q[1]) denominator_o <= sum[DenominatorBits] ? '1 : sum[DenominatorBits-1:0];
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
