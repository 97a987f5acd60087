// Zero eliminator: closes the gaps in a row and keeps the order of what stays.
//
// A prefix sum counts the empty lanes before each item, then log2(Lanes) layers move the items down: layer l moves an
// item by 2^l lanes if bit l of its count is set. Two items never meet. Lanes from count_o on are 0.
// Combinational. Model: models/topk/zero_eliminator.h.

module topk_zero_eliminator #(
  parameter int unsigned Lanes = 16,
  parameter int unsigned Width = 20,
  localparam int unsigned Layers = $clog2(Lanes),
  localparam int unsigned CountBits = Layers + 1
) (
  input  logic [Lanes-1:0][Width-1:0] row_i,
  input  logic [Lanes-1:0]            stays_i,
  output logic [Lanes-1:0][Width-1:0] row_o,
  output logic [CountBits-1:0]        count_o
);

  logic [CountBits-1:0] empty[Lanes], empty_before[Lanes];  // lane i counts the empty lanes among 0..i
  logic [Width-1:0] item[Lanes], item_before[Lanes];
  logic [Layers-1:0] zeros[Lanes], zeros_before[Lanes];  // how far an item has to move

  always_comb begin
    // Prefix sum (Kogge-Stone): after layer l, lane i has counted the lanes i - 2^(l+1) + 1..i.
    for (int unsigned i = 0; i < Lanes; i++) empty[i] = CountBits'(!stays_i[i]);
    for (int unsigned l = 0; l < Layers; l++) begin
      empty_before = empty;
      for (int unsigned i = 2 ** l; i < Lanes; i++) empty[i] = empty_before[i] + empty_before[i-2**l];
    end
  end
  assign count_o = CountBits'(Lanes) - empty[Lanes-1];

  always_comb begin
    // Item and its number of empty lanes travel together; a lane without an item holds zeros in both.
    for (int unsigned i = 0; i < Lanes; i++) begin
      item[i] = stays_i[i] ? row_i[i] : '0;
      zeros[i] = stays_i[i] ? empty[i][Layers-1:0] : '0;
    end
    for (int unsigned l = 0; l < Layers; l++) begin
      item_before = item;
      zeros_before = zeros;
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (zeros_before[i][l]) begin
          item[i] = '0;
          zeros[i] = '0;
        end
        if (i + 2 ** l < Lanes) begin
          if (zeros_before[i+2**l][l]) begin
            item[i] = item_before[i+2**l];
            zeros[i] = zeros_before[i+2**l];
          end
        end
      end
    end
  end
  for (genvar i = 0; i < Lanes; i++) begin : gen_out
    assign row_o[i] = item[i];
  end

endmodule
