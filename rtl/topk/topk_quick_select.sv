// Quick-select: finds the boundary value, that is the k-th largest item or the item at which the sum reaches the share.
//
// A pass reads one side; what is above the pivot goes to R, what is below to L, equals are counted. With a(bove) and
// e(qual) the counts (rule count) or the sums (rule mass):
//   target <= a          the boundary is in R
//   a < target <= a + e  the pivot is the boundary, and the first equals up to target stay
//   a + e < target       the boundary is in L, target -= a + e
// Loading is a pass in which everything is above. decide_i ends a pass and picks the next pivot, in the cycle after its
// last row, so what a decision needs is kept up to date row by row. divide_i steps the division that says how many equals
// of a mass stay. Model: models/topk/quick_select.h.

module topk_quick_select
  import topk_pkg::*;
#(
  parameter int unsigned Parallelism = 16,
  parameter int unsigned FifoDepth = 64,
  parameter int unsigned ItemBits = 20,
  parameter bit WithSampler = 1'b1,
  localparam int unsigned LaneBits = $clog2(Parallelism),
  localparam int unsigned CountBits = LaneBits + 1,
  localparam int unsigned IndexBits = LaneBits + $clog2(FifoDepth),
  localparam int unsigned LevelBits = $clog2(FifoDepth) + 1,
  localparam int unsigned SumBits = ItemBits + IndexBits,
  localparam int unsigned RowSumBits = ItemBits + CountBits,
  localparam int unsigned AmountBits = amount_bits(IndexBits)
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  input  logic                                 seed_en_i,
  input  logic [15:0]                          seed_i,
  input  logic                                 sampled_i,   // pivot rule: 0 random, 1 sampled
  // Job.
  input  logic                                 start_i,
  input  logic [IndexBits:0]                   n_i,
  input  logic                                 mass_i,
  input  logic [AmountBits-1:0]                amount_i,
  // Partitioned rows.
  input  logic                                 loading_i,
  input  logic                                 passing_i,   // the LFSR runs
  input  logic                                 valid_i,
  input  logic [CountBits-1:0]                 above_i,
  input  logic [CountBits-1:0]                 below_i,
  input  logic [CountBits-1:0]                 equal_i,
  input  logic [RowSumBits-1:0]                sum_above_i,
  input  logic [RowSumBits-1:0]                sum_equal_i,
  input  logic [Parallelism-1:0][ItemBits-1:0] right_i,
  input  logic [Parallelism-1:0][ItemBits-1:0] left_i,
  // Rows to partition.
  input  logic                                 pop_i,
  output logic [Parallelism-1:0][ItemBits-1:0] head_o,
  // End of a pass.
  input  logic                                 decide_i,
  output next_e                                next_o,
  output logic [LevelBits-1:0]                 next_rows_o,
  output logic [LaneBits-1:0]                  next_tail_o,  // valid lanes of the last of them, 0 if all are
  input  logic                                 divide_i,
  output logic                                 divided_o,
  // State.
  output logic [ItemBits-1:0]                  pivot_o,
  output logic [IndexBits:0]                   above_o,
  output logic [IndexBits:0]                   equals_o
);

  localparam int unsigned ItemsBits = IndexBits + 1;
  localparam int unsigned StrideBits = $clog2(IndexBits + 1);
  localparam int unsigned StepBits = $clog2(IndexBits);
  localparam int unsigned ProductBits = ((SumBits > 16) ? SumBits : 16) + 6;

  logic mass_q, in_right_q;
  logic [AmountBits-1:0] amount_q;
  logic [ItemBits-1:0] pivot_q;
  logic [SumBits-1:0] target_q, sum_above_d, sum_above_q, sum_equal_q;
  logic [ItemsBits-1:0] items_q, above_q, equals_q, equal_count_q;
  logic [StrideBits-1:0] stride_q;

  // Sides -------------------------------------------------------------------------------------------------------------

  logic go_on, to_right;
  logic flush_l, flush_r, drop_l, drop_r;
  logic [Parallelism-1:0][ItemBits-1:0] head_l, head_r, first_l, first_r;
  logic [LevelBits-1:0] level_l, level_r;
  logic [LaneBits-1:0] first_lane_next_l, first_lane_next_r;
  logic [CountBits-1:0] pack_l, pack_r;
  logic [15:0] lfsr_next;
  logic [ItemsBits-1:0] items_l, items_r, rank_l, rank_r;
  logic [ItemBits-1:0] sample_l, sample_r;

  assign flush_r = go_on & to_right;
  assign flush_l = go_on & ~to_right;
  assign drop_r = start_i | (go_on & ~to_right);
  assign drop_l = start_i | (go_on & to_right);

  topk_side #(
    .Parallelism(Parallelism),
    .FifoDepth  (FifoDepth),
    .ItemBits   (ItemBits),
    .WithSampler(WithSampler)
  ) u_left (
    .clk_i,
    .rst_ni,
    .valid_i       (valid_i & ~loading_i),
    .row_i         (left_i),
    .count_i       (below_i),
    .stride_i      (stride_q),
    .flush_i       (flush_l),
    .drop_i        (drop_l),
    .pop_i         (pop_i & ~in_right_q),
    .head_o        (head_l),
    .level_o       (level_l),
    .first_row_o   (first_l),
    .random_i      (lfsr_next),
    .first_lane_next_o(first_lane_next_l),
    .items_o       (items_l),
    .pack_count_o  (pack_l),
    .median_i      (mass_q),
    .rank_i        (rank_l),
    .sample_o      (sample_l)
  );

  topk_side #(
    .Parallelism(Parallelism),
    .FifoDepth  (FifoDepth),
    .ItemBits   (ItemBits),
    .WithSampler(WithSampler)
  ) u_right (
    .clk_i,
    .rst_ni,
    .valid_i,
    .row_i         (right_i),
    .count_i       (above_i),
    .stride_i      (stride_q),
    .flush_i       (flush_r),
    .drop_i        (drop_r),
    .pop_i         (pop_i & in_right_q),
    .head_o        (head_r),
    .level_o       (level_r),
    .first_row_o   (first_r),
    .random_i      (lfsr_next),
    .first_lane_next_o(first_lane_next_r),
    .items_o       (items_r),
    .pack_count_o  (pack_r),
    .median_i      (mass_q),
    .rank_i        (rank_r),
    .sample_o      (sample_r)
  );

  assign head_o = in_right_q ? head_r : head_l;

  // Decision ----------------------------------------------------------------------------------------------------------

  // How far the boundary lies beyond what is above, and beyond the equals too: target - 1 - a and target - 1 - a - e.
  // Negative if it does not.
  logic [SumBits:0] beyond_above_q, beyond_equal_q, above_start, equal_start;
  logic [RowSumBits-1:0] row_above, row_equal;  // what a row adds to a and e
  logic target_known;  // a mass's target is known in this cycle, ahead of the first pass's first row
  logic [SumBits-1:0] mass_target;
  logic nothing_to_search, found;

  always_comb begin
    row_above = '0;
    row_equal = '0;
    if (valid_i) begin
      row_above = mass_q ? sum_above_i : RowSumBits'(above_i);
      row_equal = mass_q ? sum_equal_i : RowSumBits'(equal_i);
    end
  end
  assign sum_above_d = sum_above_q + SumBits'(sum_above_i);
  assign above_start = target_known ? (SumBits + 1)'(mass_target) : beyond_above_q;
  assign equal_start = target_known ? (SumBits + 1)'(mass_target) : beyond_equal_q;

  assign nothing_to_search = mass_q ? (sum_above_q == '0) : (target_q == SumBits'(items_q));
  assign to_right = loading_i | beyond_above_q[SumBits];
  assign found = loading_i ? nothing_to_search : (~beyond_above_q[SumBits] & beyond_equal_q[SumBits]);
  assign go_on = decide_i & ~found;

  always_comb begin
    if (!found) next_o = NextPass;
    else if (!loading_i && mass_q && equal_count_q != ItemsBits'(1)) next_o = NextDivide;
    else next_o = NextFilter;
  end
  assign next_rows_o = to_right ? level_r + LevelBits'(pack_r != '0) : level_l + LevelBits'(pack_l != '0);
  assign next_tail_o = to_right ? pack_r[LaneBits-1:0] : pack_l[LaneBits-1:0];

  // Next pivot: both sides' candidates are formed while the side is decided. Lane and rank are those of the next cycle, if
  // a row comes in in this one, as it does before every decision. ---------------------------------------------------------

  logic [15:0] unused_lfsr;  // read by the observer only

  prim_lfsr u_lfsr (
    .clk_i,
    .rst_ni,
    .seed_en_i,
    .seed_i,
    .en_i   (passing_i),
    .state_o(unused_lfsr),
    .next_o (lfsr_next)
  );

  // Rank of the sample to take: target / stride rounded ...
  function automatic logic [ItemsBits-1:0] rounded(logic [ItemsBits-1:0] target, logic [StrideBits-1:0] stride);
    logic [ItemsBits:0] half;
    half = ((ItemsBits + 1)'(1) << stride) >> 1;
    return ItemsBits'(((ItemsBits + 1)'(target) - (ItemsBits + 1)'(1) + half) >> stride);
  endfunction

  // ... and one further towards the larger side, while the side is more than two rows. (For a mass, the median sample: a
  // sum says nothing of ranks.)
  function automatic logic [ItemsBits-1:0] towards_larger(logic [ItemsBits-1:0] rank, logic [ItemsBits-1:0] items,
                                                          logic early);
    logic [ItemsBits-1:0] moved;
    moved = rank;
    if (32'(items) > 2 * Parallelism) begin
      if (early) moved = rank + ItemsBits'(1);
      else if (rank != '0) moved = rank - ItemsBits'(1);
    end
    return moved;
  endfunction

  logic [ItemsBits-1:0] target_next_l, items_next_l, items_next_r;
  logic [ItemsBits-1:0] rounded_l_q, rounded_r_q;
  logic early_l_q, early_r_q;  // the target is in the side's first half
  logic [LaneBits-1:0] lane_l_q, lane_r_q;
  logic [ItemBits-1:0] pivot_l, pivot_r;

  assign items_next_l = items_l + ItemsBits'(below_i);
  assign items_next_r = items_r + ItemsBits'(above_i);
  assign target_next_l = ItemsBits'(target_q) - items_r - equal_count_q - ItemsBits'(above_i) - ItemsBits'(equal_i);

  always_ff @(posedge clk_i) begin
    rounded_l_q <= rounded(target_next_l, stride_q);
    rounded_r_q <= rounded(ItemsBits'(target_q), stride_q);
    early_l_q <= {target_next_l, 1'b0} < {1'b0, items_next_l};
    early_r_q <= {ItemsBits'(target_q), 1'b0} < {1'b0, items_next_r};
    lane_l_q <= first_lane_next_l;
    lane_r_q <= first_lane_next_r;
  end

  assign rank_l = towards_larger(rounded_l_q, items_l, early_l_q);
  assign rank_r = towards_larger(rounded_r_q, items_r, early_r_q);
  assign pivot_l = sampled_i ? sample_l : first_l[lane_l_q];
  assign pivot_r = sampled_i ? sample_r : first_r[lane_r_q];

  // Stride of the samples: at most SampleRate a row, at most Samples a pass.
  localparam int unsigned StrideOfNone = (Parallelism > SampleRate) ? $clog2(Parallelism / SampleRate) : 0;
  logic [StrideBits-1:0] stride_d;

  always_comb begin
    stride_d = '0;
    for (int unsigned s = 0; s < IndexBits; s++) begin
      if ((SampleRate << s) < Parallelism || (Samples << s) < 32'(items_q)) stride_d = StrideBits'(s + 1);
    end
  end

  // Target of a mass: (mu16 * total + 65535) >> 16, from three 6-bit digits of mu16, in the decision that ends loading and
  // the two cycles after it. Each step drops the six bits below the next digit. -------------------------------------------

  typedef enum logic [1:0] {
    ProductIdle,
    ProductDigit1,
    ProductDigit2,
    ProductDone
  } product_e;

  product_e product_step_q;
  logic product_begins;
  logic [SumBits-1:0] total_q;
  logic [ProductBits-1:0] product_d, product_q;

  assign product_begins = decide_i & loading_i;
  assign product_d = (product_q >> 6) + ProductBits'(total_q) * ProductBits'(amount_q[5:0]);
  assign mass_target = SumBits'(product_q >> 4);
  assign target_known = product_step_q == ProductDone;

  // Division: (target - above - 1) / pivot + 1 equals stay -------------------------------------------------------------

  logic [SumBits-1:0] remainder_q;
  logic [IndexBits-2:0] quotient_q;  // the bits found before this step's
  logic [IndexBits-1:0] quotient_d;
  logic [StepBits-1:0] step_q;  // the bit that is found
  logic fits;

  assign fits = (remainder_q >> step_q) >= SumBits'(pivot_q);
  assign quotient_d = {quotient_q, fits};
  assign divided_o = divide_i & (step_q == '0);

  // Registers ---------------------------------------------------------------------------------------------------------

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      mass_q <= 1'b0;
      amount_q <= '0;
      in_right_q <= 1'b1;
      pivot_q <= '0;
      target_q <= '0;
      items_q <= '0;
      above_q <= '0;
      equals_q <= '0;
      equal_count_q <= '0;
      sum_above_q <= '0;
      sum_equal_q <= '0;
      stride_q <= StrideBits'(StrideOfNone);
      beyond_above_q <= '0;
      beyond_equal_q <= '0;
      product_step_q <= ProductIdle;
      product_q <= '0;
      total_q <= '0;
      remainder_q <= '0;
      quotient_q <= '0;
      step_q <= '0;
    end else begin
      stride_q <= stride_d;
      if (product_begins || product_step_q != ProductIdle) begin
        product_q <= product_d;
        amount_q <= amount_q >> 6;
      end
      unique case (product_step_q)
        ProductDigit1: product_step_q <= ProductDigit2;
        ProductDigit2: product_step_q <= ProductDone;
        default: product_step_q <= ProductIdle;
      endcase
      if (target_known) target_q <= mass_target;
      beyond_above_q <= above_start - (SumBits + 1)'(row_above) - (SumBits + 1)'(target_known);
      beyond_equal_q <= equal_start - (SumBits + 1)'(row_above) - (SumBits + 1)'(row_equal)
                        - (SumBits + 1)'(target_known);
      if (valid_i) begin
        equal_count_q <= equal_count_q + ItemsBits'(equal_i);
        sum_above_q <= sum_above_d;
        if (loading_i) total_q <= sum_above_d;
        sum_equal_q <= sum_equal_q + SumBits'(sum_equal_i);  // read by the observer only
      end
      if (start_i) begin
        mass_q <= mass_i;
        amount_q <= amount_i;
        items_q <= n_i;
        target_q <= mass_i ? '0 : SumBits'(amount_i);
        above_q <= '0;
        equals_q <= '0;
        pivot_q <= '0;
        in_right_q <= 1'b1;
        product_q <= ProductBits'(65535) << 6;
        product_step_q <= ProductIdle;
        equal_count_q <= '0;
        sum_above_q <= '0;
        sum_equal_q <= '0;
      end
      if (decide_i) begin
        if (go_on) begin
          pivot_q <= to_right ? pivot_r : pivot_l;
          items_q <= to_right ? items_r : items_l;
          in_right_q <= to_right;
          beyond_above_q <= to_right ? (SumBits + 1)'(target_q) - (SumBits + 1)'(1) : beyond_equal_q;
          beyond_equal_q <= to_right ? (SumBits + 1)'(target_q) - (SumBits + 1)'(1) : beyond_equal_q;
          if (!to_right) begin
            target_q <= SumBits'(beyond_equal_q) + SumBits'(1);
            above_q <= above_q + items_r + equal_count_q;
          end
          equal_count_q <= '0;
          sum_above_q <= '0;
          sum_equal_q <= '0;
          if (loading_i && mass_q) product_step_q <= ProductDigit1;
        end else if (loading_i) begin
          equals_q <= mass_q ? ItemsBits'(1) : items_q;
        end else begin
          above_q <= above_q + items_r;
          equals_q <= mass_q ? ItemsBits'(1) : ItemsBits'(beyond_above_q) + ItemsBits'(1);
          remainder_q <= SumBits'(beyond_above_q);
          quotient_q <= '0;
          step_q <= StepBits'(IndexBits - 1);
        end
      end
      if (divide_i) begin
        step_q <= step_q - StepBits'(1);
        quotient_q <= quotient_d[IndexBits-2:0];
        if (fits) remainder_q <= remainder_q - (SumBits'(pivot_q) << step_q);
        equals_q <= ItemsBits'(quotient_d) + ItemsBits'(1);
      end
    end
  end

  assign pivot_o = pivot_q;
  assign above_o = above_q;
  assign equals_o = equals_q;

endmodule
