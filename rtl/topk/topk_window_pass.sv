// Window pass: a list is read once, and what lies in a window of values is counted in Bins bins.
//
// start_i takes a list with its window: lower edge, bins of 2^shift values; the list's rows come one a cycle from the next
// cycle on, read_o asks for them. at_least_o has for each bin how many items of the window lie in it or above it, above_o
// how many over the window; sum_above_o and sum_inside_o are their sums. ready_o: they are whole; release_i ends that.
// Time: 1 + rows + 3. Model: models/topk/window_pass.h.

module topk_window_pass
  import topk_pkg::*;
#(
  parameter int unsigned Parallelism = 16,
  parameter int unsigned FifoDepth = 64,
  parameter int unsigned ItemBits = 20,
  parameter int unsigned ListBits = 2,
  localparam int unsigned LaneBits = $clog2(Parallelism),
  localparam int unsigned CountBits = LaneBits + 1,
  localparam int unsigned AddrBits = $clog2(FifoDepth),
  localparam int unsigned LevelBits = AddrBits + 1,
  localparam int unsigned IndexBits = LaneBits + AddrBits,
  localparam int unsigned SumBits = ItemBits + IndexBits,
  localparam int unsigned ShiftBits = shift_bits(ItemBits)
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  input  logic                                 start_i,
  input  logic [ListBits-1:0]                  list_i,
  input  logic [IndexBits:0]                   n_i,
  input  logic [ItemBits-1:0]                  low_i,
  input  logic [ShiftBits-1:0]                 shift_i,
  // Rows: read_addr_o of list read_list_o is asked for, row_i is what was asked for in the cycle before.
  output logic                                 read_o,
  output logic [ListBits-1:0]                  read_list_o,
  output logic [AddrBits-1:0]                  read_addr_o,
  input  logic [Parallelism-1:0][ItemBits-1:0] row_i,
  // Counts.
  output logic                                 idle_o,
  output logic                                 ready_o,
  input  logic                                 release_i,
  output logic [ListBits-1:0]                  list_o,
  output logic [ItemBits-1:0]                  low_o,
  output logic [ShiftBits-1:0]                 shift_o,
  output logic [Bins-1:0][IndexBits:0]         at_least_o,
  output logic [IndexBits:0]                   above_o,
  output logic [SumBits-1:0]                   sum_above_o,
  output logic [SumBits-1:0]                   sum_inside_o
);

  localparam int unsigned ItemsBits = IndexBits + 1;
  localparam int unsigned RowSumBits = ItemBits + CountBits;

  pass_e state_q;
  logic drained_q;
  logic [ListBits-1:0] list_q;
  logic [LevelBits-1:0] rows_left_q;
  logic [CountBits-1:0] tail_q, count;
  logic [AddrBits-1:0] next_row_q;
  logic [ItemBits-1:0] low_q;
  logic [ShiftBits-1:0] shift_q;
  logic reading;

  assign reading = state_q == PassRead;
  assign idle_o = state_q == PassIdle;
  assign ready_o = state_q == PassHand;
  assign list_o = list_q;
  assign low_o = low_q;
  assign shift_o = shift_q;
  assign read_o = start_i | (reading & (rows_left_q != LevelBits'(1)));
  assign read_list_o = start_i ? list_i : list_q;
  assign read_addr_o = start_i ? '0 : next_row_q;
  assign count = (rows_left_q == LevelBits'(1)) ? tail_q : CountBits'(Parallelism);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= PassIdle;
      drained_q <= 1'b0;
      list_q <= '0;
      rows_left_q <= '0;
      tail_q <= '0;
      next_row_q <= '0;
      low_q <= '0;
      shift_q <= '0;
    end else begin
      drained_q <= state_q == PassDrain;
      unique case (state_q)
        PassRead: if (rows_left_q == LevelBits'(1)) state_q <= PassDrain;
        PassDrain: if (drained_q) state_q <= PassHand;
        PassHand: if (release_i) state_q <= PassIdle;
        default: state_q <= PassIdle;
      endcase
      if (reading) begin
        rows_left_q <= rows_left_q - LevelBits'(1);
        next_row_q <= next_row_q + AddrBits'(1);
      end
      if (start_i) begin
        state_q <= PassRead;
        list_q <= list_i;
        rows_left_q <= LevelBits'((n_i + ItemsBits'(Parallelism - 1)) >> LaneBits);
        tail_q <= (n_i[LaneBits-1:0] == '0) ? CountBits'(Parallelism) : {1'b0, n_i[LaneBits-1:0]};
        next_row_q <= AddrBits'(1);
        low_q <= low_i;
        shift_q <= shift_i;
      end
    end
  end

  // First register: a row and where its items lie ---------------------------------------------------------------------

  logic compared_valid_q, summed_q;
  logic [Parallelism-1:0] above_d, inside_d, compared_above_q, compared_inside_q;
  logic [Parallelism-1:0][BinBits-1:0] bin_d, compared_bin_q;
  logic [Parallelism-1:0][ItemBits-1:0] compared_row_q;

  for (genvar i = 0; i < Parallelism; i++) begin : gen_lane
    logic [ItemBits:0] over;  // negative: below the window
    logic [ItemBits+BinBits-1:0] bin;
    assign over = {1'b0, row_i[i]} - {1'b0, low_q};
    assign bin = (ItemBits + BinBits)'(over[ItemBits-1:0]) >> shift_q;
    assign bin_d[i] = bin[BinBits-1:0];
    assign above_d[i] = (CountBits'(i) < count) & ~over[ItemBits] & (bin[ItemBits+BinBits-1:BinBits] != '0);
    assign inside_d[i] = (CountBits'(i) < count) & ~over[ItemBits] & (bin[ItemBits+BinBits-1:BinBits] == '0);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      compared_valid_q <= 1'b0;
      summed_q <= 1'b0;
    end else begin
      compared_valid_q <= reading;
      summed_q <= compared_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (reading) begin
      compared_row_q <= row_i;
      compared_above_q <= above_d;
      compared_inside_q <= inside_d;
      compared_bin_q <= bin_d;
    end
  end

  // Counts ------------------------------------------------------------------------------------------------------------

  function automatic logic [CountBits-1:0] ones(logic [Parallelism-1:0] lanes);
    logic [CountBits-1:0] n;
    n = '0;
    for (int unsigned i = 0; i < Parallelism; i++) n = n + CountBits'(lanes[i]);
    return n;
  endfunction

  for (genvar b = 0; b < Bins; b++) begin : gen_bin
    logic [Parallelism-1:0] reaches;
    logic [IndexBits:0] count_q;
    for (genvar i = 0; i < Parallelism; i++) begin : gen_lane
      if (b == 0) begin : gen_first
        assign reaches[i] = compared_inside_q[i];
      end else begin : gen_other
        assign reaches[i] = compared_inside_q[i] & (compared_bin_q[i] >= BinBits'(b));
      end
    end
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) count_q <= '0;
      else if (start_i) count_q <= '0;
      else if (compared_valid_q) count_q <= count_q + ItemsBits'(ones(reaches));
    end
    assign at_least_o[b] = count_q;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) above_o <= '0;
    else if (start_i) above_o <= '0;
    else if (compared_valid_q) above_o <= above_o + ItemsBits'(ones(compared_above_q));
  end

  // Sums --------------------------------------------------------------------------------------------------------------

  logic [RowSumBits-1:0] row_above_d, row_inside_d, row_above_q, row_inside_q;

  always_comb begin
    row_above_d = '0;
    row_inside_d = '0;
    for (int unsigned i = 0; i < Parallelism; i++) begin
      row_above_d = row_above_d + (compared_above_q[i] ? RowSumBits'(compared_row_q[i]) : '0);
      row_inside_d = row_inside_d + (compared_inside_q[i] ? RowSumBits'(compared_row_q[i]) : '0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (compared_valid_q) begin
      row_above_q <= row_above_d;
      row_inside_q <= row_inside_d;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_above_o <= '0;
      sum_inside_o <= '0;
    end else if (start_i) begin
      sum_above_o <= '0;
      sum_inside_o <= '0;
    end else if (summed_q) begin
      sum_above_o <= sum_above_o + SumBits'(row_above_q);
      sum_inside_o <= sum_inside_o + SumBits'(row_inside_q);
    end
  end

endmodule
