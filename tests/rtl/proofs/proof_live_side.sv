// A pass goes on where the boundary is: if #(> v) < target <= #(>= v) holds, for a free v, for the live side before the
// pass, then also for the side that the pass goes on with: R if target <= a, L with target - a - e if target > a + e; else
// v is the pivot. With counts, or for the rule mass with sums.
//
// One row goes through comparators and zero eliminators; the side's other rows come in as free counts (sums) of what is
// above v and from v on in their R, equals and L: any that rows parted by the pivot can have. The engine proofs hold
// topk_quick_select to that decision.
module proof_live_side #(
  parameter int unsigned Lanes = 4,
  parameter int unsigned Width = 4,
  parameter bit Mass = 1'b0,
  parameter int unsigned OtherBits = 2,  // of the other rows' counts
  localparam int unsigned CountBits = $clog2(Lanes) + 1,
  localparam int unsigned SumBits = CountBits + OtherBits + (Mass ? Width : 1)
) (
  input logic [Lanes-1:0][Width-1:0] row_i,
  input logic [CountBits-1:0]        count_i,
  input logic [Width-1:0]            pivot_i,
  input logic [Width-1:0]            v_i,
  input logic [SumBits-1:0]          target_i,
  // The other rows' R, equals and L: count or sum of all, of what is above v, and of what is at least v.
  input logic [2:0][OtherBits-1:0]   other_i,
  input logic [2:0][OtherBits-1:0]   other_above_i,
  input logic [2:0][OtherBits-1:0]   other_from_i
);

  localparam int unsigned R = 0, E = 1, L = 2;

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

  function automatic logic [SumBits-1:0] weight(logic [Width-1:0] item);
    return Mass ? SumBits'(item) : SumBits'(1);
  endfunction

  logic [CountBits-1:0] equal;
  assign equal = count_i - right_count - left_count;

  always_comb begin
    logic [SumBits-1:0] side_above, side_from, a, e, right_above, right_from, left_above, left_from;
    assume (count_i <= CountBits'(Lanes));
    // What lies in R is above the pivot, what lies in L below.
    for (int unsigned s = 0; s < 3; s++) begin
      assume (other_above_i[s] <= other_from_i[s] && other_from_i[s] <= other_i[s]);
    end
    if (v_i <= pivot_i) assume (other_above_i[R] == other_i[R]);
    assume (other_above_i[E] == ((pivot_i > v_i) ? other_i[E] : '0));
    assume (other_from_i[E] == ((pivot_i >= v_i) ? other_i[E] : '0));
    if (v_i >= pivot_i) assume (other_from_i[L] == '0);
    // The live side before the pass.
    side_above = SumBits'(other_above_i[R]) + SumBits'(other_above_i[E]) + SumBits'(other_above_i[L]);
    side_from = SumBits'(other_from_i[R]) + SumBits'(other_from_i[E]) + SumBits'(other_from_i[L]);
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (CountBits'(i) < count_i && row_i[i] > v_i) side_above = side_above + weight(row_i[i]);
      if (CountBits'(i) < count_i && row_i[i] >= v_i) side_from = side_from + weight(row_i[i]);
    end
    assume (side_above < target_i && target_i <= side_from);
    // R and L after it.
    a = SumBits'(other_i[R]);
    e = SumBits'(other_i[E]) + SumBits'(equal) * weight(pivot_i);
    right_above = SumBits'(other_above_i[R]);
    right_from = SumBits'(other_from_i[R]);
    left_above = SumBits'(other_above_i[L]);
    left_from = SumBits'(other_from_i[L]);
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (CountBits'(i) < right_count) begin
        a = a + weight(right[i]);
        if (right[i] > v_i) right_above = right_above + weight(right[i]);
        if (right[i] >= v_i) right_from = right_from + weight(right[i]);
      end
      if (CountBits'(i) < left_count) begin
        if (left[i] > v_i) left_above = left_above + weight(left[i]);
        if (left[i] >= v_i) left_from = left_from + weight(left[i]);
      end
    end
    if (target_i <= a) begin
      assert (right_above < target_i && target_i <= right_from);
    end else if (target_i <= a + e) begin
      assert (v_i == pivot_i);
    end else begin
      assert (left_above < target_i - a - e && target_i - a - e <= left_from);
    end
  end

endmodule
