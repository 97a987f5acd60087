// Window search: where in a window the boundary lies, once a pass has counted it.
//
// start_i takes a pass's counts and sums. The list's job (target, least, limit) is there from the next cycle to done_o's,
// the cycle in which the search ends. Then found_o with low, limit, equals, kept: items from limit on stay, and of those in
// low..limit - 1 the first equals do; or the window of the list's next pass, and what limits the boundary.
// The rules: models/topk/window_search.h, equal in every cycle. Time: at most 7, for a mass 12 and one for each bit of a
// division.

module topk_window_search
  import topk_pkg::*;
#(
  parameter int unsigned ItemBits = 20,
  parameter int unsigned IndexBits = 10,
  parameter int unsigned ListBits = 2,
  localparam int unsigned SumBits = ItemBits + IndexBits,
  localparam int unsigned TargetBits = target_bits(SumBits),
  localparam int unsigned ShiftBits = shift_bits(ItemBits)
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  // A pass's counts.
  input  logic                         start_i,
  input  logic [ListBits-1:0]          list_i,
  input  logic [ItemBits-1:0]          low_i,
  input  logic [ShiftBits-1:0]         shift_i,
  input  logic [Bins-1:0][IndexBits:0] at_least_i,
  input  logic [IndexBits:0]           above_i,
  input  logic [SumBits-1:0]           sum_above_i,
  input  logic [SumBits-1:0]           sum_inside_i,
  // The list.
  output logic                         idle_o,
  output logic [ListBits-1:0]          list_o,
  input  logic                         mass_i,
  input  logic [TargetBits-1:0]        target_i,
  input  logic [ItemBits-1:0]          least_i,
  input  logic [ItemBits:0]            limit_i,
  // Result.
  output logic                         done_o,
  output logic                         found_o,
  output logic [ItemBits-1:0]          least_o,
  output logic [ItemBits-1:0]          low_o,
  output logic [ItemBits:0]            limit_o,
  output logic [ShiftBits-1:0]         shift_o,
  output logic [IndexBits:0]           equals_o,
  output logic [IndexBits:0]           kept_o
);

  localparam int unsigned ItemsBits = IndexBits + 1;
  // An edge: the last bin's end may lie beyond the largest item.
  localparam int unsigned EdgeBits = ItemBits + BinBits + 1;
  localparam int unsigned OnesBits = ItemsBits + BinBits;
  localparam int unsigned FromBits = SumBits + ((ItemBits < BinBits) ? BinBits + 2 : 2);
  localparam int unsigned HalfBins = Bins / 2;
  localparam int unsigned StepBits = $clog2(IndexBits + 2);

  search_e state_q, state_d;
  logic [ListBits-1:0] list_q;
  logic [Bins-1:0][IndexBits:0] at_least_q;
  logic [ItemBits-1:0] low_q;
  logic [ShiftBits-1:0] shift_q;
  logic [ItemsBits-1:0] above_q;
  logic [SumBits-1:0] sum_above_q, sum_inside_q;
  logic [SumBits-1:0] wanted_q;  // of the target, beyond what lies over the window
  logic [BinBits-1:0] bin_q, step_q;  // the first of the bins that are possible, half of their number
  logic [BinBits:0] unused_width_q;  // their number; read by the observer only
  logic [ItemsBits-1:0] reached_q, over_q;  // items from that bin on; over what is possible, in the window
  logic [FromBits-1:0] sum_reached_q, sum_over_q;  // the least that the former sum up to, the most that the latter do

  // Edges: the window's end; of the first possible bin; how far it is to the bin at hand, and to the end of what is
  // possible; the middle of the bin at hand.
  logic [EdgeBits-1:0] window_end_q, edge_q, step_value_q, width_value_q, value_q;

  assign idle_o = state_q == SearchIdle;
  assign list_o = list_q;

  // Aim: beside the window, or in it ----------------------------------------------------------------------------------

  logic [TargetBits-1:0] over_window, wanted;
  logic missed_up, missed_down;

  assign over_window = mass_i ? TargetBits'(sum_above_q) : TargetBits'(above_q);
  assign wanted = target_i - over_window;
  assign missed_up = mass_i & (over_window >= target_i);
  assign missed_down = mass_i & ~missed_up & (wanted > TargetBits'(sum_inside_q));

  // Halve: does the bin, with all above it, reach what is wanted? For a mass its sum comes in the cycle before. ----------

  logic [BinBits-1:0] at;
  logic [ItemsBits-1:0] count_at, count_at_q, count_now;
  logic [OnesBits-1:0] ones_d, ones_q, ones_end_q;
  logic [EdgeBits-1:0] edge_at;
  logic [FromBits-1:0] product_d, product_q, from, spread;
  logic summed_q, everything, possible, reaches;

  assign at = bin_q | step_q;
  assign count_at = at_least_q[at];
  assign edge_at = edge_q + step_value_q;
  assign spread = (shift_q == '0) ? '0 : FromBits'(count_at_q) << (shift_q - ShiftBits'(1));
  assign product_d = FromBits'(value_q) * FromBits'(count_at);

  // The counters of all bins above the one at hand: those beyond what is possible, whose sum is known, and those in its
  // upper half. Of these, counter j up has j's bits below the step's, which are 0 in the bin's number.
  logic [HalfBins-1:1][IndexBits:0] half;
  for (genvar m = 0; m < BinBits - 1; m++) begin : gen_half
    for (genvar j = 2 ** m; j < 2 ** (m + 1); j++) begin : gen_counter
      assign half[j] = (step_q[BinBits-1:m+1] != '0) ? at_least_q[{at[BinBits-1:m+1], (m+1)'(j)}] : '0;
    end
  end

  always_comb begin
    ones_d = ones_end_q;
    for (int unsigned j = 1; j < HalfBins; j++) ones_d = ones_d + OnesBits'(half[j]);
  end

  assign from = product_q + (FromBits'(ones_q) << shift_q);
  assign everything = count_now == at_least_q[0];
  assign count_now = mass_i ? count_at_q : count_at;
  assign possible = edge_at < EdgeBits'(limit_i);
  assign reaches = possible & (everything | (mass_i ? from >= FromBits'(wanted_q) : count_at >= ItemsBits'(wanted_q)));

  // Is it over? -------------------------------------------------------------------------------------------------------

  logic [EdgeBits-1:0] bin_end;
  logic [ItemsBits-1:0] items;
  logic halving, exact, single, sure, decided, divides, narrows, tests;

  assign halving = state_q == SearchHalve && !summed_q;
  assign bin_end = edge_q + width_value_q;
  assign items = reached_q - over_q;
  assign exact = step_q == '0 && shift_q == '0;
  assign single = items == ItemsBits'(1);
  assign sure = ~mass_i | ((sum_over_q < FromBits'(wanted_q)) & (sum_reached_q >= FromBits'(wanted_q)));
  assign decided = halving & ((single & sure) | (exact & ~mass_i));
  assign divides = halving & ~decided & exact;
  assign narrows = halving & ~decided & ~exact & (step_q == '0);
  assign tests = state_q == SearchHalve && (summed_q || (!mass_i && !decided && !narrows));

  // Division: (wanted - sum over - 1) / value + 1 equals stay. The value is shifted up to the remainder, and down again
  // bit by bit.
  logic [FromBits-1:0] remainder_q, divisor_q;
  logic [ItemsBits-2:0] quotient_q;  // the bits found before this step's
  logic [ItemsBits-1:0] quotient_d;
  logic [StepBits-1:0] divide_step_q;
  logic aligned_q, fits, fits_twice;

  assign fits = remainder_q >= divisor_q;
  assign fits_twice = {1'b0, remainder_q} >= {divisor_q, 1'b0};
  assign quotient_d = {quotient_q, fits};

  // Result ------------------------------------------------------------------------------------------------------------

  logic aimed, divided;
  logic [ItemBits:0] left;  // values that are left after a miss, less 1
  logic [ItemBits:0] limit_in;
  logic [ItemBits-1:0] low_in;
  logic [EdgeBits-1:0] margin_q, lowest_q;  // beside a bin in the next window; the least edge that leaves room for it

  assign aimed = state_q == SearchAim && (missed_up || missed_down);
  assign divided = state_q == SearchDivide && aligned_q && divide_step_q == '0;
  assign done_o = aimed | decided | narrows | divided;
  assign found_o = decided | divided;
  assign kept_o = above_q + over_q + equals_o;

  always_comb begin
    if (state_q == SearchDivide) equals_o = quotient_d + ItemsBits'(1);
    else equals_o = mass_i ? ItemsBits'(1) : ItemsBits'(wanted_q) - over_q;
  end

  always_comb begin
    limit_in = (EdgeBits'(limit_i) < window_end_q) ? limit_i : (ItemBits + 1)'(window_end_q);
    low_in = ItemBits'(((edge_q > lowest_q) ? edge_q : lowest_q) - margin_q);
  end

  always_comb begin
    least_o = least_i;
    limit_o = limit_i;
    low_o = low_q;
    shift_o = (shift_q > ShiftBits'(BinBits)) ? shift_q - ShiftBits'(BinBits) : '0;
    left = '0;
    if (state_q == SearchAim) begin
      if (missed_up) begin
        least_o = ItemBits'(window_end_q);  // the boundary lies below the limit, so the window's end does
      end else begin
        limit_o = (ItemBits + 1)'(low_q);
      end
      left = limit_o - (ItemBits + 1)'(least_o) - (ItemBits + 1)'(1);
      shift_o = '0;
      for (int unsigned i = BinBits; i < ItemBits; i++) begin
        if (left[i]) shift_o = ShiftBits'(i + 1 - BinBits);
      end
      low_o = least_o;
    end else if (found_o) begin
      low_o = ItemBits'(edge_q);
    end else begin
      least_o = low_q;
      low_o = low_in;
    end
    if (found_o) limit_o = (bin_end < EdgeBits'(limit_i)) ? (ItemBits + 1)'(bin_end) : limit_i;
    else if (narrows) limit_o = limit_in;
  end

  // Registers ---------------------------------------------------------------------------------------------------------

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      SearchAim: state_d = aimed ? SearchIdle : SearchHalve;
      SearchHalve: begin
        if (divides) state_d = SearchDivide;
        else if (decided | narrows) state_d = SearchIdle;
      end
      SearchDivide: if (divided) state_d = SearchIdle;
      default: if (start_i) state_d = SearchAim;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= SearchIdle;
      list_q <= '0;
      at_least_q <= '0;
      low_q <= '0;
      shift_q <= '0;
      above_q <= '0;
      sum_above_q <= '0;
      sum_inside_q <= '0;
      wanted_q <= '0;
      bin_q <= '0;
      step_q <= '0;
      unused_width_q <= '0;
      window_end_q <= '0;
      edge_q <= '0;
      step_value_q <= '0;
      width_value_q <= '0;
      value_q <= '0;
      margin_q <= '0;
      lowest_q <= '0;
      summed_q <= 1'b0;
      product_q <= '0;
      count_at_q <= '0;
      ones_q <= '0;
      ones_end_q <= '0;
      reached_q <= '0;
      over_q <= '0;
      sum_reached_q <= '0;
      sum_over_q <= '0;
      remainder_q <= '0;
      divisor_q <= '0;
      aligned_q <= 1'b0;
      quotient_q <= '0;
      divide_step_q <= '0;
    end else begin
      state_q <= state_d;
      if (start_i) begin
        list_q <= list_i;
        at_least_q <= at_least_i;
        low_q <= low_i;
        shift_q <= shift_i;
        above_q <= above_i;
        sum_above_q <= sum_above_i;
        sum_inside_q <= sum_inside_i;
        bin_q <= '0;
        step_q <= BinBits'(HalfBins);
        unused_width_q <= (BinBits + 1)'(Bins);
        window_end_q <= EdgeBits'(low_i) + (EdgeBits'(Bins) << shift_i);
        edge_q <= EdgeBits'(low_i);
        step_value_q <= EdgeBits'(HalfBins) << shift_i;
        width_value_q <= EdgeBits'(Bins) << shift_i;
        value_q <= EdgeBits'(low_i) + (EdgeBits'(HalfBins) << shift_i) + ((EdgeBits'(1) << shift_i) >> 1);
        margin_q <= (shift_i < ShiftBits'(BinBits)) ? (EdgeBits'(Bins) - (EdgeBits'(1) << shift_i)) >> 1 : '0;
        over_q <= '0;
        ones_end_q <= '0;
        sum_over_q <= '0;
        sum_reached_q <= FromBits'(sum_inside_i);
      end
      if (state_q == SearchAim) begin
        wanted_q <= SumBits'(wanted);
        reached_q <= at_least_q[0];
        lowest_q <= EdgeBits'(low_q) + margin_q;
      end
      summed_q <= halving & mass_i & ~decided & ~exact & ~narrows;
      if (halving) begin
        product_q <= product_d;
        count_at_q <= count_at;
        ones_q <= ones_d;
      end
      if (tests) begin
        unused_width_q <= (BinBits + 1)'(step_q);
        width_value_q <= step_value_q;
        step_q <= step_q >> 1;
        step_value_q <= step_value_q >> 1;
        value_q <= reaches ? value_q + (step_value_q >> 1) : value_q - (step_value_q >> 1);
        if (reaches) begin
          bin_q <= at;
          edge_q <= edge_at;
          reached_q <= count_now;
          if (!everything) sum_reached_q <= from - spread;
        end else begin
          over_q <= count_now;
          ones_end_q <= ones_q + OnesBits'(count_at_q);
          sum_over_q <= from + spread;
        end
      end
      if (divides) begin
        remainder_q <= FromBits'(wanted_q) - sum_over_q - FromBits'(1);
        quotient_q <= '0;
        divide_step_q <= '0;
        divisor_q <= FromBits'(edge_q);
        aligned_q <= 1'b0;
      end
      if (state_q == SearchDivide) begin
        if (aligned_q) begin
          divide_step_q <= divide_step_q - StepBits'(1);
          divisor_q <= divisor_q >> 1;
          quotient_q <= quotient_d[ItemsBits-2:0];
          if (fits) remainder_q <= remainder_q - divisor_q;
        end else if (fits_twice) begin
          divide_step_q <= divide_step_q + StepBits'(1);
          divisor_q <= divisor_q << 1;
        end else begin
          aligned_q <= 1'b1;
        end
      end
    end
  end

endmodule
