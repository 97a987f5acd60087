// A word of a register file with its write enable, as memories of few words are made of.

module cost_register (
  input  logic        clk_i,
  input  logic        enable_i,
  input  logic [31:0] data_i,
  output logic [31:0] data_o
);

  always_ff @(posedge clk_i) begin
    if (enable_i) data_o <= data_i;
  end

endmodule
