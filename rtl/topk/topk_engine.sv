// Top-k engine: takes n items, gives the indices of those that stay, in index order.
//
// job_*  {n, mass, amount = k or mu16}; ready when idle. A job that cannot be done is refused: it is taken, refused_o
//        says why in the next cycle, and the engine stays idle.
// row_*  Parallelism items of ItemBits, n items in ceil(n / Parallelism) rows, only the last one partial.
// out_*  up to Parallelism indices, ascending; with out_last_o kept (count), boundary (smallest value that may stay; 0 when
//        k = n) and kept sum. Rows with no index are not given out.
// Time: load 1 + rows + 3, passes of rows + 3, filter at most rows + 2. Every output is a function of state alone; the
// pipeline stands while an output row waits. Model: models/topk/engine.h, equal in every cycle.

module topk_engine
  import topk_pkg::*;
#(
  parameter int unsigned Parallelism = winnow_machine_pkg::TopkParallelism,
  parameter int unsigned FifoDepth = winnow_machine_pkg::TopkFifo,
  parameter int unsigned ItemBits = winnow_machine_pkg::TopkItemBits,
  parameter bit WithSampler = winnow_machine_pkg::TopkSampled,
  localparam int unsigned LaneBits = $clog2(Parallelism),
  localparam int unsigned CountBits = LaneBits + 1,
  localparam int unsigned IndexBits = LaneBits + $clog2(FifoDepth),
  localparam int unsigned SumBits = ItemBits + IndexBits,
  localparam int unsigned AmountBits = amount_bits(IndexBits)
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
  // Pivot rule (0 random, 1 sampled) and seed of the LFSR; both may change while idle only.
  input  logic                                  sampled_i,
  input  logic                                  seed_en_i,
  input  logic [15:0]                           seed_i,
  // Job.
  input  logic                                  job_valid_i,
  output logic                                  job_ready_o,
  input  logic [IndexBits:0]                    job_n_i,
  input  logic                                  job_mass_i,
  input  logic [AmountBits-1:0]                 job_amount_i,
  output error_e                                refused_o,
  // Items.
  input  logic                                  row_valid_i,
  output logic                                  row_ready_o,
  input  logic [Parallelism-1:0][ItemBits-1:0]  row_i,
  // Indices.
  output logic                                  out_valid_o,
  input  logic                                  out_ready_i,
  output logic [Parallelism-1:0][IndexBits-1:0] out_indices_o,
  output logic [CountBits-1:0]                  out_count_o,
  output logic                                  out_last_o,
  output logic [IndexBits:0]                    out_kept_o,
  output logic [ItemBits-1:0]                   out_boundary_o,
  output logic [SumBits-1:0]                    out_kept_sum_o
);

  localparam int unsigned ItemsBits = IndexBits + 1;
  localparam int unsigned LevelBits = $clog2(FifoDepth) + 1;
  localparam int unsigned RowSumBits = ItemBits + CountBits;
  // The zero eliminator of R carries items in a pass, and in the filter the lanes' numbers in their lower bits.
  localparam int unsigned WordBits = (ItemBits > LaneBits) ? ItemBits : LaneBits;

  // A set that cannot be built stops here, with the texts of models/topk/types.cpp; bounds are those of
  // models/topk/ranges.h.
  localparam int unsigned PMin = winnow_machine_pkg::TopkParallelismMin;
  localparam int unsigned PMax = winnow_machine_pkg::TopkParallelismMax;
  localparam int unsigned FifoMin = winnow_machine_pkg::TopkFifoMin;
  localparam int unsigned FifoMax = winnow_machine_pkg::TopkFifoMax;
  localparam int unsigned ItemBitsMin = winnow_machine_pkg::TopkItemBitsMin;
  localparam int unsigned ItemBitsMax = winnow_machine_pkg::TopkItemBitsMax;
  localparam int unsigned SumBitsMax = winnow_machine_pkg::TopkSumBitsMax;
  if (Parallelism < PMin || Parallelism > PMax || 2 ** LaneBits != Parallelism) begin : gen_bad_parallelism
    $error("topk.parallelism %0d is not a power of two in %0d..%0d", Parallelism, PMin, PMax);
  end
  if (FifoDepth < FifoMin || FifoDepth > FifoMax || 2 ** $clog2(FifoDepth) != FifoDepth) begin : gen_bad_fifo
    $error("topk.fifo %0d is not a power of two in %0d..%0d", FifoDepth, FifoMin, FifoMax);
  end
  if (ItemBits < ItemBitsMin || ItemBits > ItemBitsMax) begin : gen_bad_item_bits
    $error("topk.item_bits %0d is not in %0d..%0d", ItemBits, ItemBitsMin, ItemBitsMax);
  end
  if (SumBits > SumBitsMax) begin : gen_bad_sum_bits
    $error("topk.item_bits %0d and parallelism * fifo give sums of more than %0d bits", ItemBits, SumBitsMax);
  end

  state_e state_d, state_q;
  logic passing_q, filtering_q;  // state_q is Pass, Filter; decoded a cycle ahead, because they steer every lane
  logic loading_q, drained_q;
  logic [IndexBits-LaneBits-1:0] next_index_q;  // row number in the filter pass
  logic [ItemsBits-1:0] n_q;
  logic [LevelBits-1:0] rows_left_q;
  logic last_left_q;  // rows_left_q == 1
  logic [Parallelism-1:0] tail_lanes_q;  // valid in the last row

  // Job ---------------------------------------------------------------------------------------------------------------

  logic job_taken, start;
  error_e job_error;

  always_comb begin
    job_error = ErrNone;
    if (job_n_i == '0 || 32'(job_n_i) > Parallelism * FifoDepth) job_error = ErrN;
    else if (!job_mass_i && (job_amount_i == '0 || job_amount_i > AmountBits'(job_n_i))) job_error = ErrK;
    else if (job_mass_i && (job_amount_i == '0 || job_amount_i > AmountBits'(65536))) job_error = ErrMu16;
  end

  assign job_ready_o = state_q == Idle;
  assign job_taken = job_valid_i & job_ready_o;
  assign start = job_taken & (job_error == ErrNone);

  function automatic logic [LevelBits-1:0] rows_of(logic [ItemsBits-1:0] items);
    return LevelBits'((items + ItemsBits'(Parallelism - 1)) >> LaneBits);
  endfunction

  // Lanes of a row that ends a list, from the lower bits of the number of items.
  function automatic logic [Parallelism-1:0] tail_lanes_of(logic [LaneBits-1:0] items);
    logic [LaneBits-1:0] last;
    last = items - LaneBits'(1);
    for (int unsigned i = 0; i < Parallelism; i++) tail_lanes_of[i] = LaneBits'(i) <= last;
  endfunction

  // Store, comparators ------------------------------------------------------------------------------------------------

  logic advance, load_row, read_pass, read_store, last_row, out_taken, done;
  logic [Parallelism-1:0][ItemBits-1:0] store_head, select_head, read_row;
  logic [Parallelism-1:0] read_lanes;
  logic [LevelBits-1:0] unused_store_level;  // read by the observer only
  logic [Parallelism-1:0] above, below, equal;
  logic [ItemBits-1:0] pivot;

  assign row_ready_o = state_q == Load;
  assign load_row = row_valid_i & row_ready_o;
  assign read_pass = passing_q;
  assign read_store = filtering_q & advance & (rows_left_q != '0) & ~done;

  topk_row_fifo #(
    .Width(Parallelism * ItemBits),
    .Depth(FifoDepth)
  ) u_store (
    .clk_i,
    .rst_ni,
    .clear_i(done),
    .push_i (load_row),
    .row_i  (row_i),
    .pop_i  (read_store),
    .head_o (store_head),
    .level_o(unused_store_level)
  );

  assign read_lanes = tail_lanes_q | {Parallelism{~last_left_q}};
  assign read_row = passing_q ? select_head : store_head;

  topk_comparator_array #(
    .Parallelism(Parallelism),
    .ItemBits   (ItemBits)
  ) u_comparators (
    .row_i  (read_row),
    .valid_i(read_lanes),
    .pivot_i(pivot),
    .above_o(above),
    .below_o(below),
    .equal_o(equal)
  );

  // Which equals stay: in the filter, the first of all rows' equals.
  logic [ItemsBits-1:0] equals_left, equals_left_q;  // before the row that is read, before the one read last
  logic [ItemsBits-1:0] known_above, known_equals;
  logic [Parallelism-1:0] take;
  logic [CountBits-1:0] count_equal, compared_equal_q;

  always_comb begin
    if (next_index_q == '0) equals_left = known_equals;
    else if (equals_left_q > ItemsBits'(compared_equal_q)) equals_left = equals_left_q - ItemsBits'(compared_equal_q);
    else equals_left = '0;
  end

  topk_filter #(
    .Lanes   (Parallelism),
    .LeftBits(ItemsBits)
  ) u_filter (
    .equal_i(equal),
    .left_i (equals_left),
    .take_o (take),
    .count_o(count_equal)
  );

  // First register: a row and its masks -------------------------------------------------------------------------------

  logic compared_valid_q;
  logic [Parallelism-1:0] compared_above_q, compared_below_q, compared_take_q;
  logic [Parallelism-1:0][ItemBits-1:0] compared_row_q;
  logic [IndexBits-LaneBits-1:0] compared_index_q;
  logic step;  // the pipeline moves

  assign step = ~filtering_q | advance;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      compared_valid_q <= 1'b0;
    end else if (done) begin
      compared_valid_q <= 1'b0;
    end else if (step) begin
      compared_valid_q <= load_row | read_pass | read_store;
    end
  end

  always_ff @(posedge clk_i) begin
    if (load_row) begin
      compared_row_q <= row_i;
      compared_above_q <= read_lanes;
      compared_below_q <= '0;
      compared_take_q <= '0;
      compared_equal_q <= '0;
    end else if (read_pass | read_store) begin
      compared_row_q <= read_row;
      compared_above_q <= above;
      compared_below_q <= below;
      compared_take_q <= filtering_q ? take : '0;
      compared_equal_q <= count_equal;
      compared_index_q <= next_index_q;
    end
    if (read_store) equals_left_q <= equals_left;
  end

  // Second register: two compacted rows, counts, sums -----------------------------------------------------------------

  logic [Parallelism-1:0] right_stays;
  logic [CountBits-1:0] count_above, count_below;
  logic [Parallelism-1:0][WordBits-1:0] right_in, right_out;
  logic [Parallelism-1:0][ItemBits-1:0] left_out;
  logic [RowSumBits-1:0] row_sum;

  assign right_stays = compared_above_q | compared_take_q;
  for (genvar i = 0; i < Parallelism; i++) begin : gen_right_in
    always_comb begin
      right_in[i] = WordBits'(compared_row_q[i]);
      if (filtering_q) right_in[i][LaneBits-1:0] = LaneBits'(i);
    end
  end

  topk_zero_eliminator #(
    .Lanes(Parallelism),
    .Width(WordBits)
  ) u_right_eliminator (
    .row_i  (right_in),
    .stays_i(right_stays),
    .row_o  (right_out),
    .count_o(count_above)
  );

  topk_zero_eliminator #(
    .Lanes(Parallelism),
    .Width(ItemBits)
  ) u_left_eliminator (
    .row_i  (compared_row_q),
    .stays_i(compared_below_q),
    .row_o  (left_out),
    .count_o(count_below)
  );

  always_comb begin
    row_sum = '0;
    for (int unsigned i = 0; i < Parallelism; i++) begin
      row_sum = row_sum + (right_stays[i] ? RowSumBits'(compared_row_q[i]) : '0);
    end
  end

  logic part_valid_q;
  logic [CountBits-1:0] part_above_q, part_below_q, part_equal_q;
  logic [RowSumBits-1:0] part_sum_above_q, part_sum_equal_q;
  logic [IndexBits-LaneBits-1:0] part_index_q;
  logic [Parallelism-1:0][WordBits-1:0] part_right_q;
  logic [Parallelism-1:0][ItemBits-1:0] part_left_q, part_right_items;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) part_valid_q <= 1'b0;
    else if (done) part_valid_q <= 1'b0;
    else if (step) part_valid_q <= compared_valid_q;
  end

  always_ff @(posedge clk_i) begin
    if (step & compared_valid_q) begin
      part_above_q <= count_above;
      part_below_q <= count_below;
      part_equal_q <= compared_equal_q;
      part_sum_above_q <= row_sum;
      part_sum_equal_q <= RowSumBits'(compared_equal_q) * RowSumBits'(pivot);
      part_index_q <= compared_index_q;
      part_right_q <= right_out;
      part_left_q <= left_out;
    end
  end

  for (genvar i = 0; i < Parallelism; i++) begin : gen_right_items
    assign part_right_items[i] = part_right_q[i][ItemBits-1:0];
  end

  // Quick-select ------------------------------------------------------------------------------------------------------

  next_e next;
  logic divided;
  logic [LevelBits-1:0] next_rows;
  logic [LaneBits-1:0] next_tail;

  topk_quick_select #(
    .Parallelism(Parallelism),
    .FifoDepth  (FifoDepth),
    .ItemBits   (ItemBits),
    .WithSampler(WithSampler)
  ) u_select (
    .clk_i,
    .rst_ni,
    .seed_en_i,
    .seed_i,
    .sampled_i,
    .start_i     (start),
    .n_i         (job_n_i),
    .mass_i      (job_mass_i),
    .amount_i    (job_amount_i),
    .loading_i   (loading_q),
    .passing_i   (state_q == Pass || state_q == Drain),
    .valid_i     (part_valid_q & ~filtering_q),
    .above_i     (part_above_q),
    .below_i     (part_below_q),
    .equal_i     (part_equal_q),
    .sum_above_i (part_sum_above_q),
    .sum_equal_i (part_sum_equal_q),
    .right_i     (part_right_items),
    .left_i      (part_left_q),
    .pop_i       (read_pass),
    .head_o      (select_head),
    .decide_i    (state_q == Decide),
    .next_o      (next),
    .next_rows_o (next_rows),
    .next_tail_o (next_tail),
    .divide_i    (state_q == Divide),
    .divided_o   (divided),
    .pivot_o     (pivot),
    .above_o     (known_above),
    .equals_o    (known_equals)
  );

  // Indices out -------------------------------------------------------------------------------------------------------

  logic [ItemsBits-1:0] kept_q;
  logic [SumBits-1:0] kept_sum_q;

  assign out_valid_o = filtering_q & part_valid_q & (part_above_q != '0);
  assign out_count_o = part_above_q;
  assign out_kept_o = kept_q + ItemsBits'(part_above_q);
  assign out_kept_sum_o = kept_sum_q + SumBits'(part_sum_above_q);
  assign out_boundary_o = pivot;
  assign last_row = out_kept_o == known_above + known_equals;
  assign out_last_o = out_valid_o & last_row;
  for (genvar i = 0; i < Parallelism; i++) begin : gen_indices
    assign out_indices_o[i] = {part_index_q, part_right_q[i][LaneBits-1:0]};
  end
  assign advance = ~out_valid_o | out_ready_i;
  assign out_taken = out_valid_o & out_ready_i;
  assign done = out_taken & last_row;

  // Control -----------------------------------------------------------------------------------------------------------

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      Idle: if (start) state_d = Load;
      Load: if (load_row && last_left_q) state_d = Drain;
      Pass: if (last_left_q) state_d = Drain;
      Drain: if (drained_q) state_d = Decide;
      Decide: begin
        unique case (next)
          NextPass: state_d = Pass;
          NextDivide: state_d = Divide;
          default: state_d = Filter;
        endcase
      end
      Divide: if (divided) state_d = Filter;
      Filter: if (done) state_d = Idle;
      default: state_d = Idle;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= Idle;
      passing_q <= 1'b0;
      filtering_q <= 1'b0;
      loading_q <= 1'b0;
      drained_q <= 1'b0;
      n_q <= '0;
      rows_left_q <= '0;
      last_left_q <= 1'b0;
      tail_lanes_q <= '0;
      next_index_q <= '0;
      kept_q <= '0;
      kept_sum_q <= '0;
      refused_o <= ErrNone;
    end else begin
      state_q <= state_d;
      passing_q <= state_d == Pass;
      filtering_q <= state_d == Filter;
      refused_o <= job_taken ? job_error : ErrNone;
      drained_q <= state_q == Drain;
      if (start) begin
        n_q <= job_n_i;
        rows_left_q <= rows_of(job_n_i);
        last_left_q <= job_n_i <= ItemsBits'(Parallelism);
        tail_lanes_q <= tail_lanes_of(job_n_i[LaneBits-1:0]);
        loading_q <= 1'b1;
      end
      if (load_row | read_pass | read_store) begin
        rows_left_q <= rows_left_q - LevelBits'(1);
        last_left_q <= rows_left_q == LevelBits'(2);
      end
      if (state_q == Decide) begin
        loading_q <= 1'b0;
        if (next == NextPass) begin
          rows_left_q <= next_rows;
          last_left_q <= next_rows == LevelBits'(1);
          tail_lanes_q <= tail_lanes_of(next_tail);
        end else begin
          rows_left_q <= rows_of(n_q);
          last_left_q <= n_q <= ItemsBits'(Parallelism);
          tail_lanes_q <= tail_lanes_of(n_q[LaneBits-1:0]);
          next_index_q <= '0;
          kept_q <= '0;
          kept_sum_q <= '0;
        end
      end
      if (filtering_q) begin
        if (read_store) next_index_q <= next_index_q + (IndexBits - LaneBits)'(1);
        if (out_taken) begin
          kept_q <= out_kept_o;
          kept_sum_q <= out_kept_sum_o;
        end
      end
    end
  end

endmodule
