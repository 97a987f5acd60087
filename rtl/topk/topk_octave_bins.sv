// Octave bins: how many items of a list are as large as each quarter of each octave, counted while the list is loaded.
//
// Of each edge (4 + q) / 4 x 2^e, octaves e from FirstOctave on, at_least_o has how many items reach it; beyond the last
// edge it is 0. nonzero_o counts the items of 1 and more, small_o sums those below 2^FirstOctave, total_o all.
// A row is counted the cycle after it came, and its sums are added in the one after that. clear_i begins a list.
// Model: models/topk/octave_bins.h.

module topk_octave_bins
  import topk_pkg::*;
#(
  parameter int unsigned Parallelism = 16,
  parameter int unsigned ItemBits = 20,
  parameter int unsigned IndexBits = 10,
  localparam int unsigned CountBits = $clog2(Parallelism) + 1,
  localparam int unsigned SumBits = ItemBits + IndexBits,
  localparam int unsigned SmallBits = FirstOctave + IndexBits,
  localparam int unsigned Edges = edges(ItemBits)
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  input  logic                                 clear_i,
  input  logic                                 valid_i,
  input  logic [Parallelism-1:0][ItemBits-1:0] row_i,
  input  logic [CountBits-1:0]                 count_i,
  output logic [Edges-1:0][IndexBits:0]        at_least_o,
  output logic [IndexBits:0]                   nonzero_o,
  output logic [SmallBits-1:0]                 small_o,
  output logic [SumBits-1:0]                   total_o
);

  localparam int unsigned RowSumBits = ItemBits + CountBits;
  localparam int unsigned RowSmallBits = FirstOctave + CountBits;

  // A row; what is not valid is 0, and is counted nowhere.
  logic valid_q, summed_q;
  logic [Parallelism-1:0][ItemBits-1:0] row_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      summed_q <= 1'b0;
    end else begin
      valid_q <= valid_i & ~clear_i;
      summed_q <= valid_q & ~clear_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      for (int unsigned i = 0; i < Parallelism; i++) row_q[i] <= (CountBits'(i) < count_i) ? row_i[i] : '0;
    end
  end

  // Which edges a lane reaches: any[e] says 2^e.
  logic [Edges-2:0][Parallelism-1:0] reaches;
  logic [Parallelism-1:0] nonzero, is_small;

  for (genvar i = 0; i < Parallelism; i++) begin : gen_lane
    assign nonzero[i] = row_q[i] != '0;
    if (ItemBits > FirstOctave) begin : gen_octaves
      logic [ItemBits:FirstOctave] any;
      assign any[ItemBits] = 1'b0;
      for (genvar e = FirstOctave; e < ItemBits; e++) begin : gen_any
        assign any[e] = row_q[i][ItemBits-1:e] != '0;
      end
      assign is_small[i] = ~any[FirstOctave];
      for (genvar e = FirstOctave; e < ItemBits; e++) begin : gen_octave
        localparam int unsigned At = (e - FirstOctave) * Quarters;
        assign reaches[At][i] = any[e];
        assign reaches[At+1][i] = any[e+1] | (row_q[i][e] & (row_q[i][e-1] | row_q[i][e-2]));
        assign reaches[At+2][i] = any[e+1] | (row_q[i][e] & row_q[i][e-1]);
        assign reaches[At+3][i] = any[e+1] | (row_q[i][e] & row_q[i][e-1] & row_q[i][e-2]);
      end
    end else begin : gen_small_only
      assign is_small[i] = 1'b1;
      for (genvar e = 0; e < Edges - 1; e++) begin : gen_none
        assign reaches[e][i] = 1'b0;
      end
    end
  end

  function automatic logic [CountBits-1:0] ones(logic [Parallelism-1:0] lanes);
    logic [CountBits-1:0] n;
    n = '0;
    for (int unsigned i = 0; i < Parallelism; i++) n = n + CountBits'(lanes[i]);
    return n;
  endfunction

  // Counters ----------------------------------------------------------------------------------------------------------

  for (genvar e = 0; e < Edges - 1; e++) begin : gen_counter
    logic [IndexBits:0] count_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) count_q <= '0;
      else if (clear_i) count_q <= '0;
      else if (valid_q) count_q <= count_q + (IndexBits + 1)'(ones(reaches[e]));
    end
    assign at_least_o[e] = count_q;
  end
  assign at_least_o[Edges-1] = '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) nonzero_o <= '0;
    else if (clear_i) nonzero_o <= '0;
    else if (valid_q) nonzero_o <= nonzero_o + (IndexBits + 1)'(ones(nonzero));
  end

  // Sums --------------------------------------------------------------------------------------------------------------

  // The lower bits of an item; all of it where it has no more.
  localparam int unsigned LowBits = (ItemBits < FirstOctave) ? ItemBits : FirstOctave;

  logic [RowSumBits-1:0] row_sum_d, row_sum_q;
  logic [RowSmallBits-1:0] row_small_d, row_small_q;

  always_comb begin
    row_sum_d = '0;
    row_small_d = '0;
    for (int unsigned i = 0; i < Parallelism; i++) begin
      row_sum_d = row_sum_d + RowSumBits'(row_q[i]);
      row_small_d = row_small_d + (is_small[i] ? RowSmallBits'(row_q[i][LowBits-1:0]) : '0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q) begin
      row_sum_q <= row_sum_d;
      row_small_q <= row_small_d;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      total_o <= '0;
      small_o <= '0;
    end else if (clear_i) begin
      total_o <= '0;
      small_o <= '0;
    end else if (summed_q) begin
      total_o <= total_o + SumBits'(row_sum_q);
      small_o <= small_o + SmallBits'(row_small_q);
    end
  end

endmodule
