// 2^-(distance / 2^12) with 20 fraction bits: the fraction's power, shifted and rounded. golden: exp2_neg.

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

  localparam int unsigned WholeBits = DistanceBits - LogFraction;

  logic [3:1][WholeBits-1:0] whole_q;
  logic [ExpBits-1:0] power;
  logic [ExpBits:0] shifted_q;  // one bit more, for the rounding

  arith_power u_power (
    .clk_i,
    .enable_i,
    .fraction_i(distance_i[LogFraction-1:0]),
    .power_o(power)
  );

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      whole_q <= {whole_q[2:1], distance_i[DistanceBits-1:LogFraction]};
      // 21 octaves leave nothing, though 2^-21 is half a unit.
      shifted_q <= (whole_q[3] > WholeBits'(ExpFraction)) ? '0 : {power, 1'b0} >> whole_q[3];
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
