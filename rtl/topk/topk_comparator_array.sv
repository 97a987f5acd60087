// Two arrays of comparators: which lanes are above the pivot, which below, and which equal to it: neither, but valid.
//
// Combinational. Only the first count_i lanes are valid. Model: models/topk/comparator_array.h.

module topk_comparator_array #(
  parameter int unsigned Parallelism = 16,
  parameter int unsigned ItemBits = 20,
  localparam int unsigned CountBits = $clog2(Parallelism) + 1
) (
  input  logic [Parallelism-1:0][ItemBits-1:0] row_i,
  input  logic [CountBits-1:0]                 count_i,
  input  logic [ItemBits-1:0]                  pivot_i,
  output logic [Parallelism-1:0]               above_o,
  output logic [Parallelism-1:0]               below_o,
  output logic [Parallelism-1:0]               equal_o
);

  for (genvar i = 0; i < Parallelism; i++) begin : gen_lane
    logic valid;
    assign valid = CountBits'(i) < count_i;
    assign above_o[i] = valid & (row_i[i] > pivot_i);
    assign below_o[i] = valid & (row_i[i] < pivot_i);
    assign equal_o[i] = valid & (row_i[i] == pivot_i);
  end

endmodule
