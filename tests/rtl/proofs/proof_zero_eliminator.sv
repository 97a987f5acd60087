// Zero eliminator: order, count and every element, for all rows and masks.
module proof_zero_eliminator #(
  parameter int unsigned Lanes = 8,
  parameter int unsigned Width = 4,
  localparam int unsigned CountBits = $clog2(Lanes) + 1
) (
  input logic [Lanes-1:0][Width-1:0] row_i,
  input logic [Lanes-1:0]            stays_i
);

  logic [Lanes-1:0][Width-1:0] row;
  logic [CountBits-1:0] count;

  topk_zero_eliminator #(
    .Lanes(Lanes),
    .Width(Width)
  ) u_dut (
    .row_i,
    .stays_i,
    .row_o(row),
    .count_o(count)
  );

  always_comb begin
    logic [CountBits-1:0] earlier;
    earlier = '0;
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (stays_i[i]) begin
        // The element with so many elements before it stands in that lane.
        assert (row[earlier[CountBits-2:0]] == row_i[i]);
        earlier = earlier + CountBits'(1);
      end
    end
    assert (count == earlier);
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (CountBits'(i) >= earlier) assert (row[i] == '0);
    end
  end

endmodule
