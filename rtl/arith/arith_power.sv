// 2^-fraction with 20 fraction bits, fraction in units of 2^-12: a table of 64 entries, linear between them. Three stages.

module arith_power
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 3
) (
  input  logic                   clk_i,
  input  logic                   enable_i,
  input  logic [LogFraction-1:0] fraction_i,
  output logic [ExpBits-1:0]     power_o
);

  localparam int unsigned LowBits = LogFraction - ExpTableBits;

  logic [ExpTableBits-1:0] high;
  logic [2:1][ExpBits-1:0] entry_q;
  logic [SlopeBits-1:0] slope_q;
  logic [LowBits-1:0] low_q;
  logic [SlopeBits-1:0] down_q;
  logic [SlopeBits+LowBits-1:0] product;
  logic [LowBits-1:0] unused_product;

  assign high = fraction_i[LogFraction-1:LowBits];
  assign unused_product = product[LowBits-1:0];
  assign product = (SlopeBits + LowBits)'(slope_q) * (SlopeBits + LowBits)'(low_q);

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      entry_q <= {entry_q[1], ExpTable[7'(high)]};
      slope_q <= ExpSlope[high];
      low_q <= fraction_i[LowBits-1:0];
      down_q <= product[SlopeBits+LowBits-1:LowBits];
      power_o <= entry_q[2] - ExpBits'(down_q);
    end
  end

endmodule
