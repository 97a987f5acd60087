// 2^-(distance / 2^12) with 20 fraction bits: a table of 64 entries, linear between them, shifted and rounded.
// golden: exp2_neg.

module arith_exp2
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 5
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    enable_i,
  input  logic                    valid_i,
  input  logic [DistanceBits-1:0] distance_i,
  output logic                    valid_o,
  output logic [ExpBits-1:0]      exponential_o
);

  localparam int unsigned LowBits = LogFraction - ExpTableBits;
  localparam int unsigned WholeBits = DistanceBits - LogFraction;

  logic [ExpTableBits-1:0] high;
  logic [3:1][WholeBits-1:0] whole_q;
  logic [2:1][ExpBits-1:0] entry_q;
  logic [SlopeBits-1:0] slope_q;
  logic [LowBits-1:0] low_q;
  logic [SlopeBits-1:0] down_q;
  logic [SlopeBits+LowBits-1:0] product;
  logic [LowBits-1:0] unused_product;
  logic [ExpBits-1:0] power_q;
  logic [ExpBits:0] shifted_q;  // one bit more, for the rounding

  assign high = distance_i[LogFraction-1:LowBits];
  assign unused_product = product[LowBits-1:0];
  assign product = (SlopeBits + LowBits)'(slope_q) * (SlopeBits + LowBits)'(low_q);

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      whole_q <= {whole_q[2:1], distance_i[DistanceBits-1:LogFraction]};
      entry_q <= {entry_q[1], ExpTable[7'(high)]};
      slope_q <= ExpSlope[high];
      low_q <= distance_i[LowBits-1:0];
      down_q <= product[SlopeBits+LowBits-1:LowBits];
      power_q <= entry_q[2] - ExpBits'(down_q);
      // 21 octaves leave nothing, though 2^-21 is half a unit.
      shifted_q <= (whole_q[3] > WholeBits'(ExpFraction)) ? '0 : {power_q, 1'b0} >> whole_q[3];
      exponential_o <= shifted_q[ExpBits:1] + ExpBits'(shifted_q[0]);
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
