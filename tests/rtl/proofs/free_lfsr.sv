// Stands for prim_lfsr in proofs: any state in any cycle, so that any pivot lane is proved.
module prim_lfsr #(
  parameter int unsigned Width = 16,
  parameter logic [Width-1:0] Feedback = '0,
  parameter logic [Width-1:0] Default = '0
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             seed_en_i,
  input  logic [Width-1:0] seed_i,
  input  logic             en_i,
  output logic [Width-1:0] state_o,
  output logic [Width-1:0] next_o
);

  // The proof's top gives any seed in any cycle.
  assign state_o = seed_i;
  assign next_o = seed_i;

endmodule
