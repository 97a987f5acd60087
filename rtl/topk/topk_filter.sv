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

  for (genvar i = 0; i < Lanes; i++) begin : gen_take
    assign take_o[i] = equal_i[i] & (LeftBits'(equals[i]) <= left_i);
  end
  assign count_o = equals[Lanes-1];

endmodule
