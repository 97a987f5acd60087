// A partitioned row: comparators and both zero eliminators conserve the multiset. For a free value v, what equals v in
// the row is found in R, in L, or among the equals, as often; R is above the pivot, L below, counts add up.
module proof_partition #(
  parameter int unsigned Lanes = 4,
  parameter int unsigned Width = 4,
  localparam int unsigned CountBits = $clog2(Lanes) + 1
) (
  input logic [Lanes-1:0][Width-1:0] row_i,
  input logic [CountBits-1:0]        count_i,
  input logic [Width-1:0]            pivot_i,
  input logic [Width-1:0]            v_i
);

  logic [Lanes-1:0] above, below;
  logic [Lanes-1:0][Width-1:0] right, left;
  logic [CountBits-1:0] right_count, left_count;

  logic [Lanes-1:0] valid;
  for (genvar i = 0; i < Lanes; i++) begin : gen_valid
    assign valid[i] = CountBits'(i) < count_i;
  end

  topk_comparator_array #(
    .Parallelism(Lanes),
    .ItemBits(Width)
  ) u_comparators (
    .row_i,
    .valid_i(valid),
    .pivot_i,
    .above_o(above),
    .below_o(below)
  );
  topk_zero_eliminator #(
    .Lanes(Lanes),
    .Width(Width)
  ) u_right (
    .row_i,
    .stays_i(above),
    .row_o(right),
    .count_o(right_count)
  );
  topk_zero_eliminator #(
    .Lanes(Lanes),
    .Width(Width)
  ) u_left (
    .row_i,
    .stays_i(below),
    .row_o(left),
    .count_o(left_count)
  );

  always_comb begin
    logic [CountBits-1:0] in_row, in_right, in_left, equal;
    assume (count_i <= CountBits'(Lanes));
    in_row = '0;
    in_right = '0;
    in_left = '0;
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (CountBits'(i) < count_i && row_i[i] == v_i) in_row = in_row + CountBits'(1);
      if (CountBits'(i) < right_count) begin
        assert (right[i] > pivot_i);
        if (right[i] == v_i) in_right = in_right + CountBits'(1);
      end
      if (CountBits'(i) < left_count) begin
        assert (left[i] < pivot_i);
        if (left[i] == v_i) in_left = in_left + CountBits'(1);
      end
    end
    equal = count_i - right_count - left_count;
    assert (equal <= count_i);
    assert (in_row == in_right + in_left + ((v_i == pivot_i) ? equal : '0));
  end

endmodule
