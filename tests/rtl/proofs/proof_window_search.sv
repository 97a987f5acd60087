// Window search: for any items, rule, target and width of bins, the counts of a window over all values lead to what the
// definition says: the items from limit on do not reach the target, and with the first `equals` of those in low..limit - 1,
// which are all equal, they just do. Or else another pass is asked for, whose window and limits hold the boundary.
module proof_window_search
  import topk_pkg::*;
#(
  parameter int unsigned Items = 3,
  parameter int unsigned Width = 6,
  parameter int unsigned MaxShift = 1,
  parameter int unsigned Cycles = 20,
  parameter bit Mass = 1'b1,
  localparam int unsigned IndexBits = $clog2(Items + 1),
  localparam int unsigned SumBits = Width + IndexBits,
  localparam int unsigned TargetBits = target_bits(SumBits),
  localparam int unsigned ShiftBits = shift_bits(Width)
) (
  input logic                        clk_i,
  input logic [Items-1:0][Width-1:0] items_i,
  input logic [SumBits-1:0]          target_i,
  input logic [ShiftBits-1:0]        shift_i
);

  logic started_q = 1'b0, begun_q = 1'b0, ended_q = 1'b0;
  logic [4:0] cycle_q = '0;
  logic [Items-1:0][Width-1:0] items;  // free, then constant
  logic [SumBits-1:0] target;
  logic [ShiftBits-1:0] shift;
  logic done, found, idle;
  logic [Width-1:0] least, low;
  logic [Width:0] limit;
  logic [ShiftBits-1:0] next_shift;
  logic [IndexBits:0] equals, kept;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    begun_q <= started_q;
    cycle_q <= cycle_q + 5'd1;
    if (done) ended_q <= 1'b1;
    if (!started_q) begin
      items <= items_i;
      target <= target_i;
      shift <= shift_i;
    end
  end

  logic [Bins-1:0][IndexBits:0] at_least;
  logic [SumBits-1:0] total;
  always_comb begin
    at_least = '0;
    total = '0;
    for (int unsigned i = 0; i < Items; i++) begin
      total = total + SumBits'(items[i]);
      for (int unsigned b = 0; b < Bins; b++) begin
        if ((items[i] >> shift) >= Width'(b)) at_least[b] = at_least[b] + (IndexBits + 1)'(1);
      end
    end
  end

  topk_window_search #(
    .ItemBits(Width),
    .IndexBits(IndexBits),
    .ListBits(1)
  ) u_dut (
    .clk_i,
    .rst_ni(started_q),
    .start_i(started_q & ~begun_q),
    .list_i(1'b0),
    .low_i('0),
    .shift_i(shift),
    .at_least_i(at_least),
    .above_i('0),
    .sum_above_i('0),
    .sum_inside_i(total),
    .idle_o(idle),
    .list_o(),
    .mass_i(Mass),
    .target_i(TargetBits'(target)),
    .least_i('0),
    .limit_i((Width + 1)'(1) << Width),
    .done_o(done),
    .found_o(found),
    .least_o(least),
    .low_o(low),
    .limit_o(limit),
    .shift_o(next_shift),
    .equals_o(equals),
    .kept_o(kept)
  );

  // What the answer says: items over the limit, and those from low on; the value of the latter.
  logic [IndexBits:0] over, between;
  logic [SumBits-1:0] sum_over, over_boundary, from_boundary;
  logic [Width-1:0] value, boundary;
  logic same;
  always_comb begin
    over = '0;
    between = '0;
    sum_over = '0;
    value = '0;
    same = 1'b1;
    for (int unsigned i = 0; i < Items; i++) begin
      if ({1'b0, items[i]} >= limit) begin
        over = over + (IndexBits + 1)'(1);
        sum_over = sum_over + SumBits'(items[i]);
      end else if (items[i] >= low) begin
        if (between != '0 && items[i] != value) same = 1'b0;
        value = items[i];
        between = between + (IndexBits + 1)'(1);
      end
    end
  end

  // The boundary by the definition: the item of which all larger ones do not reach the target and all from it on do.
  always_comb begin
    boundary = '0;
    over_boundary = '0;
    from_boundary = '0;
    for (int unsigned i = 0; i < Items; i++) begin
      over_boundary = '0;
      from_boundary = '0;
      for (int unsigned j = 0; j < Items; j++) begin
        if (items[j] > items[i]) over_boundary = over_boundary + (Mass ? SumBits'(items[j]) : SumBits'(1));
        if (items[j] >= items[i]) from_boundary = from_boundary + (Mass ? SumBits'(items[j]) : SumBits'(1));
      end
      if (over_boundary < target && target <= from_boundary) boundary = items[i];
    end
  end

  logic [SumBits+3:0] short_of, reached;
  assign short_of = Mass ? (SumBits + 4)'(sum_over) + ((SumBits + 4)'(equals) - (SumBits + 4)'(1)) * (SumBits + 4)'(value)
                       : (SumBits + 4)'(over) + (SumBits + 4)'(equals) - (SumBits + 4)'(1);
  assign reached = Mass ? (SumBits + 4)'(sum_over) + (SumBits + 4)'(equals) * (SumBits + 4)'(value)
                        : (SumBits + 4)'(over) + (SumBits + 4)'(equals);

  always_comb begin
    assume (shift_i <= ShiftBits'(MaxShift));
    if (started_q) begin
      assume (target != '0);
      assume (target <= (Mass ? total : SumBits'(Items)));
      for (int unsigned i = 0; i < Items; i++) assume (32'(items[i]) < (Bins << shift));
    end
    if (begun_q && done && !ended_q) begin
      if (found) begin
        assert (same && between != '0);
        assert (equals != '0 && equals <= between);
        assert (short_of < (SumBits + 4)'(target) && reached >= (SumBits + 4)'(target));
        assert (kept == over + equals);
      end else begin
        assert (shift != '0);
        assert (boundary >= least && {1'b0, boundary} < limit);
        assert (low >= least && {1'b0, low} < limit);
        assert (next_shift < shift);
      end
    end
    if (cycle_q == 5'(Cycles - 1)) assert (ended_q);
  end

endmodule
