// Octave bins: after a free number of free rows, one a cycle or with gaps, each edge's counter holds how many items reach
// the edge, by a comparison with its value; so do the count of nonzero items and both sums.
module proof_octave_bins
  import topk_pkg::*;
#(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Width = 8,
  parameter int unsigned IndexBits = 3,
  localparam int unsigned CountBits = $clog2(Lanes) + 1,
  localparam int unsigned Edges = edges(Width)
) (
  input logic                        clk_i,
  input logic                        valid_i,
  input logic                        clear_i,
  input logic [Lanes-1:0][Width-1:0] row_i,
  input logic [CountBits-1:0]        count_i
);

  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  logic [Edges-1:0][IndexBits:0] at_least, expected_q, expected1_q;
  logic [IndexBits:0] nonzero, nonzero_q, nonzero1_q;
  logic [FirstOctave+IndexBits-1:0] small_sum, small_q, small1_q, small2_q;
  logic [Width+IndexBits-1:0] total, total_q, total1_q, total2_q;

  topk_octave_bins #(
    .Parallelism(Lanes),
    .ItemBits(Width),
    .IndexBits(IndexBits)
  ) u_dut (
    .clk_i,
    .rst_ni(started_q),
    .clear_i(clear_i & started_q),
    .valid_i(valid_i & started_q & ~clear_i),
    .row_i,
    .count_i,
    .at_least_o(at_least),
    .nonzero_o(nonzero),
    .small_o(small_sum),
    .total_o(total)
  );

  // What the rows so far give, and the same one and two cycles ago.
  always_ff @(posedge clk_i) begin
    logic [Edges-1:0][IndexBits:0] counts;
    logic [IndexBits:0] ones;
    logic [FirstOctave+IndexBits-1:0] low;
    logic [Width+IndexBits-1:0] all;
    counts = (started_q && !clear_i) ? expected_q : '0;
    ones = (started_q && !clear_i) ? nonzero_q : '0;
    low = (started_q && !clear_i) ? small_q : '0;
    all = (started_q && !clear_i) ? total_q : '0;
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (started_q && valid_i && !clear_i && CountBits'(i) < count_i) begin
        for (int unsigned e = 0; e < Edges - 1; e++) begin
          if (32'(row_i[i]) >= (((4 + e % 4) << (FirstOctave + e / 4)) >> 2))
            counts[e] = counts[e] + (IndexBits + 1)'(1);
        end
        if (row_i[i] != '0) ones = ones + (IndexBits + 1)'(1);
        if (32'(row_i[i]) < 2 ** FirstOctave) low = low + (FirstOctave + IndexBits)'(row_i[i]);
        all = all + (Width + IndexBits)'(row_i[i]);
      end
    end
    expected_q <= counts;
    nonzero_q <= ones;
    small_q <= low;
    total_q <= all;
    expected1_q <= clear_i ? '0 : expected_q;
    nonzero1_q <= clear_i ? '0 : nonzero_q;
    small1_q <= clear_i ? '0 : small_q;
    total1_q <= clear_i ? '0 : total_q;
    small2_q <= clear_i ? '0 : small1_q;
    total2_q <= clear_i ? '0 : total1_q;
  end

  logic [1:0] age_q = '0;
  always_ff @(posedge clk_i) if (started_q && age_q != 2'd3) age_q <= age_q + 2'd1;

  always_comb begin
    assume (count_i <= CountBits'(Lanes));
    if (age_q == 2'd3) begin
      for (int unsigned e = 0; e < Edges - 1; e++) assert (at_least[e] == expected1_q[e]);
      assert (at_least[Edges-1] == '0);
      assert (nonzero == nonzero1_q);
      assert (small_sum == small2_q);
      assert (total == total2_q);
    end
  end

endmodule
