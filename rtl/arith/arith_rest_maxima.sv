// Twice a row's largest score of the pass before, less twice that of this pass, each with its midpoint constant: the sum of
// the query times 2^below - 1, below being the bits of K that a pass has not read. golden: midpoint_twice; models/softmax:
// Softmax::exponentiate.

module arith_rest_maxima
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 2
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          enable_i,
  input  logic                          valid_i,
  input  logic                          midpoint_i,
  input  logic [1:0][ScoreWordBits-1:0] largest_i,  // of the pass before, of this pass
  input  logic [1:0][QuerySumBits-1:0]  sum_i,
  input  logic [1:0][3:0]               below_i,
  output logic                          valid_o,
  output logic [MaximaBits-1:0]         maxima_o
);

  logic [6:0][MaximaBits-1:0] row;
  logic [5:0][MaximaBits-1:0] row_q;
  logic [1:0][MaximaBits-1:0] two;

  arith_carry_save #(
    .Rows(7),
    .Bits(MaximaBits)
  ) u_two (
    .row_i(row),
    .row_o(two)
  );

  assign row = {MaximaBits'(3), row_q};

  function automatic logic [MaximaBits-1:0] wide(logic [QuerySumBits-1:0] x);
    return {{(MaximaBits - QuerySumBits) {x[QuerySumBits-1]}}, x};
  endfunction
  function automatic logic [MaximaBits-1:0] twice(logic [ScoreWordBits-1:0] x);
    return {{(MaximaBits - ScoreWordBits - 1) {x[ScoreWordBits-1]}}, x, 1'b0};
  endfunction

  // Of the three that are taken away the complements are added, and a one for each.
  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      row_q[0] <= twice(largest_i[0]);
      row_q[1] <= ~twice(largest_i[1]);
      row_q[2] <= midpoint_i ? wide(sum_i[0]) << below_i[0] : '0;
      row_q[3] <= midpoint_i ? ~(wide(sum_i[1]) << below_i[1]) : '1;
      row_q[4] <= midpoint_i ? ~wide(sum_i[0]) : '1;
      row_q[5] <= midpoint_i ? wide(sum_i[1]) : '0;
      maxima_o <= two[0] + two[1];
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
