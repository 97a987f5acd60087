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
  output logic [Width-1:0] state_o
);

  // state_o is left undriven: the proof's `setundef -undriven -anyseq` makes it free.

endmodule
