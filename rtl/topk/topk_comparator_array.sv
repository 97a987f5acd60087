// Two arrays of comparators: which lanes are above the pivot, which below, and which equal to it: neither, but valid.
//
// Combinational. Only the lanes of valid_i are looked at. Model: models/topk/comparator_array.h.

module topk_comparator_array #(
  parameter int unsigned Parallelism = 16,
  parameter int unsigned ItemBits = 20
) (
  input  logic [Parallelism-1:0][ItemBits-1:0] row_i,
  input  logic [Parallelism-1:0]               valid_i,
  input  logic [ItemBits-1:0]                  pivot_i,
  output logic [Parallelism-1:0]               above_o,
  output logic [Parallelism-1:0]               below_o,
  output logic [Parallelism-1:0]               equal_o
);

  for (genvar i = 0; i < Parallelism; i++) begin : gen_lane
    assign above_o[i] = valid_i[i] & (row_i[i] > pivot_i);
    assign below_o[i] = valid_i[i] & (row_i[i] < pivot_i);
    assign equal_o[i] = valid_i[i] & (row_i[i] == pivot_i);
  end

endmodule
