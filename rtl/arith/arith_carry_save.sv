// Rows that are added up become two (or Left) with the same sum, by layers of full adders: nothing is carried along.

module arith_carry_save #(
  parameter int unsigned Rows = 16,
  parameter int unsigned Bits = 49,
  parameter int unsigned Left = 2
) (
  input  logic [Rows-1:0][Bits-1:0] row_i,
  output logic [Left-1:0][Bits-1:0] row_o
);

  // Rows that are left after so many layers, each of which makes two of three.
  function automatic int unsigned rows(int unsigned layers);
    int unsigned n;
    n = Rows;
    for (int unsigned i = 0; i < layers; i++) n = n - n / 3;
    return n;
  endfunction

  function automatic int unsigned layers();
    int unsigned n, l;
    n = Rows;
    l = 0;
    while (n > Left) begin
      n = n - n / 3;
      l = l + 1;
    end
    return l;
  endfunction

  localparam int unsigned Layers = layers();
  localparam int unsigned Last = rows(Layers);

  // Arrays of rows, not one wide vector: simulators assign to them faster.
  for (genvar l = 0; l <= Layers; l++) begin : gen_layer
    localparam int unsigned Here = rows(l);
    logic [Bits-1:0] row[Here];
    if (l == 0) begin : gen_in
      for (genvar i = 0; i < Rows; i++) begin : gen_row
        assign row[i] = row_i[i];
      end
    end else begin : gen_add
      localparam int unsigned Threes = rows(l - 1) / 3;
      for (genvar t = 0; t < Threes; t++) begin : gen_adders
        logic [Bits-1:0] a, b, c, carry;
        assign a = gen_layer[l-1].row[3*t];
        assign b = gen_layer[l-1].row[3*t+1];
        assign c = gen_layer[l-1].row[3*t+2];
        assign row[2*t] = a ^ b ^ c;
        assign carry = (a & b) | (a & c) | (b & c);
        assign row[2*t+1] = carry << 1;
      end
      for (genvar i = 2 * Threes; i < Here; i++) begin : gen_rest
        assign row[i] = gen_layer[l-1].row[i+Threes];
      end
    end
  end

  for (genvar i = 0; i < Left; i++) begin : gen_out
    if (i < Last) begin : gen_row
      assign row_o[i] = gen_layer[Layers].row[i];
    end else begin : gen_none
      assign row_o[i] = '0;
    end
  end

endmodule
