// Filter: which lanes of a row stay, once the boundary is known.
//
// All lanes above it stay, and of the equals the first left_i in index order. Combinational: prefix sum of the equals,
// compared in each lane with what is left. Model: models/topk/filter.h.

module topk_filter #(
  parameter int unsigned Lanes = 16,
  parameter int unsigned LeftBits = 11,
  localparam int unsigned CountBits = $clog2(Lanes) + 1
) (
  input  logic [Lanes-1:0]     above_i,
  input  logic [Lanes-1:0]     below_i,
  input  logic [CountBits-1:0] count_i,
  input  logic [LeftBits-1:0]  left_i,
  output logic [Lanes-1:0]     stays_o,
  output logic [CountBits-1:0] equals_o
);

  logic [Lanes-1:0] equal, take;

  always_comb begin
    logic [CountBits-1:0] earlier;
    earlier = '0;
    equals_o = '0;
    for (int unsigned i = 0; i < Lanes; i++) begin
      equal[i] = (CountBits'(i) < count_i) & ~above_i[i] & ~below_i[i];
      take[i] = equal[i] & (LeftBits'(earlier) < left_i);
      earlier = earlier + CountBits'(equal[i]);
      equals_o = equals_o + CountBits'(take[i]);
    end
  end

  assign stays_o = above_i | take;

endmodule
