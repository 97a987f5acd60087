// Eight words of 2 to 12 bits out of as many bytes, the least significant bit first; sign-extended if they are signed.
// models/converter/unpack.h: unpack.

module arith_unpacker
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 2
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     enable_i,
  input  logic                     valid_i,
  input  logic [95:0]              bytes_i,
  input  logic [3:0]               bits_i,
  input  logic                     is_signed_i,
  output logic                     valid_o,
  output logic [7:0][WordBits-1:0] word_o
);

  logic [7:0][WordBits-1:0] raw, raw_q;
  logic [3:0] bits_q;
  logic is_signed_q;

  // For each word its eleven places.
  always_comb begin
    raw = '0;
    for (int unsigned i = 0; i < 8; i++) begin
      for (int unsigned b = 2; b <= WordBits; b++) begin
        if (bits_i == 4'(b)) raw[i] = bytes_i[i*b+:WordBits];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      raw_q <= raw;
      bits_q <= bits_i;
      is_signed_q <= is_signed_i;
      for (int unsigned i = 0; i < 8; i++) begin
        for (int unsigned k = 0; k < WordBits; k++) begin
          word_o[i][k] <= (4'(k) < bits_q) ? raw_q[i][k] : is_signed_q & raw_q[i][bits_q-4'd1];
        end
      end
    end
  end

  arith_valid #(
    .Depth(Depth)
  ) u_valid (
    .clk_i,
    .rst_ni,
    .enable_i,
    .valid_i,
    .valid_o
  );

endmodule
