// Top-k unit: the engine with its surroundings. Loads items from where they lie, puts what stays where it is looked for.
//
// job_*      a choice among n items; ready when the loader is free, the engine takes a job and the queue has room
// scores_*   a group's selection scores, LoadWidth from an address on, in a cycle that is claimed in the one before
// claim_*    what the next cycle reads
// ranking_*  a list of items, a row of P, which waits until its last item is written
// names_*    the row of names of the items that the engine gives out
// kept_clear_*, kept_set_*      kept flags: a group's are cleared with its job, those that stay are set
// list_clear_*, list_append_*   the list of names of what stays, likewise
// done_*     with the last of what stays
// seed_i, sampled_i   of the paper's engine, constant; the seed is taken in the first cycle after reset
// Bracket says which engine is inside: topk_engine, a job at a time, or topk_bracket_engine, whose jobs overlap.
// Two sides, the loader and the keeper, share a queue of jobs and no other state. Every ready and valid but done's, which
// is the engine's, is a function of state alone. Model: models/topk/unit.h, equal in every cycle.

module topk_unit
  import winnow_links_pkg::*;
#(
  parameter int unsigned Parallelism = winnow_machine_pkg::TopkParallelism,
  parameter int unsigned FifoDepth = winnow_machine_pkg::TopkFifo,
  parameter int unsigned ItemBits = winnow_machine_pkg::TopkItemBits,
  parameter int unsigned LoadWidth = Parallelism,
  parameter bit Bracket = 1'b0,
  parameter bit WithSampler = 1'b1
) (
  input  logic                                      clk_i,
  input  logic                                      rst_ni,
  input  logic                    [           15:0] seed_i,
  input  logic                                      sampled_i,
  input  logic                                      job_valid_i,
  output logic                                      job_ready_o,
  input  topk_jobs_t                                job_i,
  output logic                    [           20:0] scores_addr_o,
  input  selection_scores_t       [  LoadWidth-1:0] scores_i,
  output logic                                      claim_valid_o,
  output selection_scores_claim_t                   claim_o,
  output logic                    [           24:0] ranking_addr_o,
  input  ranking_items_t          [Parallelism-1:0] ranking_i,
  output logic                    [           24:0] names_addr_o,
  input  lists_t                  [Parallelism-1:0] names_i,
  output logic                                      kept_clear_valid_o,
  output kept_flags_clear_t                         kept_clear_o,
  output logic                    [Parallelism-1:0] kept_set_valid_o,
  output kept_flags_set_t         [Parallelism-1:0] kept_set_o,
  output logic                                      list_clear_valid_o,
  output lists_clear_t                              list_clear_o,
  output logic                    [Parallelism-1:0] list_append_valid_o,
  output lists_append_t           [Parallelism-1:0] list_append_o,
  output logic                                      done_valid_o,
  input  logic                                      done_ready_i,
  output topk_answers_t                             done_o
);

  localparam int unsigned LaneBits = $clog2(Parallelism);
  localparam int unsigned CountBits = LaneBits + 1;
  localparam int unsigned IndexBits = LaneBits + $clog2(FifoDepth);
  localparam int unsigned ItemsBits = IndexBits + 1;
  localparam int unsigned AmountBits = topk_pkg::amount_bits(IndexBits);
  localparam int unsigned SlotBits = 17;
  // The paper's engine: one that is loaded, one selected in, one filtered; the other: its lists and one more.
  localparam int unsigned Jobs = Bracket ? winnow_machine_pkg::TopkBracketLists + 1 : 3;
  localparam logic [$bits(job_i.names)-1:0] EveryItem = '1;  // no list

  if (LoadWidth > Parallelism || 2 ** $clog2(LoadWidth) != LoadWidth) begin : gen_bad_load_width
    $error("topk.load_width %0d is not a power of two up to %0d", LoadWidth, Parallelism);
  end

  typedef struct packed {
    logic [$bits(job_i.names)-1:0] names;
    logic                          from_store;
    logic [$bits(job_i.store)-1:0] store;
    logic [$bits(job_i.kept)-1:0]  kept;
  } kept_job_t;

  logic engine_ready, row_valid, row_ready, out_valid, out_ready, out_last;
  logic [Parallelism-1:0][ItemBits-1:0] row;
  logic [Parallelism-1:0][IndexBits-1:0] out_indices;
  logic [CountBits-1:0] out_count;

  // Loader: the job --------------------------------------------------------------------------------------------------

  logic [ItemsBits-1:0] n_d, n_q, next_d, next_q;  // items of the job, and of them given to the engine
  logic [CountBits-1:0] have_d, have_q, row_items;  // of the row at hand
  logic from_store_d, from_store_q;
  logic [$bits(job_i.store)-1:0] store_d, store_q;
  logic [$bits(job_i.items)-1:0] items_q;
  logic loading, queue_ready, job_taken;

  function automatic logic [CountBits-1:0] items_of_row(logic [ItemsBits-1:0] left);
    return (left > ItemsBits'(Parallelism)) ? CountBits'(Parallelism) : CountBits'(left);
  endfunction

  assign loading = next_q != n_q;
  assign job_ready_o = ~loading & queue_ready & engine_ready;
  assign job_taken = job_valid_i & job_ready_o;

  assign n_d = job_taken ? ItemsBits'(job_i.n) : n_q;
  assign from_store_d = job_taken ? job_i.from_store : from_store_q;
  assign store_d = job_taken ? job_i.store : store_q;

  assign kept_clear_valid_o = job_taken & job_i.from_store;
  assign kept_clear_o = '{store: job_i.store};
  assign list_clear_valid_o = job_taken & (job_i.kept != EveryItem);
  assign list_clear_o = '{list: job_i.kept};

  // Loader: a row ----------------------------------------------------------------------------------------------------

  logic [CountBits-1:0] have;  // with what is read in this cycle
  logic [Parallelism-1:0][ItemBits-1:0] row_q;
  logic written, row_taken;

  assign row_items = items_of_row(n_q - next_q);
  assign scores_addr_o = {store_q, SlotBits'(next_q) + SlotBits'(have_q)};
  assign ranking_addr_o = {items_q, SlotBits'(next_q)};

  // The lane of a row's last item, P lanes from the last count on.
  logic [LaneBits-1:0] last_lane;
  assign last_lane = LaneBits'(row_items - CountBits'(1));
  assign written = ranking_i[last_lane].written;

  always_comb begin
    if (from_store_q) have = (row_items - have_q > CountBits'(LoadWidth)) ? have_q + CountBits'(LoadWidth) : row_items;
    else have = written ? row_items : have_q;
  end

  // What was read before stays; lanes beyond the row's items keep what they had.
  always_comb begin
    for (int unsigned i = 0; i < Parallelism; i++) begin
      row[i] = row_q[i];
      if (CountBits'(i) >= have_q && CountBits'(i) < have) begin
        row[i] = from_store_q ? ItemBits'(scores_i[i%LoadWidth].score) : ItemBits'(ranking_i[i].item);
      end
    end
  end

  assign row_valid = loading & (have == row_items);
  assign row_taken = row_valid & row_ready;

  always_comb begin
    next_d = next_q;
    have_d = have_q;
    if (job_taken) begin
      next_d = '0;
      have_d = '0;
    end else if (row_taken) begin
      next_d = next_q + ItemsBits'(row_items);
      have_d = '0;
    end else if (loading) begin
      have_d = have;
    end
  end

  // What the next cycle reads.
  logic [CountBits-1:0] wanted;
  assign wanted = items_of_row(n_d - next_d) - have_d;
  assign claim_valid_o = from_store_d & (wanted != '0);
  assign claim_o = '{
          store: store_d,
          from: SlotBits'(next_d) + SlotBits'(have_d),
          n: (wanted > CountBits'(LoadWidth)) ? 7'(LoadWidth) : 7'(wanted)
      };

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      n_q <= '0;
      next_q <= '0;
      have_q <= '0;
    end else begin
      n_q <= n_d;
      next_q <= next_d;
      have_q <= have_d;
    end
  end

  always_ff @(posedge clk_i) begin
    from_store_q <= from_store_d;
    store_q <= store_d;
    if (job_taken) items_q <= job_i.items;
    if (loading) row_q <= row;
  end

  // Engine -----------------------------------------------------------------------------------------------------------

  logic seeded_q;
  topk_pkg::error_e refused;
  logic [ItemsBits-1:0] engine_kept;
  logic [ItemBits-1:0] engine_boundary;
  logic [ItemBits+IndexBits-1:0] engine_kept_sum;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) seeded_q <= 1'b0;
    else seeded_q <= 1'b1;
  end

  if (Bracket) begin : gen_bracket
    topk_bracket_engine #(
      .Parallelism(Parallelism),
      .FifoDepth  (FifoDepth),
      .ItemBits   (ItemBits)
    ) u_bracket (
      .clk_i,
      .rst_ni,
      .job_valid_i   (job_taken),
      .job_ready_o   (engine_ready),
      .job_n_i       (ItemsBits'(job_i.n)),
      .job_mass_i    (job_i.rule),
      .job_amount_i  (AmountBits'(job_i.amount)),
      .refused_o     (refused),
      .row_valid_i   (row_valid),
      .row_ready_o   (row_ready),
      .row_i         (row),
      .out_valid_o   (out_valid),
      .out_ready_i   (out_ready),
      .out_indices_o (out_indices),
      .out_count_o   (out_count),
      .out_last_o    (out_last),
      .out_kept_o    (engine_kept),
      .out_boundary_o(engine_boundary),
      .out_kept_sum_o(engine_kept_sum)
    );

    // It has no pivots.
    logic unused_pivot;
    assign unused_pivot = ^{sampled_i, seed_i, seeded_q};
  end else begin : gen_paper
    topk_engine #(
      .Parallelism(Parallelism),
      .FifoDepth  (FifoDepth),
      .ItemBits   (ItemBits),
      .WithSampler(WithSampler)
    ) u_engine (
      .clk_i,
      .rst_ni,
      .sampled_i,
      .seed_en_i     (~seeded_q),
      .seed_i,
      .job_valid_i   (job_taken),
      .job_ready_o   (engine_ready),
      .job_n_i       (ItemsBits'(job_i.n)),
      .job_mass_i    (job_i.rule),
      .job_amount_i  (AmountBits'(job_i.amount)),
      .refused_o     (refused),
      .row_valid_i   (row_valid),
      .row_ready_o   (row_ready),
      .row_i         (row),
      .out_valid_o   (out_valid),
      .out_ready_i   (out_ready),
      .out_indices_o (out_indices),
      .out_count_o   (out_count),
      .out_last_o    (out_last),
      .out_kept_o    (engine_kept),
      .out_boundary_o(engine_boundary),
      .out_kept_sum_o(engine_kept_sum)
    );
  end

  // Keeper -----------------------------------------------------------------------------------------------------------

  kept_job_t job_in, oldest;
  logic [ItemsBits-1:0] kept_q;  // given out so far
  logic out_taken, done, oldest_valid;
  logic [$clog2(Jobs+1)-1:0] unused_level;

  assign job_in = '{names: job_i.names, from_store: job_i.from_store, store: job_i.store, kept: job_i.kept};

  prim_fifo #(
    .Width($bits(kept_job_t)),
    .Depth(Jobs)
  ) u_queue (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(job_taken),
    .ready_o(queue_ready),
    .data_i (job_in),
    .valid_o(oldest_valid),
    .ready_i(done),
    .data_o (oldest),
    .level_o(unused_level)
  );

  assign out_ready = ~out_last | done_ready_i;
  assign out_taken = out_valid & out_ready;
  assign done = out_taken & out_last;

  // All indices of a row given out are of one row of items.
  assign names_addr_o = {oldest.names, SlotBits'({out_indices[0][IndexBits-1:LaneBits], LaneBits'(0)})};

  always_comb begin
    for (int unsigned i = 0; i < Parallelism; i++) begin
      kept_set_valid_o[i] = out_taken & oldest.from_store & (CountBits'(i) < out_count);
      kept_set_o[i] = '{store: oldest.store, slot: SlotBits'(out_indices[i])};
      list_append_valid_o[i] = out_taken & (oldest.kept != EveryItem) & (CountBits'(i) < out_count);
      list_append_o[i] = '{
          list: oldest.kept,
          entry: (oldest.names == EveryItem) ? SlotBits'(out_indices[i]) : names_i[out_indices[i][LaneBits-1:0]].entry
      };
    end
  end

  assign done_valid_o = out_valid & out_last;
  assign done_o = '{store: oldest.store, kept: SlotBits'(kept_q) + SlotBits'(out_count)};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) kept_q <= '0;
    else if (out_taken) kept_q <= out_last ? '0 : kept_q + ItemsBits'(out_count);
  end

  // The tag is for reports; items are of ItemBits; the summary is the engine's own.
  logic unused;
  assign unused = ^{
    job_i, scores_i, ranking_i, refused, engine_kept, engine_boundary, engine_kept_sum, oldest_valid, unused_level
  };

endmodule
