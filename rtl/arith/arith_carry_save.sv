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

  logic [Layers:0][Rows-1:0][Bits-1:0] layer;
  assign layer[0] = row_i;

  for (genvar l = 0; l < Layers; l++) begin : gen_layer
    localparam int unsigned Threes = rows(l) / 3;
    localparam int unsigned Next = rows(l + 1);
    for (genvar t = 0; t < Threes; t++) begin : gen_adders
      logic [Bits-1:0] a, b, c, carry;
      assign a = layer[l][3*t];
      assign b = layer[l][3*t+1];
      assign c = layer[l][3*t+2];
      assign layer[l+1][2*t] = a ^ b ^ c;
      assign carry = (a & b) | (a & c) | (b & c);
      assign layer[l+1][2*t+1] = carry << 1;
    end
    for (genvar i = 2 * Threes; i < Rows; i++) begin : gen_rest
      if (i < Next) begin : gen_pass
        assign layer[l+1][i] = layer[l][i+Threes];
      end else begin : gen_none
        assign layer[l+1][i] = '0;
      end
    end
  end

  for (genvar i = 0; i < Left; i++) begin : gen_out
    if (i < Rows) begin : gen_row
      assign row_o[i] = layer[Layers][i];
    end else begin : gen_none
      assign row_o[i] = '0;
    end
  end

endmodule
