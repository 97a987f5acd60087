// Columns of a brick pair, or sums of such, become words' products: with words of 1 digit nine (six, if a is not narrow),
// of 2 digits three, of 3 two. What is beyond is 0. One stage.

module arith_columns #(
  parameter int unsigned Bits = 17,
  localparam int unsigned Depth = 1
) (
  input  logic                clk_i,
  input  logic                enable_i,
  input  logic [1:0]          digits_i,
  input  logic [8:0][Bits-1:0] column_i,
  output logic [8:0][Bits+7:0] word_o
);

  function automatic logic [Bits+7:0] place(logic [Bits-1:0] column, int unsigned at);
    return (Bits + 8)'({{8{column[Bits-1]}}, column} << at);
  endfunction

  logic [8:0][Bits+7:0] word_d;

  always_comb begin
    for (int unsigned j = 0; j < 9; j++) word_d[j] = place(column_i[j], 0);
    if (digits_i[1]) begin
      for (int unsigned j = 2; j < 9; j++) word_d[j] = '0;
      if (digits_i[0]) begin
        for (int unsigned j = 0; j < 2; j++) begin
          word_d[j] = place(column_i[3*j], 0) + place(column_i[3*j+1], 4) + place(column_i[3*j+2], 8);
        end
      end else begin
        for (int unsigned j = 0; j < 3; j++) word_d[j] = place(column_i[2*j], 0) + place(column_i[2*j+1], 4);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) word_o <= word_d;
  end

endmodule
