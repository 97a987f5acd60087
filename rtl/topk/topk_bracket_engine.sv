// Bracket engine: the top-k engine that keeps up with softmax. The same ports and answers as topk_engine; while one list is
// loaded, the boundary of others is searched for, and one more is filtered.
//
// job_*, row_*, out_*  as topk_engine; a job is taken when the one before has its last row and a list is free.
// Stages hand lists over by their states: load and octave bins, bin scan, window pass, window search (after which a pass
// may follow), filter. The pass takes the oldest list that waits for it, the filter takes lists in the order of the jobs.
// Every output is a function of state alone. Model: models/topk/bracket_engine.h, equal in every cycle.

module topk_bracket_engine
  import topk_pkg::*;
#(
  parameter int unsigned Parallelism = winnow_machine_pkg::TopkParallelism,
  parameter int unsigned FifoDepth = winnow_machine_pkg::TopkFifo,
  parameter int unsigned ItemBits = winnow_machine_pkg::TopkItemBits,
  localparam int unsigned LaneBits = $clog2(Parallelism),
  localparam int unsigned CountBits = LaneBits + 1,
  localparam int unsigned IndexBits = LaneBits + $clog2(FifoDepth),
  localparam int unsigned SumBits = ItemBits + IndexBits,
  localparam int unsigned AmountBits = amount_bits(IndexBits)
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
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

  localparam int unsigned Lists = winnow_machine_pkg::TopkBracketLists;
  localparam int unsigned ListBits = $clog2(Lists);
  localparam int unsigned AddrBits = $clog2(FifoDepth);
  localparam int unsigned ItemsBits = IndexBits + 1;
  localparam int unsigned LevelBits = AddrBits + 1;
  localparam int unsigned TargetBits = target_bits(SumBits);
  localparam int unsigned ShiftBits = shift_bits(ItemBits);
  localparam int unsigned SmallBits = FirstOctave + IndexBits;
  localparam int unsigned Edges = edges(ItemBits);

  // A set that cannot be built stops here, with the texts of models/topk/types.cpp; bounds are those of
  // models/topk/ranges.h.
  localparam int unsigned PMin = winnow_machine_pkg::TopkParallelismMin;
  localparam int unsigned PMax = winnow_machine_pkg::TopkParallelismMax;
  localparam int unsigned FifoMin = winnow_machine_pkg::TopkFifoMin;
  localparam int unsigned FifoMax = winnow_machine_pkg::TopkFifoMax;
  localparam int unsigned ItemBitsMin = winnow_machine_pkg::TopkItemBitsMin;
  localparam int unsigned ItemBitsMax = winnow_machine_pkg::TopkBracketItemBitsMax;
  if (Parallelism < PMin || Parallelism > PMax || 2 ** LaneBits != Parallelism) begin : gen_bad_parallelism
    $error("topk.parallelism %0d is not a power of two in %0d..%0d", Parallelism, PMin, PMax);
  end
  if (FifoDepth < FifoMin || FifoDepth > FifoMax || 2 ** AddrBits != FifoDepth) begin : gen_bad_fifo
    $error("topk.fifo %0d is not a power of two in %0d..%0d", FifoDepth, FifoMin, FifoMax);
  end
  if (ItemBits < ItemBitsMin || ItemBits > ItemBitsMax) begin : gen_bad_item_bits
    $error("topk.item_bits %0d is not in %0d..%0d with prefilter bracket", ItemBits, ItemBitsMin, ItemBitsMax);
  end

  // Lists -------------------------------------------------------------------------------------------------------------

  // While a list is searched for its boundary that lies in least..limit - 1, and the next window begins at low. Once it is
  // found, low and limit are those of the filter.
  list_e [Lists-1:0] list_state_q;
  logic [Lists-1:0][ItemsBits-1:0] list_n_q;
  logic [Lists-1:0] list_mass_q;
  logic [Lists-1:0][TargetBits-1:0] list_target_q;
  logic [Lists-1:0][ItemBits-1:0] list_low_q, list_least_q;
  logic [Lists-1:0][ItemBits:0] list_limit_q;
  logic [Lists-1:0][ShiftBits-1:0] list_shift_q;
  logic [Lists-1:0][ItemsBits-1:0] list_equals_q, list_kept_q;

  logic [ListBits-1:0] loading_q, oldest_q;

  // Load --------------------------------------------------------------------------------------------------------------

  load_e load_q;
  logic drained_q;
  logic [LevelBits-1:0] rows_left_q;
  logic [CountBits-1:0] tail_q, load_count;
  logic [AddrBits-1:0] load_row_q;
  logic job_taken, start, load_row, handed;
  error_e job_error;

  always_comb begin
    job_error = ErrNone;
    if (job_n_i == '0 || 32'(job_n_i) > Parallelism * FifoDepth) job_error = ErrN;
    else if (!job_mass_i && (job_amount_i == '0 || job_amount_i > AmountBits'(job_n_i))) job_error = ErrK;
    else if (job_mass_i && (job_amount_i == '0 || job_amount_i > AmountBits'(65536))) job_error = ErrMu16;
  end

  assign job_ready_o = load_q == LoadHeader && list_state_q[loading_q] == ListFree;
  assign job_taken = job_valid_i & job_ready_o;
  assign start = job_taken & (job_error == ErrNone);
  assign row_ready_o = load_q == LoadRows;
  assign load_row = row_valid_i & row_ready_o;
  assign load_count = (rows_left_q == LevelBits'(1)) ? tail_q : CountBits'(Parallelism);

  logic [Edges-1:0][IndexBits:0] at_least;
  logic [ItemsBits-1:0] nonzero;
  logic [SmallBits-1:0] small_sum;
  logic [SumBits-1:0] total;

  topk_octave_bins #(
    .Parallelism(Parallelism),
    .ItemBits   (ItemBits),
    .IndexBits  (IndexBits)
  ) u_bins (
    .clk_i,
    .rst_ni,
    .clear_i   (start),
    .valid_i   (load_row),
    .row_i,
    .count_i   (load_count),
    .at_least_o(at_least),
    .nonzero_o (nonzero),
    .small_o   (small_sum),
    .total_o   (total)
  );

  // Scan --------------------------------------------------------------------------------------------------------------

  logic scan_idle, scan_done, scan_found, scan_limit;
  logic [ListBits-1:0] scan_list_q;
  logic [TargetBits-1:0] scan_target;
  logic [ItemBits-1:0] scan_low;
  logic [ShiftBits-1:0] scan_shift;
  logic [ItemsBits-1:0] scan_equals, scan_kept;

  assign handed = load_q == LoadHand && scan_idle;

  topk_bin_scan #(
    .ItemBits (ItemBits),
    .IndexBits(IndexBits)
  ) u_scan (
    .clk_i,
    .rst_ni,
    .start_i   (handed),
    .at_least_i(at_least),
    .nonzero_i (nonzero),
    .small_i   (small_sum),
    .total_i   (total),
    .n_i       (list_n_q[loading_q]),
    .mass_i    (list_mass_q[loading_q]),
    .target_i  (list_target_q[loading_q]),
    .idle_o    (scan_idle),
    .done_o    (scan_done),
    .found_o   (scan_found),
    .target_o  (scan_target),
    .low_o     (scan_low),
    .shift_o   (scan_shift),
    .limit_o   (scan_limit),
    .equals_o  (scan_equals),
    .kept_o    (scan_kept)
  );

  // Pass --------------------------------------------------------------------------------------------------------------

  logic pass_idle, pass_ready, pass_start, pass_handed, waiting;
  logic [ListBits-1:0] next_list, pass_list;
  logic [ItemBits-1:0] pass_low;
  logic [ShiftBits-1:0] pass_shift;
  logic [Bins-1:0][IndexBits:0] pass_at_least;
  logic [ItemsBits-1:0] pass_above;
  logic [SumBits-1:0] pass_sum_above, pass_sum_inside;
  logic search_idle;

  // The oldest list that waits.
  always_comb begin
    waiting = 1'b0;
    next_list = oldest_q;
    for (int unsigned i = 0; i < Lists; i++) begin
      if (!waiting && list_state_q[oldest_q+ListBits'(i)] == ListPass) begin
        waiting = 1'b1;
        next_list = oldest_q + ListBits'(i);
      end
    end
  end

  assign pass_handed = pass_ready & search_idle;
  assign pass_start = waiting & (pass_idle | pass_handed);

  logic [1:0] read;
  logic [1:0][ListBits-1:0] read_list, shown;
  logic [1:0][AddrBits-1:0] read_addr;
  logic [1:0][Parallelism*ItemBits-1:0] rows;

  assign shown[0] = pass_list;

  topk_window_pass #(
    .Parallelism(Parallelism),
    .FifoDepth  (FifoDepth),
    .ItemBits   (ItemBits),
    .ListBits   (ListBits)
  ) u_pass (
    .clk_i,
    .rst_ni,
    .start_i     (pass_start),
    .list_i      (next_list),
    .n_i         (list_n_q[next_list]),
    .low_i       (list_low_q[next_list]),
    .shift_i     (list_shift_q[next_list]),
    .read_o      (read[0]),
    .read_list_o (read_list[0]),
    .read_addr_o (read_addr[0]),
    .row_i       (rows[0]),
    .idle_o      (pass_idle),
    .ready_o     (pass_ready),
    .release_i   (pass_handed),
    .list_o      (pass_list),
    .low_o       (pass_low),
    .shift_o     (pass_shift),
    .at_least_o  (pass_at_least),
    .above_o     (pass_above),
    .sum_above_o (pass_sum_above),
    .sum_inside_o(pass_sum_inside)
  );

  // Search ------------------------------------------------------------------------------------------------------------

  logic search_done, search_found;
  logic [ListBits-1:0] search_list;
  logic [ItemBits-1:0] search_least, search_low;
  logic [ItemBits:0] search_limit;
  logic [ShiftBits-1:0] search_shift;
  logic [ItemsBits-1:0] search_equals, search_kept;

  topk_window_search #(
    .ItemBits (ItemBits),
    .IndexBits(IndexBits),
    .ListBits (ListBits)
  ) u_search (
    .clk_i,
    .rst_ni,
    .start_i     (pass_handed),
    .list_i      (pass_list),
    .low_i       (pass_low),
    .shift_i     (pass_shift),
    .at_least_i  (pass_at_least),
    .above_i     (pass_above),
    .sum_above_i (pass_sum_above),
    .sum_inside_i(pass_sum_inside),
    .idle_o      (search_idle),
    .list_o      (search_list),
    .mass_i      (list_mass_q[search_list]),
    .target_i    (list_target_q[search_list]),
    .least_i     (list_least_q[search_list]),
    .limit_i     (list_limit_q[search_list]),
    .done_o      (search_done),
    .found_o     (search_found),
    .least_o     (search_least),
    .low_o       (search_low),
    .limit_o     (search_limit),
    .shift_o     (search_shift),
    .equals_o    (search_equals),
    .kept_o      (search_kept)
  );

  // Filter ------------------------------------------------------------------------------------------------------------

  logic filter_idle, filter_start, filter_done;

  assign filter_start = filter_idle & (list_state_q[oldest_q] == ListFound);

  topk_list_filter #(
    .Parallelism(Parallelism),
    .FifoDepth  (FifoDepth),
    .ItemBits   (ItemBits),
    .ListBits   (ListBits)
  ) u_filter (
    .clk_i,
    .rst_ni,
    .start_i       (filter_start),
    .list_i        (oldest_q),
    .n_i           (list_n_q[oldest_q]),
    .low_i         (list_low_q[oldest_q]),
    .limit_i       (list_limit_q[oldest_q]),
    .equals_i      (list_equals_q[oldest_q]),
    .kept_i        (list_kept_q[oldest_q]),
    .idle_o        (filter_idle),
    .done_o        (filter_done),
    .read_o        (read[1]),
    .read_list_o   (read_list[1]),
    .read_addr_o   (read_addr[1]),
    .list_o        (shown[1]),
    .row_i         (rows[1]),
    .out_valid_o,
    .out_ready_i,
    .out_indices_o,
    .out_count_o,
    .out_last_o,
    .out_kept_o,
    .out_boundary_o,
    .out_kept_sum_o
  );

  // Memory ------------------------------------------------------------------------------------------------------------

  topk_list_memory #(
    .Lists(Lists),
    .Width(Parallelism * ItemBits),
    .Depth(FifoDepth)
  ) u_memory (
    .clk_i,
    .rst_ni,
    .write_i     (load_row),
    .write_list_i(loading_q),
    .write_addr_i(load_row_q),
    .write_row_i (row_i),
    .read_i      (read),
    .read_list_i (read_list),
    .read_addr_i (read_addr),
    .shown_i     (shown),
    .row_o       (rows)
  );

  // Control -----------------------------------------------------------------------------------------------------------

  function automatic logic [ListBits-1:0] after(logic [ListBits-1:0] list);
    return (list == ListBits'(Lists - 1)) ? '0 : list + ListBits'(1);
  endfunction

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      load_q <= LoadHeader;
      drained_q <= 1'b0;
      rows_left_q <= '0;
      tail_q <= '0;
      load_row_q <= '0;
      loading_q <= '0;
      oldest_q <= '0;
      scan_list_q <= '0;
      refused_o <= ErrNone;
    end else begin
      refused_o <= job_taken ? job_error : ErrNone;
      drained_q <= load_q == LoadDrain;
      unique case (load_q)
        LoadHeader: begin
          if (start) begin
            load_q <= LoadRows;
            rows_left_q <= LevelBits'((job_n_i + ItemsBits'(Parallelism - 1)) >> LaneBits);
            tail_q <= (job_n_i[LaneBits-1:0] == '0) ? CountBits'(Parallelism) : {1'b0, job_n_i[LaneBits-1:0]};
            load_row_q <= '0;
          end
        end
        LoadRows: begin
          if (load_row) begin
            rows_left_q <= rows_left_q - LevelBits'(1);
            load_row_q <= load_row_q + AddrBits'(1);
            if (rows_left_q == LevelBits'(1)) load_q <= LoadDrain;
          end
        end
        LoadDrain: if (drained_q) load_q <= LoadHand;
        default: begin
          if (handed) begin
            load_q <= LoadHeader;
            loading_q <= after(loading_q);
            scan_list_q <= loading_q;
          end
        end
      endcase
      if (filter_done) oldest_q <= after(oldest_q);
    end
  end

  for (genvar l = 0; l < Lists; l++) begin : gen_list
    logic starts, scanned, passes, searched, filtered;
    assign starts = start & (loading_q == ListBits'(l));
    assign scanned = scan_done & (scan_list_q == ListBits'(l));
    assign passes = pass_start & (next_list == ListBits'(l));
    assign searched = search_done & (search_list == ListBits'(l));
    assign filtered = filter_done & (oldest_q == ListBits'(l));

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) list_state_q[l] <= ListFree;
      else if (starts | passes) list_state_q[l] <= ListBusy;
      else if (scanned) list_state_q[l] <= scan_found ? ListFound : ListPass;
      else if (searched) list_state_q[l] <= search_found ? ListFound : ListPass;
      else if (filtered) list_state_q[l] <= ListFree;
    end

    always_ff @(posedge clk_i) begin
      if (starts) begin
        list_n_q[l] <= job_n_i;
        list_mass_q[l] <= job_mass_i;
        list_target_q[l] <= TargetBits'(job_amount_i);
      end
      if (scanned) begin
        list_target_q[l] <= scan_target;
        list_low_q[l] <= scan_low;
        list_least_q[l] <= '0;
        list_limit_q[l] <= scan_found ? (ItemBits + 1)'(scan_limit) : (ItemBits + 1)'(1) << ItemBits;
        list_shift_q[l] <= scan_shift;
        list_equals_q[l] <= scan_equals;
        list_kept_q[l] <= scan_kept;
      end
      if (searched) begin
        list_low_q[l] <= search_low;
        list_least_q[l] <= search_least;
        list_limit_q[l] <= search_limit;
        list_shift_q[l] <= search_shift;
        list_equals_q[l] <= search_equals;
        list_kept_q[l] <= search_kept;
      end
    end
  end

endmodule
