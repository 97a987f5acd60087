// List filter: gives out which items of a list stay, in index order, once that is known.
//
// start_i takes a list and what stays of it: items from limit on, and of those in low..limit - 1, which are all equal, the
// first equals; kept in all. Rows come as in topk_window_pass. out_*: see topk_bracket_engine. done_o: the cycle in which
// the last row of indices is taken. The pipeline stands while a row of indices waits.
// Time: at most 1 + rows + 2. Model: models/topk/list_filter.h.

module topk_list_filter #(
  parameter int unsigned Parallelism = 16,
  parameter int unsigned FifoDepth = 64,
  parameter int unsigned ItemBits = 20,
  parameter int unsigned ListBits = 2,
  localparam int unsigned LaneBits = $clog2(Parallelism),
  localparam int unsigned CountBits = LaneBits + 1,
  localparam int unsigned AddrBits = $clog2(FifoDepth),
  localparam int unsigned LevelBits = AddrBits + 1,
  localparam int unsigned IndexBits = LaneBits + AddrBits,
  localparam int unsigned SumBits = ItemBits + IndexBits
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
  input  logic                                  start_i,
  input  logic [ListBits-1:0]                   list_i,
  input  logic [IndexBits:0]                    n_i,
  input  logic [ItemBits-1:0]                   low_i,
  input  logic [ItemBits:0]                     limit_i,
  input  logic [IndexBits:0]                    equals_i,
  input  logic [IndexBits:0]                    kept_i,
  output logic                                  idle_o,
  output logic                                  done_o,
  // Rows.
  output logic                                  read_o,
  output logic [ListBits-1:0]                   read_list_o,
  output logic [AddrBits-1:0]                   read_addr_o,
  output logic [ListBits-1:0]                   list_o,
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
  localparam int unsigned RowSumBits = ItemBits + CountBits;

  logic idle_q, advance, reading;
  logic [ListBits-1:0] list_q;
  logic [LevelBits-1:0] rows_left_q;
  logic [CountBits-1:0] tail_q, count;
  logic [AddrBits-1:0] row_q;  // number of the row that row_i is
  logic [ItemBits-1:0] low_q;
  logic [ItemBits:0] limit_q;
  logic [ItemsBits-1:0] equals_left_q, all_q;

  assign advance = ~out_valid_o | out_ready_i;
  assign reading = ~idle_q & advance & (rows_left_q != '0);
  assign idle_o = idle_q;
  assign list_o = list_q;
  assign read_o = start_i | (reading & (rows_left_q != LevelBits'(1)));
  assign read_list_o = start_i ? list_i : list_q;
  assign read_addr_o = start_i ? '0 : row_q + AddrBits'(1);
  assign count = (rows_left_q == LevelBits'(1)) ? tail_q : CountBits'(Parallelism);

  // What of a row stays -----------------------------------------------------------------------------------------------

  logic [Parallelism-1:0] over, equal, take;
  logic [CountBits-1:0] count_equal;

  for (genvar i = 0; i < Parallelism; i++) begin : gen_lane
    logic valid;
    assign valid = CountBits'(i) < count;
    assign over[i] = valid & ({1'b0, row_i[i]} >= limit_q);
    assign equal[i] = valid & ({1'b0, row_i[i]} < limit_q) & (row_i[i] >= low_q);
  end

  topk_filter #(
    .Lanes   (Parallelism),
    .LeftBits(ItemsBits)
  ) u_filter (
    .equal_i(equal),
    .left_i (equals_left_q),
    .take_o (take),
    .count_o(count_equal)
  );

  // First register ----------------------------------------------------------------------------------------------------

  logic compared_valid_q;
  logic [Parallelism-1:0] stays_q, takes_q;
  logic [Parallelism-1:0][ItemBits-1:0] compared_row_q;
  logic [AddrBits-1:0] compared_index_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) compared_valid_q <= 1'b0;
    else if (idle_q | done_o) compared_valid_q <= 1'b0;
    else if (advance) compared_valid_q <= reading;
  end

  always_ff @(posedge clk_i) begin
    if (reading) begin
      compared_row_q <= row_i;
      stays_q <= over | take;
      takes_q <= take;
      compared_index_q <= row_q;
    end
  end

  // Second register: indices closed up, sum, boundary -----------------------------------------------------------------

  logic [Parallelism-1:0][IndexBits-1:0] indices, closed;
  logic [CountBits-1:0] count_stays;
  logic [RowSumBits-1:0] row_sum;
  logic [ItemBits-1:0] row_boundary;

  for (genvar i = 0; i < Parallelism; i++) begin : gen_index
    assign indices[i] = {compared_index_q, LaneBits'(i)};
  end

  topk_zero_eliminator #(
    .Lanes(Parallelism),
    .Width(IndexBits)
  ) u_eliminator (
    .row_i  (indices),
    .stays_i(stays_q),
    .row_o  (closed),
    .count_o(count_stays)
  );

  always_comb begin
    row_sum = '0;
    row_boundary = '0;
    for (int unsigned i = 0; i < Parallelism; i++) begin
      row_sum = row_sum + (stays_q[i] ? RowSumBits'(compared_row_q[i]) : '0);
      row_boundary = row_boundary | (takes_q[i] ? compared_row_q[i] : '0);
    end
  end

  logic part_valid_q;
  logic [Parallelism-1:0][IndexBits-1:0] part_indices_q;
  logic [CountBits-1:0] part_count_q;
  logic [RowSumBits-1:0] part_sum_q;
  logic [ItemBits-1:0] part_boundary_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) part_valid_q <= 1'b0;
    else if (idle_q | done_o) part_valid_q <= 1'b0;
    else if (advance) part_valid_q <= compared_valid_q;
  end

  always_ff @(posedge clk_i) begin
    if (advance & compared_valid_q) begin
      part_indices_q <= closed;
      part_count_q <= count_stays;
      part_sum_q <= row_sum;
      part_boundary_q <= row_boundary;
    end
  end

  // Out ---------------------------------------------------------------------------------------------------------------

  logic [ItemsBits-1:0] kept_q;
  logic [SumBits-1:0] kept_sum_q;
  logic [ItemBits-1:0] boundary_q;

  assign out_valid_o = part_valid_q & (part_count_q != '0);
  assign out_indices_o = part_indices_q;
  assign out_count_o = part_count_q;
  assign out_kept_o = kept_q + ItemsBits'(part_count_q);
  assign out_last_o = out_valid_o & (out_kept_o == all_q);
  assign out_boundary_o = boundary_q | part_boundary_q;
  assign out_kept_sum_o = kept_sum_q + SumBits'(part_sum_q);
  assign done_o = out_last_o & out_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      idle_q <= 1'b1;
      list_q <= '0;
      rows_left_q <= '0;
      tail_q <= '0;
      row_q <= '0;
      low_q <= '0;
      limit_q <= '0;
      equals_left_q <= '0;
      all_q <= '0;
      kept_q <= '0;
      kept_sum_q <= '0;
      boundary_q <= '0;
    end else begin
      if (done_o) idle_q <= 1'b1;
      if (reading) begin
        rows_left_q <= rows_left_q - LevelBits'(1);
        row_q <= row_q + AddrBits'(1);
        if (equals_left_q > ItemsBits'(count_equal)) equals_left_q <= equals_left_q - ItemsBits'(count_equal);
        else equals_left_q <= '0;
      end
      if (out_valid_o & out_ready_i) begin
        kept_q <= out_kept_o;
        kept_sum_q <= out_kept_sum_o;
        boundary_q <= out_boundary_o;
      end
      if (start_i) begin
        idle_q <= 1'b0;
        list_q <= list_i;
        rows_left_q <= LevelBits'((n_i + ItemsBits'(Parallelism - 1)) >> LaneBits);
        tail_q <= (n_i[LaneBits-1:0] == '0) ? CountBits'(Parallelism) : {1'b0, n_i[LaneBits-1:0]};
        row_q <= '0;
        low_q <= low_i;
        limit_q <= limit_i;
        equals_left_q <= equals_i;
        all_q <= kept_i;
        kept_q <= '0;
        kept_sum_q <= '0;
        boundary_q <= '0;
      end
    end
  end

endmodule
