// Write-back: output vectors become bursts, one a cycle.
//
// vector_*  an output vector of `words` 12-bit values, a multiple of 8 up to 256, and the 32 B aligned address of the first
// burst_*   ceil(words * 12 / 256) bursts from that address on; word i is bits [i*12, i*12 + 12), what is left of the
//           last one is zero
// Time: first burst one cycle after the vector was taken; the next vector is taken with the last burst of the one before.
// Every output but vector_ready_o is a function of state alone; that one asks burst_ready_i. Model:
// models/writeback/writeback.h, equal in every cycle.

module writeback
  import winnow_links_pkg::*;
(
  input  logic          clk_i,
  input  logic          rst_ni,
  input  logic          vector_valid_i,
  output logic          vector_ready_o,
  input  outputs_t      vector_i,
  output logic          burst_valid_o,
  input  logic          burst_ready_i,
  output write_bursts_t burst_o
);

  localparam int unsigned WordBits = 12;
  localparam int unsigned BurstBits = $bits(burst_o.data);
  localparam int unsigned VectorBits = $bits(vector_i.data);
  localparam int unsigned MaxWords = VectorBits / WordBits;
  localparam int unsigned MaxBursts = VectorBits / BurstBits;
  localparam int unsigned LeftBits = $clog2(MaxBursts + 1);
  localparam int unsigned AddressBits = $bits(burst_o.address);
  localparam int unsigned BurstBytes = BurstBits / 8;

  logic [LeftBits-1:0] left_d, left_q;  // bursts of the vector held
  logic [VectorBits-1:0] bits_q;        // what is left of the vector, its next burst in the lower bits
  tag_t tag_q;                          // whose it is
  logic [AddressBits-1:0] address_q;    // of the next burst
  logic take, send;

  // Bursts of a vector: one a BurstBits / WordBits words, rounded up.
  function automatic logic [LeftBits-1:0] bursts_of(logic [$bits(vector_i.words)-1:0] words);
    return LeftBits'((32'(words) * WordBits + BurstBits - 1) / BurstBits);
  endfunction

  assign burst_valid_o = left_q != '0;
  assign send = burst_valid_o & burst_ready_i;
  assign vector_ready_o = (left_q == '0) | (send & (left_q == LeftBits'(1)));
  assign take = vector_valid_i & vector_ready_o;

  assign burst_o = '{tag: tag_q, address: address_q, data: bits_q[BurstBits-1:0]};

  // Words beyond the vector's end are whatever the sender left there: zero in the bursts.
  logic [VectorBits-1:0] words_in;
  always_comb begin
    for (int unsigned i = 0; i < MaxWords; i++) begin
      words_in[i*WordBits+:WordBits] = (i < 32'(vector_i.words)) ? vector_i.data[i] : '0;
    end
  end

  assign left_d = take ? bursts_of(vector_i.words) : left_q - LeftBits'(send);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) left_q <= '0;
    else left_q <= left_d;
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      bits_q <= words_in;
      tag_q <= vector_i.tag;
      address_q <= vector_i.address;
    end else if (send) begin
      bits_q <= bits_q >> BurstBits;
      address_q <= address_q + AddressBits'(BurstBytes);
    end
  end

endmodule
