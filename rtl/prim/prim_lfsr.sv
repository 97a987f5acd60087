// Galois LFSR: one step a cycle while enabled, shift right. Default x^16 + x^14 + x^13 + x^11 + 1, period 65,535.
//
// State 0 never leaves itself: a seed of 0 is replaced by the reset value. Model: models/topk/lfsr.h.

module prim_lfsr #(
  parameter int unsigned Width = 16,
  parameter logic [Width-1:0] Feedback = Width'('hb400),
  parameter logic [Width-1:0] Default = Width'('hace1)
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             seed_en_i,
  input  logic [Width-1:0] seed_i,
  input  logic             en_i,
  output logic [Width-1:0] state_o,
  output logic [Width-1:0] next_o    // state_o of the next cycle
);

  logic [Width-1:0] state_d, state_q;

  always_comb begin
    state_d = state_q;
    if (seed_en_i) state_d = (seed_i == '0) ? Default : seed_i;
    else if (en_i) state_d = (state_q >> 1) ^ (state_q[0] ? Feedback : '0);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) state_q <= Default;
    else state_q <= state_d;
  end

  assign state_o = state_q;
  assign next_o = state_d;

endmodule
