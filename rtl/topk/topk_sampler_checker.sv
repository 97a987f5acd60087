// Samples never overflow, and their ranks are a permutation.

module topk_sampler_checker #(
  parameter int unsigned Samples = 32,
  parameter int unsigned RankBits = 5
) (
  input logic                clk_i,
  input logic                rst_ni,
  input logic                clear_i,
  input logic [RankBits:0]   count_i,
  input logic [RankBits-1:0] rank_i[Samples]
);

  NoOverflow :
  assert property (@(posedge clk_i) disable iff (!rst_ni) count_i <= (RankBits + 1)'(Samples))
  else $error("%m: more samples than places");

  // Looked at where the samples are read last: as they are cleared.
  logic [Samples-1:0] ranks;
  always_comb begin
    ranks = '0;
    if (clear_i) begin
      for (int unsigned i = 0; i < Samples; i++) begin
        if ((RankBits + 1)'(i) < count_i) ranks[rank_i[i]] = 1'b1;
      end
    end
  end

  RanksDiffer :
  assert property (@(posedge clk_i) disable iff (!rst_ni) clear_i |-> ranks == Samples'((64'd1 << count_i) - 64'd1))
  else $error("%m: ranks of the samples are not 0..count - 1, each once");

endmodule
