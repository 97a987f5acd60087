// Samples of one side of a pass, each with its rank, so that the next pass can start near its target.
//
// Of the compacted rows that come, every 2^stride_i-th item is taken, at most SampleRate a row. Each sample keeps its
// rank in a counter: a new one is compared with all that are there and with those beside it, and raises the ranks of
// the smaller ones. Among equals the earlier ranks first. The user's stride is such that samples never overflow, and is
// there a cycle before the first row.
// value_o is the sample of rank rank_i (0 = largest), or the last one; or the median. Model: models/topk/sampler.h.

module topk_sampler #(
  parameter int unsigned Parallelism = 16,
  parameter int unsigned ItemBits = 20,
  parameter int unsigned IndexBits = 10,
  localparam int unsigned Samples = topk_pkg::Samples,
  localparam int unsigned Rate = topk_pkg::SampleRate,
  localparam int unsigned LaneBits = $clog2(Parallelism),
  localparam int unsigned CountBits = LaneBits + 1,
  localparam int unsigned StrideBits = $clog2(IndexBits + 1),
  localparam int unsigned RankBits = $clog2(Samples),
  localparam int unsigned SampleCountBits = RankBits + 1
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  input  logic                                 clear_i,
  input  logic                                 valid_i,
  input  logic [Parallelism-1:0][ItemBits-1:0] row_i,
  input  logic [CountBits-1:0]                 count_i,
  input  logic [StrideBits-1:0]                stride_i,  // log2
  input  logic                                 median_i,  // instead of rank_i
  input  logic [IndexBits:0]                   rank_i,
  output logic [ItemBits-1:0]                  value_o
);

  // A lane number may lie far beyond the row: the third stride after a large offset.
  localparam int unsigned FarBits = IndexBits + 3;

  logic [ItemBits-1:0] value_q[Samples];
  logic [RankBits-1:0] rank_q[Samples];
  logic [SampleCountBits-1:0] count_q, count_d;

  // What this row gives.
  logic [Rate-1:0] fresh_valid;
  logic [ItemBits-1:0] fresh[Rate];
  logic [FarBits-1:0] stride, offset_d, offset_q;  // offset: the first lane taken, -(items of earlier rows) mod stride
  logic [ItemBits-1:0] item[Parallelism];  // row_i by lane

  for (genvar i = 0; i < Parallelism; i++) begin : gen_item
    assign item[i] = row_i[i];
  end

  assign stride = FarBits'(1) << stride_i;

  always_comb begin
    offset_d = offset_q;
    if (clear_i) offset_d = '0;
    else if (valid_i) offset_d = (offset_q - FarBits'(count_i)) & (stride - FarBits'(1));
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) offset_q <= '0;
    else offset_q <= offset_d;
  end

  for (genvar j = 0; j < Rate; j++) begin : gen_fresh
    logic [FarBits-1:0] far;
    logic [CountBits-1:0] lane_q;  // beyond the row if its uppermost bit is set
    assign far = offset_d | (FarBits'(j) << stride_i);  // the offset is below the stride
    always_ff @(posedge clk_i) lane_q <= {far[FarBits-1:LaneBits] != '0, far[LaneBits-1:0]};
    assign fresh_valid[j] = valid_i & (lane_q < count_i);
    assign fresh[j] = item[lane_q[LaneBits-1:0]];
  end

  // Old against new.
  logic [Samples-1:0] here;
  logic [Rate-1:0] above[Samples];  // fresh j is above sample i

  for (genvar i = 0; i < Samples; i++) begin : gen_above
    assign here[i] = SampleCountBits'(i) < count_q;
    for (genvar j = 0; j < Rate; j++) begin : gen_fresh
      assign above[i][j] = fresh_valid[j] & (fresh[j] > value_q[i]);
    end
  end

  // New against new, and the ranks of the new.
  logic [Rate-1:0] ahead[Rate];  // fresh m ranks ahead of fresh j
  logic [RankBits-1:0] fresh_rank[Rate];

  for (genvar m = 0; m < Rate; m++) begin : gen_ahead
    for (genvar j = 0; j < Rate; j++) begin : gen_fresh
      assign ahead[m][j] = fresh[m] > fresh[j] || (m < j && fresh[m] == fresh[j]);
    end
  end

  always_comb begin
    for (int unsigned j = 0; j < Rate; j++) begin
      fresh_rank[j] = '0;
      for (int unsigned i = 0; i < Samples; i++) begin
        fresh_rank[j] = fresh_rank[j] + RankBits'(here[i] && !above[i][j]);
      end
      for (int unsigned m = 0; m < Rate; m++) begin
        fresh_rank[j] = fresh_rank[j] + RankBits'(fresh_valid[m] && ahead[m][j]);
      end
    end
  end

  always_comb begin
    count_d = count_q;
    for (int unsigned j = 0; j < Rate; j++) count_d = count_d + SampleCountBits'(fresh_valid[j]);
    if (clear_i) count_d = '0;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= '0;
    else count_q <= count_d;
  end

  for (genvar i = 0; i < Samples; i++) begin : gen_sample
    logic [ItemBits-1:0] value_d;
    logic [RankBits-1:0] rank_d;

    always_comb begin
      value_d = value_q[i];
      rank_d = rank_q[i];
      for (int unsigned j = 0; j < Rate; j++) rank_d = rank_d + RankBits'(above[i][j]);
      for (int unsigned j = 0; j < Rate; j++) begin
        if (fresh_valid[j] && SampleCountBits'(i) == count_q + SampleCountBits'(j)) begin
          value_d = fresh[j];
          rank_d = fresh_rank[j];
        end
      end
    end

    always_ff @(posedge clk_i) begin
      if (fresh_valid[0]) begin
        value_q[i] <= value_d;
        rank_q[i] <= rank_d;
      end
    end
  end

  // Out by rank.
  logic [RankBits-1:0] wanted;

  always_comb begin
    if (median_i) wanted = count_q[RankBits:1];
    else if (rank_i < (IndexBits + 1)'(count_q)) wanted = RankBits'(rank_i);
    else wanted = RankBits'(count_q - SampleCountBits'(1));
  end

  always_comb begin
    value_o = '0;
    for (int unsigned i = 0; i < Samples; i++) begin
      if (here[i] && rank_q[i] == wanted) value_o = value_o | value_q[i];
    end
  end

endmodule
