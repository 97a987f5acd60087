// Filter: which of a row's equals stay, once the boundary is known: the first left_i in index order.
//
// Combinational: prefix sum of the equals, compared in each lane with what is left. Model: models/topk/filter.h.

module topk_filter #(
  parameter int unsigned Lanes = 16,
  parameter int unsigned LeftBits = 11,
  localparam int unsigned Layers = $clog2(Lanes),
  localparam int unsigned CountBits = Layers + 1
) (
  input  logic [Lanes-1:0]     equal_i,
  input  logic [LeftBits-1:0]  left_i,
  output logic [Lanes-1:0]     take_o,
  output logic [CountBits-1:0] count_o  // equals, whether they stay or not
);

  logic [CountBits-1:0] equals[Lanes], equals_before[Lanes];  // lane i counts the equals among 0..i

  always_comb begin
    // Kogge-Stone, as in topk_zero_eliminator.
    for (int unsigned i = 0; i < Lanes; i++) equals[i] = CountBits'(equal_i[i]);
    for (int unsigned l = 0; l < Layers; l++) begin
      equals_before = equals;
      for (int unsigned i = 2 ** l; i < Lanes; i++) equals[i] = equals_before[i] + equals_before[i-2**l];
    end
  end

  // Fewer than Lanes equals are before a lane, so that only a few bits of left_i are compared.
  logic all_stay;
  logic [Lanes-1:0][Layers-1:0] earlier;
  assign all_stay = left_i[LeftBits-1:Layers] != '0;
  assign earlier[0] = '0;
  for (genvar i = 1; i < Lanes; i++) begin : gen_earlier
    assign earlier[i] = equals[i-1][Layers-1:0];
  end
  for (genvar i = 0; i < Lanes; i++) begin : gen_take
    assign take_o[i] = equal_i[i] & (all_stay | (earlier[i] < left_i[Layers-1:0]));
  end
  assign count_o = equals[Lanes-1];

endmodule
