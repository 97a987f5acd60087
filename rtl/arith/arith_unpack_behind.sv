// Eight words of a further digit out of as many bytes, put behind the digits that are there: held * 2^bits + word.
// models/converter/unpack.h: unpack_behind.

module arith_unpack_behind
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 3
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     enable_i,
  input  logic                     valid_i,
  input  logic [95:0]              bytes_i,
  input  logic [3:0]               bits_i,
  input  logic                     is_signed_i,
  input  logic [7:0][WordBits-1:0] held_i,
  output logic                     valid_o,
  output logic [7:0][WordBits-1:0] word_o
);

  logic [7:0][WordBits-1:0] word, held_q, shifted_q;
  logic [3:0] bits_q;
  logic unused_valid;  // the stages' valid bits are this unit's own

  arith_unpacker u_unpacker (
    .clk_i,
    .rst_ni,
    .enable_i,
    .valid_i(1'b0),
    .bytes_i,
    .bits_i,
    .is_signed_i,
    .valid_o(unused_valid),
    .word_o(word)
  );

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      held_q <= held_i;
      bits_q <= bits_i;
      for (int unsigned i = 0; i < 8; i++) begin
        shifted_q[i] <= held_q[i] << bits_q;
        word_o[i] <= shifted_q[i] + word[i];
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
