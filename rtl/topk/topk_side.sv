// One side of a pass, L (below the pivot) or R (above): packing register, FIFO of rows, samples.
//
// Compacted rows of 0..Parallelism items come in, one a cycle. The packing register holds what is left of earlier rows,
// an incoming row is rotated behind that, and a row is pushed when it is full. flush_i writes the rest as the side's last
// row, drop_i throws the side away; both begin a new count of items and never meet a valid row.
// Model: models/topk/side.h.

module topk_side #(
  parameter int unsigned Parallelism = 16,
  parameter int unsigned FifoDepth = 64,
  parameter int unsigned ItemBits = 20,
  parameter bit WithSampler = 1'b1,
  localparam int unsigned LaneBits = $clog2(Parallelism),
  localparam int unsigned CountBits = LaneBits + 1,
  localparam int unsigned IndexBits = LaneBits + $clog2(FifoDepth),
  localparam int unsigned LevelBits = $clog2(FifoDepth) + 1,
  localparam int unsigned StrideBits = $clog2(IndexBits + 1)
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  // Rows in.
  input  logic                                 valid_i,
  input  logic [Parallelism-1:0][ItemBits-1:0] row_i,
  input  logic [CountBits-1:0]                 count_i,
  input  logic [StrideBits-1:0]                stride_i,
  input  logic                                 flush_i,
  input  logic                                 drop_i,
  // Rows out.
  input  logic                                 pop_i,
  output logic [Parallelism-1:0][ItemBits-1:0] head_o,
  output logic [LevelBits-1:0]                 level_o,
  // The row that a pass would read first, flushed or not; for a random number one of its valid lanes, as they are once this
  // cycle's row is in, if none is popped.
  output logic [Parallelism-1:0][ItemBits-1:0] first_row_o,
  input  logic [15:0]                          random_i,
  output logic [LaneBits-1:0]                  first_lane_next_o,
  // Counts and samples of this pass.
  output logic [IndexBits:0]                   items_o,
  output logic [CountBits-1:0]                 pack_count_o,
  input  logic                                 median_i,
  input  logic [IndexBits:0]                   rank_i,
  output logic [ItemBits-1:0]                  sample_o
);

  logic [Parallelism-1:0][ItemBits-1:0] pack_d, pack_q, rotated, joined;
  logic [ItemBits-1:0] item[Parallelism];  // row_i by lane
  logic [CountBits-1:0] pack_count_d, pack_count_q;
  logic [IndexBits:0] items_d, items_q;
  logic [CountBits:0] together;
  logic full, push;

  // Lane i of the rotated row is the item that belongs there; those that do not fit any more begin the next row.
  logic [Parallelism-1:0][LaneBits-1:0] from;
  for (genvar i = 0; i < Parallelism; i++) begin : gen_rotate
    assign item[i] = row_i[i];
    assign from[i] = LaneBits'(i) - pack_count_q[LaneBits-1:0];
    assign rotated[i] = item[from[i]];
    assign joined[i] = (CountBits'(i) < pack_count_q) ? pack_q[i] : rotated[i];
  end

  assign together = (CountBits + 1)'(pack_count_q) + (CountBits + 1)'(count_i);
  assign full = together >= (CountBits + 1)'(Parallelism);
  assign push = (valid_i & full) | (flush_i & (pack_count_q != '0));

  always_comb begin
    pack_d = pack_q;
    pack_count_d = pack_count_q;
    items_d = items_q;
    if (flush_i | drop_i) begin
      pack_count_d = '0;
      items_d = '0;
    end else if (valid_i) begin
      pack_d = full ? rotated : joined;
      pack_count_d = {1'b0, together[LaneBits-1:0]};
      items_d = items_q + (IndexBits + 1)'(count_i);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pack_count_q <= '0;
      items_q <= '0;
    end else begin
      pack_count_q <= pack_count_d;
      items_q <= items_d;
    end
  end
  always_ff @(posedge clk_i) begin
    if (valid_i) pack_q <= pack_d;
  end

  topk_row_fifo #(
    .Width(Parallelism * ItemBits),
    .Depth(FifoDepth)
  ) u_fifo (
    .clk_i,
    .rst_ni,
    .clear_i(drop_i),
    .push_i (push),
    .row_i  (joined),  // without a row coming in, its valid lanes are the packing register's
    .pop_i,
    .head_o,
    .level_o
  );

  assign first_row_o = (level_o != '0) ? head_o : pack_q;

  // A lane below the row's count by multiply-high. Of a whole row these are the number's upper bits, so that its fill is
  // looked at behind the product and not before it.
  logic [LaneBits-1:0] lane_of_rest;
  assign lane_of_rest = LaneBits'(((16 + LaneBits)'(random_i) * (16 + LaneBits)'(together[LaneBits-1:0])) >> 16);
  assign first_lane_next_o = (level_o != '0 || full) ? random_i[15-:LaneBits] : lane_of_rest;
  assign items_o = items_q;
  assign pack_count_o = pack_count_q;

  if (WithSampler) begin : gen_sampler
    topk_sampler #(
      .Parallelism(Parallelism),
      .ItemBits   (ItemBits),
      .IndexBits  (IndexBits)
    ) u_sampler (
      .clk_i,
      .rst_ni,
      .clear_i (flush_i | drop_i),
      .valid_i,
      .row_i,
      .count_i,
      .stride_i,
      .median_i,
      .rank_i,
      .value_o (sample_o)
    );
  end else begin : gen_no_sampler
    logic unused;
    assign unused = ^{stride_i, median_i, rank_i};
    assign sample_o = '0;
  end

endmodule
